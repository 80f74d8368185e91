/* SPDX-License-Identifier: ISC */
#include "lib/auth/bound.h"

#include <check.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "suite.h"

static ssize_t read_again(int fd, char *out)
{
	ssize_t n;

	do
		n = read(fd, out, 1);
	while (n < 0 && errno == EINTR);
	return n;
}

/* A read from a socket that was opened within ends; one from before is left alone. */
START_TEST(reads_end)
{
	static struct bound bound;
	int before[2], within[2];
	struct err err;
	char byte;

	ck_assert_int_eq(bound_init(&bound, 1, &err), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, before), 0);
	bound_begin(&bound);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, within), 0);
	ck_assert_int_eq(read_again(within[0], &byte), 0);
	ck_assert(bound_end(&bound));
	ck_assert_int_eq(write(before[1], "x", 1), 1);
	ck_assert_int_eq(read_again(before[0], &byte), 1);
	bound_fini(&bound);
}
END_TEST

START_TEST(in_time)
{
	static struct bound bound;
	struct err err;

	ck_assert_int_eq(bound_init(&bound, 1, &err), 0);
	bound_begin(&bound);
	ck_assert(!bound_end(&bound));
	bound_fini(&bound);
}
END_TEST

TCase *bound_tcase(void)
{
	TCase *tc = tcase_create("bound");

	tcase_add_test(tc, reads_end);
	tcase_add_test(tc, in_time);
	return tc;
}
