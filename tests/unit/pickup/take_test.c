/* SPDX-License-Identifier: ISC */
/* Files in a scratch maildrop/, taken into a scratch queue. */
#include "suite.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/peer/maildrop.h"
#include "lib/sys/fd.h"
#include "pickup/pickup.h"

static const char settings[] = "compatibility_level = 3.6\n"
                               "myhostname = mx.example.test\n"
                               "mydomain = example.test\n"
                               "myorigin = example.test\n"
                               "mydestination = example.test\n"
                               "inet_interfaces = 127.0.0.1\n"
                               "relayhost = [relay.example]\n"
                               "alias_maps =\n"
                               "message_size_limit = 20000\n"
                               "hopcount_limit = 3\n"
                               "journal_lane_count = 2\n"
                               "journal_lane_size = 262144\n";

static struct {
	char dir[64];
	struct conf *conf;
	struct core_params core;
	struct pickup pickup;
} s;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void setup(void)
{
	const struct {
		const struct conf_table *table;
		void *out;
	} parts[] = {{&core_params, &s.core}, {&queue_params, &s.pickup.queue_params},
	    {&shape_params, &s.pickup.shape_params}, {&route_params, &s.pickup.route_params}};
	struct conf_report report = {0};
	struct err err = {0};

	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
	strcpy(s.dir, "/tmp/postern-pickup.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s.dir));
	ck_assert_int_eq(chdir(s.dir), 0);
	for (size_t i = 0; i < queue_dir_count; i++)
		mkdir(queue_dirs[i].name, 0700);
	ck_assert_msg(
	    conf_load_text(s.dir, "main.cf", settings, strlen(settings), &s.conf, &err) == 0, "%s",
	    err.text);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		ck_assert_msg(conf_fill(s.conf, parts[i].table, parts[i].out, &report) == 0, "%s",
		    str_text(&report.text));
	conf_report_fini(&report);
	s.pickup.core = &s.core;
	s.pickup.router = router_new(&s.core, &s.pickup.route_params);
	s.pickup.notifier = notifier_new();
	s.pickup.stuck = map_new();
	s.pickup.generation = 7;
	ck_assert_msg(
	    queue_open(&s.pickup.queue_params, false, &s.pickup.queue, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	queue_close(&s.pickup.queue);
	notifier_free(&s.pickup.notifier);
	router_free(&s.pickup.router);
	map_free(&s.pickup.stuck, NULL);
	conf_free(&s.conf);
	nftw(s.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct str message(uint32_t flags, const char *rcpts, const char *content, size_t len)
{
	struct maildrop_writer w = {0};
	struct maildrop_envelope env = {.version = MAILDROP_VERSION,
	    .uid = (uint32_t)getuid(),
	    .time_us = 1500000000000000,
	    .flags = flags,
	    .sender = "user",
	    .full_name = "Some One"};

	maildrop_put_envelope(&w, &env);
	maildrop_put_content(&w, content, len);
	while (*rcpts) {
		char address[128];
		struct maildrop_rcpt rcpt = {.address = address};

		snprintf(address, sizeof(address), "%.*s", (int)strcspn(rcpts, "|"), rcpts);
		maildrop_put_rcpt(&w, &rcpt);
		rcpts += strcspn(rcpts, "|");
		rcpts += *rcpts == '|';
	}
	maildrop_put_end(&w);
	return w.out;
}

static void drop(const char *name, const char *data, size_t len, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "maildrop/%s", name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, data, len), 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static bool exists(const char *dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

struct found {
	unsigned count;
	uint64_t arrival_us;
	uint32_t generation;
	char sender[128];
	struct str rcpts, content;
};

static bool look(void *arg, const struct scan_item *item)
{
	struct found *f = arg;
	struct message m = *item->m;
	struct rcpt_cursor cursor = {0};
	struct arena arena = {0};
	struct recipient r;
	struct err err;

	f->count++;
	f->arrival_us = m.env.arrival_us;
	f->generation = m.env.generation;
	snprintf(f->sender, sizeof(f->sender), "%s", m.env.sender);
	while (message_next_rcpt(&m, &cursor, &arena, &r, &err) == 1)
		str_printf(&f->rcpts, "%s(%s)%s:%s|", r.address, r.orig, r.transport, r.nexthop);
	str_reserve(&f->content, m.content_len + 1);
	f->content.len =
	    (size_t)fd_pread_full(m.fd, f->content.data, m.content_len, (off_t)m.content_at);
	f->content.data[f->content.len] = '\0';
	arena_fini(&arena);
	return true;
}

static struct found queue_now(void)
{
	struct found f = {0};
	struct err err;

	ck_assert_int_eq(queue_scan_journal(s.pickup.queue, MESSAGE_ENVELOPE, look, &f, &err), 0);
	ck_assert_int_eq(
	    queue_scan_dir(s.pickup.queue, "incoming", MESSAGE_ENVELOPE, look, &f, &err), 0);
	return f;
}

static void found_fini(struct found *f)
{
	str_fini(&f->rcpts);
	str_fini(&f->content);
}

static const char text[] = "To: x\nSubject: y\n\nhello\n.dot\n";

START_TEST(takes)
{
	struct str m = message(0, "Root|out@dest.example|root@example.test", text, strlen(text));
	struct found f;

	drop("ABCDEF1", m.data, m.len, 0744);
	ck_assert_uint_eq(pickup_run(&s.pickup), 1);
	ck_assert(!exists("maildrop", "ABCDEF1"));
	f = queue_now();
	ck_assert_uint_eq(f.count, 1);
	ck_assert_str_eq(f.sender, "user@example.test");
	ck_assert_uint_eq(f.arrival_us, 1500000000000000);
	ck_assert_uint_eq(f.generation, 7);
	ck_assert_str_eq(str_text(&f.rcpts), "Root@example.test(Root)local:mx.example.test|"
	                                     "out@dest.example()smtp:[relay.example]|");
	ck_assert_ptr_nonnull(strstr(f.content.data, "Received: by mx.example.test (Postfix, "
	                                             "from userid "));
	ck_assert_ptr_nonnull(strstr(f.content.data, "\r\nSubject: y\r\n"));
	ck_assert_ptr_nonnull(strstr(f.content.data, "\r\nFrom: Some One <user@example.test>\r\n"));
	ck_assert_ptr_nonnull(strstr(f.content.data, "\r\n\r\nhello\r\n.dot\r\n"));
	found_fini(&f);
	str_fini(&m);
}
END_TEST

START_TEST(leaves_the_unfinished)
{
	struct str m = message(0, "root", text, strlen(text));
	struct found f;

	drop("ABCDEF1", m.data, m.len, 0600);
	drop("123.456", m.data, m.len, 0744);
	ck_assert_uint_eq(pickup_run(&s.pickup), 0);
	ck_assert(exists("maildrop", "ABCDEF1") && exists("maildrop", "123.456"));
	f = queue_now();
	ck_assert_uint_eq(f.count, 0);
	found_fini(&f);
	str_fini(&m);
}
END_TEST

static const struct {
	const char *what;
	size_t cut; /* bytes from the end */
	int change; /* byte to change; -1: none */
	bool empty;
} damaged[] = {{"cut", 5, -1, false}, {"half", 60, -1, false}, {"changed", 0, 90, false},
    {"empty", 0, -1, true}};

START_TEST(sets_damage_aside)
{
	struct str m = message(0, "root", text, strlen(text));
	struct found f;

	if (damaged[_i].change >= 0)
		m.data[damaged[_i].change] ^= 1;
	drop("ABCDEF1", m.data, damaged[_i].empty ? 0 : m.len - damaged[_i].cut, 0744);
	ck_assert_uint_eq(pickup_run(&s.pickup), 0);
	ck_assert(!exists("maildrop", "ABCDEF1") && exists("corrupt", "ABCDEF1"));
	f = queue_now();
	ck_assert_uint_eq(f.count, 0);
	found_fini(&f);
	str_fini(&m);
}
END_TEST

START_TEST(sets_links_aside)
{
	struct str m = message(0, "root", text, strlen(text));

	ck_assert_int_eq(symlink("/etc/passwd", "maildrop/ABCDEF1"), 0);
	drop("ABCDEF2", m.data, m.len, 0744);
	ck_assert_int_eq(link("maildrop/ABCDEF2", "maildrop/ABCDEF3"), 0);
	ck_assert_int_eq(mkdir("maildrop/ABCDEF4", 0700), 0);
	ck_assert_uint_eq(pickup_run(&s.pickup), 0);
	for (const char *name = "1234"; *name; name++) {
		char file[] = "ABCDEF0";

		file[6] = *name;
		ck_assert(!exists("maildrop", file));
	}
	ck_assert(exists("corrupt", "ABCDEF2") && exists("corrupt", "ABCDEF3"));
	str_fini(&m);
}
END_TEST

START_TEST(no_recipients)
{
	struct str m = message(0, "", text, strlen(text));

	drop("ABCDEF1", m.data, m.len, 0744);
	ck_assert_uint_eq(pickup_run(&s.pickup), 0);
	ck_assert(exists("corrupt", "ABCDEF1"));
	str_fini(&m);
}
END_TEST

/* Accepted from its sender, so it is returned, not dropped. */
START_TEST(too_big_bounces)
{
	static char big[40000];
	struct str m;
	struct found f;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\n';
	m = message(0, "out@dest.example", big, sizeof(big));
	drop("ABCDEF1", m.data, m.len, 0744);
	ck_assert_uint_eq(pickup_run(&s.pickup), 1);
	f = queue_now();
	ck_assert_uint_eq(f.count, 1);
	ck_assert_str_eq(str_text(&f.rcpts), "out@dest.example()error:5.3.4 message file too big|");
	found_fini(&f);
	str_fini(&m);
}
END_TEST

START_TEST(too_many_hops_bounce)
{
	static const char looping[] = "Received: a\nReceived: b\nReceived: c\nReceived: d\n"
	                              "Received: e\n\nx\n";
	struct str m = message(0, "out@dest.example", looping, strlen(looping));
	struct found f;

	drop("ABCDEF1", m.data, m.len, 0744);
	ck_assert_uint_eq(pickup_run(&s.pickup), 1);
	f = queue_now();
	ck_assert_uint_eq(f.count, 1);
	ck_assert_str_eq(str_text(&f.rcpts), "out@dest.example()error:5.4.0 too many hops|");
	found_fini(&f);
	str_fini(&m);
}
END_TEST

START_TEST(many_files)
{
	struct str m = message(0, "root", text, strlen(text));
	struct found f;
	char name[32];

	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "%07X", 0xA000000 + i);
		drop(name, m.data, m.len, 0744);
	}
	ck_assert_uint_eq(pickup_run(&s.pickup), 150);
	f = queue_now();
	ck_assert_uint_eq(f.count, 150);
	found_fini(&f);
	str_fini(&m);
}
END_TEST

TCase *take_tcase(void)
{
	TCase *tcase = tcase_create("take");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, takes);
	tcase_add_test(tcase, leaves_the_unfinished);
	tcase_add_loop_test(tcase, sets_damage_aside, 0, ARRAY_LEN(damaged));
	tcase_add_test(tcase, sets_links_aside);
	tcase_add_test(tcase, no_recipients);
	tcase_add_test(tcase, too_big_bounces);
	tcase_add_test(tcase, too_many_hops_bounce);
	tcase_add_test(tcase, many_files);
	return tcase;
}
