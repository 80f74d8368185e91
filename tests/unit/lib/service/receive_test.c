/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/service/private.h"
#include "tests/unit/lib/service/suite.h"

/* Sends text with `count` copies of descriptor `fd`. */
static void send_with(int sock, const char *text, int fd, int count)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	memset(&control, 0, sizeof(control));
	if (count > 0) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		for (int i = 0; i < count; i++)
			memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &fd, sizeof(fd));
	}
	ck_assert_int_gt(sendmsg(sock, &msg, 0), 0);
}

static int open_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static const struct {
	const char *before; /* attributes that go ahead, without a descriptor */
	int count;
	bool comes;
} cases[] = {
    {NULL, 1, true},
    {"attributes", 1, true},
    {NULL, 3, true}, /* the others are closed */
    {NULL, 0, false},
    {"nothing", 0, false},
};

START_TEST(descriptors_arrive)
{
	int ends[2], null = open("/dev/null", O_RDONLY), before, got;

	before = open_fds();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	if (cases[_i].before)
		send_with(ends[0], cases[_i].before, -1, 0);
	send_with(ends[0], "x", null, cases[_i].count);
	close(ends[0]);
	got = service_receive_fd(ends[1]);
	ck_assert_int_eq(got >= 0, cases[_i].comes);
	if (got >= 0) {
		ck_assert_int_ne(fcntl(got, F_GETFD) & FD_CLOEXEC, 0);
		close(got);
	}
	ck_assert_int_eq(open_fds(), before);
	close(null);
}
END_TEST

START_TEST(trigger_bytes)
{
	int ends[2];
	char buf[8];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(write(ends[0], "W", 1), 1);
	ck_assert_uint_eq(service_read_trigger(ends[1], buf, sizeof(buf)), 1);
	ck_assert_int_eq(buf[0], 'W');
	close(ends[0]);
	ck_assert_uint_eq(service_read_trigger(ends[1], buf, sizeof(buf)), 0);
	close(ends[1]);
}
END_TEST

TCase *receive_tcase(void)
{
	TCase *tc = tcase_create("receive");

	tcase_add_loop_test(tc, descriptors_arrive, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, trigger_bytes);
	return tc;
}
