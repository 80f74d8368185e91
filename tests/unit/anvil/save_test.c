/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anvil/anvil.h"
#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "suite.h"

static char folder[] = "/tmp/postern-test-XXXXXX", path[64];
static struct shared_table one, two;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/postern-test-XXXXXX")));
	snprintf(path, sizeof(path), "%s/accounts", folder);
	ck_assert_int_eq(shared_table_make(&one, "one", 100, NULL), 0);
	ck_assert_int_eq(shared_table_make(&two, "two", 100, NULL), 0);
}

static void teardown(void)
{
	shared_table_free(&one);
	shared_table_free(&two);
	unlink(path);
	rmdir(folder);
}

START_TEST(accounts_outlive_a_restart)
{
	uint64_t now = (uint64_t)clock_wall_us() / 1000000;
	struct counter *c = counters_get(one.counters, "login:joe@example.com", now);

	counter_add(one.counters, c, ANVIL_MESSAGES_HOUR, 3, now, 3600);
	counter_add(one.counters, c, ANVIL_RECIPIENTS_DAY, 77, now, 86400);
	counters_get(one.counters, "login:idle", now);
	ck_assert_int_eq(accounts_save(one.counters, path, NULL), 0);
	ck_assert_int_eq(accounts_load(two.counters, path, NULL), 0);
	c = counters_find(two.counters, "login:joe@example.com");
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(counter_value(c, ANVIL_MESSAGES_HOUR, now, 3600), 3);
	ck_assert_uint_eq(counter_value(c, ANVIL_RECIPIENTS_DAY, now, 86400), 77);
	ck_assert_ptr_null(counters_find(two.counters, "login:idle"));
}
END_TEST

START_TEST(no_file_and_damaged_files_are_no_harm)
{
	static const char noise[] = "# anvil\n1:2 3:4 5:6\nx\n1:1 1:1 1:1 1:1 login:a\n"
	                            "1:1 1:1 1:99999999999 1:1 login:b\n1:1 1:1 1:1 1:1 login:torn";
	int fd;

	ck_assert_int_eq(accounts_load(two.counters, path, NULL), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(fd_write_all(fd, noise, sizeof(noise) - 1), 0);
	close(fd);
	ck_assert_int_eq(accounts_load(two.counters, path, NULL), 0);
	ck_assert_ptr_nonnull(counters_find(two.counters, "login:a"));
	ck_assert_ptr_null(counters_find(two.counters, "login:b"));
	ck_assert_ptr_null(counters_find(two.counters, "login:torn"));
}
END_TEST

/* A process that has the memory cannot make it shorter: the others would die of it. */
START_TEST(the_memory_is_sealed)
{
	ck_assert_int_eq(ftruncate(one.fd, 0), -1);
	ck_assert_int_eq(ftruncate(one.fd, (off_t)one.size * 2), -1);
}
END_TEST

TCase *save_tcase(void)
{
	TCase *tc = tcase_create("save");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, accounts_outlive_a_restart);
	tcase_add_test(tc, no_file_and_damaged_files_are_no_harm);
	tcase_add_test(tc, the_memory_is_sealed);
	return tc;
}
