/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/sys/fd.h"
#include "suite.h"

static char path[] = "/tmp/postern-fd.XXXXXX";
static int one, two;

static void setup(void)
{
	one = mkstemp(path);
	ck_assert_int_ge(one, 0);
	two = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(two, 0);
}

static void teardown(void)
{
	fd_close(&one);
	fd_close(&two);
	fd_close(&two);
	ck_assert_int_eq(two, -1);
	unlink(path);
}

START_TEST(whole_file_lock)
{
	ck_assert_int_eq(fd_lock(one, false), 0);
	ck_assert_int_eq(fd_lock(one, false), 0);
	ck_assert_int_eq(fd_lock(two, false), 1);
	ck_assert_int_eq(fd_unlock(one), 0);
	ck_assert_int_eq(fd_lock(two, true), 0);
	close(two); /* it dies with its holder */
	ck_assert_int_eq(fd_lock(one, false), 0);
	ck_assert_int_eq(fd_lock(-1, false), -1);
	two = -1;
}
END_TEST

START_TEST(range_locks)
{
	ck_assert_int_eq(fd_lock_range(one, 100, 10, false), 0);
	ck_assert_int_eq(fd_lock_range(two, 105, 1, false), 1);
	ck_assert_int_eq(fd_lock_range(two, 90, 10, false), 0);
	ck_assert_int_eq(fd_lock_range(two, 110, 10, false), 0);
	ck_assert(fd_range_is_locked(two, 0, 1000));
	ck_assert(fd_range_is_locked(two, 109, 1));
	ck_assert(!fd_range_is_locked(two, 110, 10)); /* its own */
	ck_assert(!fd_range_is_locked(one, 0, 90));
	ck_assert_int_eq(fd_unlock_range(one, 100, 5), 0);
	ck_assert_int_eq(fd_lock_range(two, 100, 5, false), 0);
	ck_assert_int_eq(fd_lock_range(two, 100, 6, false), 1);
	close(one);
	one = -1;
	ck_assert_int_eq(fd_lock_range(two, 0, 1000, false), 0);
}
END_TEST

START_TEST(whole_reads_and_writes)
{
	struct str text = {0};
	struct err err;
	char buf[20];

	ck_assert_int_eq(fd_write_all(one, "0123456789", 10), 0);
	ck_assert_int_eq(fd_pwrite_all(one, "AB", 2, 4), 0);
	ck_assert_int_eq(fd_pread_full(one, buf, 20, 0), 10);
	ck_assert_mem_eq(buf, "0123AB6789", 10);
	ck_assert_int_eq(fd_pread_full(one, buf, 20, 10), 0);
	ck_assert_int_eq(fd_pread_full(-1, buf, 20, 0), -1);
	ck_assert_int_eq(fd_read_file(path, 10, &text, &err), 0);
	ck_assert_str_eq(str_text(&text), "0123AB6789");
	ck_assert_int_eq(fd_read_file(path, 9, &text, &err), -1);
	ck_assert_int_eq(fd_read_file("/nowhere/x", 9, &text, &err), -1);
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_int_eq(fd_read_file("/tmp", 9, &text, &err), -1);
	ck_assert_int_eq(err.code, EISDIR);
	str_fini(&text);
}
END_TEST

START_TEST(limit)
{
	struct rlimit r;
	size_t have;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = 64;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	have = fd_raise_limit(128);
	ck_assert_uint_ge(have, 128);
	ck_assert_uint_eq(fd_raise_limit(10), have); /* never lowers */
}
END_TEST

TCase *fd_tcase(void)
{
	TCase *tc = tcase_create("fd");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, whole_file_lock);
	tcase_add_test(tc, range_locks);
	tcase_add_test(tc, whole_reads_and_writes);
	tcase_add_test(tc, limit);
	return tc;
}
