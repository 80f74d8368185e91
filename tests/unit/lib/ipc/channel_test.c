/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "sample.h"
#include "suite.h"

static int sock[2];
static struct str coded, buf;
static struct arena arena;
static struct err err;
static struct frame frame;

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	frame_encode(&coded, 5, 99, &sample_table, &sample);
}

static void teardown(void)
{
	close(sock[0]);
	if (sock[1] >= 0)
		close(sock[1]);
	str_fini(&coded);
	str_fini(&buf);
	arena_fini(&arena);
}

static void end(void)
{
	close(sock[1]);
	sock[1] = -1;
}

START_TEST(several)
{
	struct sample out;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(frame_send(sock[1], &coded, -1, 100, &err), 0);
	end();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(frame_recv(sock[0], &buf, 100, &frame, NULL, &err), 1);
		ck_assert_int_eq(frame_decode(&frame, &sample_table, &out, &arena, &err), 0);
		ck_assert_str_eq(out.text, "hello");
		str_consume(&buf, frame.size);
	}
	ck_assert_int_eq(frame_recv(sock[0], &buf, 100, &frame, NULL, &err), 0);
}
END_TEST

START_TEST(descriptor_passed)
{
	int ends[2], got = -1;
	char c = 0;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(frame_send(sock[1], &coded, ends[1], 100, &err), 0);
	ck_assert_int_eq(frame_recv(sock[0], &buf, 100, &frame, &got, &err), 1);
	ck_assert_int_ge(got, 0);
	ck_assert_int_eq(write(got, "x", 1), 1);
	ck_assert_int_eq(read(ends[0], &c, 1), 1);
	close(got);
	str_clear(&buf);
	/* one that nobody asked for does not stay open */
	ck_assert_int_eq(frame_send(sock[1], &coded, ends[1], 100, &err), 0);
	ck_assert_int_eq(frame_recv(sock[0], &buf, 100, &frame, NULL, &err), 1);
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &c, 1), 0);
	close(ends[0]);
}
END_TEST

START_TEST(silence)
{
	ck_assert_int_eq(write(sock[1], coded.data, 20), 20);
	ck_assert_int_eq(frame_recv(sock[0], &buf, 20, &frame, NULL, &err), -1);
	ck_assert_int_eq(err.code, ETIMEDOUT);
	/* the rest may still come */
	ck_assert_int_eq(write(sock[1], coded.data + 20, coded.len - 20), coded.len - 20);
	ck_assert_int_eq(frame_recv(sock[0], &buf, 20, &frame, NULL, &err), 1);
}
END_TEST

START_TEST(end_in_a_frame)
{
	ck_assert_int_eq(write(sock[1], coded.data, 20), 20);
	end();
	ck_assert_int_eq(frame_recv(sock[0], &buf, 20, &frame, NULL, &err), -1);
	ck_assert_int_eq(err.code, EPIPE);
}
END_TEST

/* Whoever claims a frame of four gigabytes is refused at once, with no memory taken. */
START_TEST(oversize)
{
	unsigned char head[4];

	le_put32(head, FRAME_MAX + 1);
	ck_assert_int_eq(write(sock[1], head, 4), 4);
	ck_assert_int_eq(frame_recv(sock[0], &buf, 1000, &frame, NULL, &err), -1);
	ck_assert_uint_lt(buf.cap, 65536);
}
END_TEST

START_TEST(nobody_reads)
{
	struct str large = {0};

	str_reserve(&large, 4000000);
	memset(large.data, 0, 4000000);
	large.len = 4000000;
	ck_assert_int_eq(frame_send(sock[1], &large, -1, 20, &err), -1);
	ck_assert_int_eq(err.code, ETIMEDOUT);
	close(sock[0]);
	ck_assert_int_eq(frame_send(sock[1], &coded, -1, 20, &err), -1); /* no SIGPIPE */
	ck_assert_int_eq(err.code, EPIPE);
	str_fini(&large);
	sock[0] = dup(sock[1]);
}
END_TEST

static void *send_large(void *arg)
{
	frame_send(sock[1], arg, -1, 5000, &err);
	return NULL;
}

START_TEST(larger_than_the_socket)
{
	struct str large = {0};
	pthread_t thread;
	struct err mine;

	str_put(&large, "\0\0\0\0\1\0\0\0\0\0\0\0", 12);
	for (int i = 0; i < 300000; i++)
		str_put(&large, "0123456789", 10);
	le_put32(large.data, (uint32_t)large.len - 4);
	ck_assert_int_eq(pthread_create(&thread, NULL, send_large, &large), 0);
	ck_assert_int_eq(frame_recv(sock[0], &buf, 5000, &frame, NULL, &mine), 1);
	ck_assert_uint_eq(frame.size, large.len);
	ck_assert_mem_eq(frame.body, large.data + 12, frame.body_len);
	pthread_join(thread, NULL);
	str_fini(&large);
}
END_TEST

TCase *channel_tcase(void)
{
	TCase *tc = tcase_create("channel");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, several);
	tcase_add_test(tc, descriptor_passed);
	tcase_add_test(tc, silence);
	tcase_add_test(tc, end_in_a_frame);
	tcase_add_test(tc, oversize);
	tcase_add_test(tc, nobody_reads);
	tcase_add_test(tc, larger_than_the_socket);
	return tc;
}
