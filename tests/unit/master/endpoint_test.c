/* SPDX-License-Identifier: ISC */
#include "master/endpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "tests/unit/master/suite.h"

static const struct {
	const char *name;
	enum master_cf_type type;
	bool private_;
	const char *interfaces, *protocols;
	const char *keys; /* joined by ", "; NULL: an error */
} cases[] = {
    {"127.0.0.1:2525", MASTER_CF_INET, false, "all", "all", "inet 127.0.0.1 port 2525"},
    {"[::1]:2525", MASTER_CF_INET, false, "all", "all", "inet ::1 port 2525"},
    {"smtp", MASTER_CF_INET, false, "all", "ipv4", "inet 0.0.0.0 port 25"},
    {"25", MASTER_CF_INET, false, "all", "all", "inet 0.0.0.0 port 25, inet :: port 25"},
    {":25", MASTER_CF_INET, false, "loopback-only", "all",
        "inet 127.0.0.1 port 25, inet ::1 port 25"},
    {"25", MASTER_CF_INET, false, "192.0.2.1, [2001:db8::1] 192.0.2.1", "all",
        "inet 192.0.2.1 port 25, inet 2001:db8::1 port 25"},
    {"25", MASTER_CF_INET, false, "192.0.2.1 2001:db8::1", "ipv6", "inet 2001:db8::1 port 25"},
    {"25", MASTER_CF_INET, false, "192.0.2.1", "ipv6", NULL},
    {"[::1]:25", MASTER_CF_INET, false, "all", "ipv4", NULL},
    {"25", MASTER_CF_INET, false, "", "all", NULL},
    {"25", MASTER_CF_INET, false, "all", "ipv5", NULL},
    {"no-such-service-name", MASTER_CF_INET, false, "all", "all", NULL},
    {"127.0.0.1:99999", MASTER_CF_INET, false, "all", "all", NULL},
    {"qmgr", MASTER_CF_UNIX, false, "", "", "unix public/qmgr"},
    {"smtp", MASTER_CF_UNIX, true, "", "", "unix private/smtp"},
    {"smtpd", MASTER_CF_PASS, true, "", "", "unix private/smtpd"},
    {"qmgr", MASTER_CF_FIFO, false, "", "", "fifo public/qmgr"},
    {"postlog", MASTER_CF_UNIX_DGRAM, false, "", "", "unix-dgram public/postlog"},
    {"../etc/passwd", MASTER_CF_UNIX, false, "", "", NULL},
    {"..", MASTER_CF_UNIX, false, "", "", NULL},
};

START_TEST(lists)
{
	const struct master_cf_entry entry = {
	    .name = cases[_i].name, .type = cases[_i].type, .private_ = cases[_i].private_};
	const struct core_params core = {
	    .inet_interfaces = cases[_i].interfaces, .inet_protocols = cases[_i].protocols};
	struct endpoint *list;
	struct arena arena = {0};
	struct str keys = {0};
	struct err err;
	size_t count;

	if (endpoint_list(&entry, &core, &arena, &list, &count, &err) < 0) {
		ck_assert_msg(cases[_i].keys == NULL, "%s: %s", cases[_i].name, err.text);
	} else {
		for (size_t i = 0; i < count; i++)
			str_printf(&keys, "%s%s", i > 0 ? ", " : "", list[i].key);
		ck_assert_str_eq(str_text(&keys), cases[_i].keys ? cases[_i].keys : "an error");
	}
	str_fini(&keys);
	arena_fini(&arena);
}
END_TEST

START_TEST(fifo_is_opened_and_triggered)
{
	char dir[] = "/tmp/endpointXXXXXX", path[64], byte = 0;
	struct endpoint e = {.key = "fifo"};
	struct stat st;
	struct err err;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	e.path = path;
	fd = open(path, O_CREAT | O_WRONLY, 0600); /* something else is in its place */
	close(fd);
	fd = endpoint_open(&e, &err);
	ck_assert_msg(fd >= 0, "%s", err.text);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISFIFO(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 0777, 0666);
	endpoint_trigger(&e, 'W');
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	ck_assert_int_eq(byte, 'W');
	close(fd);
	endpoint_trigger(&e, 'W'); /* nobody there: no harm, no wait */
	unlink(path);
	rmdir(dir);
}
END_TEST

TCase *endpoint_tcase(void)
{
	TCase *tc = tcase_create("endpoint");

	tcase_add_loop_test(tc, lists, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, fifo_is_opened_and_triggered);
	return tc;
}
