/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/io/stream.h"
#include "lib/sys/clock.h"
#include "suite.h"

static struct stream s;
static struct str line;
static int far;

static void setup(void)
{
	int sock[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	stream_init(&s, sock[0], 1000);
	far = sock[1];
	line = (struct str){0};
}

static void teardown(void)
{
	stream_fini(&s);
	str_fini(&line);
	if (far >= 0)
		close(far);
}

static void say(const char *text, size_t len)
{
	ck_assert_int_eq(write(far, text, len), (ssize_t)len);
}

static void end_of_input(void)
{
	close(far);
	far = -1;
}

static const struct {
	const char *input;
	size_t limit;
	bool keep_cr;
	enum io_result result;
	const char *line;
} lines[] = {
    {"abc\r\nx", 10, false, IO_OK, "abc"},
    {"abc\r\nx", 10, true, IO_OK, "abc\r"},
    {"abc\nx", 10, true, IO_OK, "abc"},
    {"\nx", 10, false, IO_OK, ""},
    {"\r\nx", 10, false, IO_OK, ""},
    {"a\rb\r\nx", 10, false, IO_OK, "a\rb"},
    {"a\r\r\nx", 10, false, IO_OK, "a\r"},
    {"0123456789\r\nx", 10, false, IO_OK, "0123456789"},
    {"0123456789\nx", 10, false, IO_OK, "0123456789"},
    {"0123456789A\r\nx", 10, false, IO_LONG, "0123456789"},
    {"0123456789A\nx", 10, false, IO_LONG, "0123456789"},
    {"0123456789ABCDEF\r\nx", 10, true, IO_LONG, "0123456789"},
};

/* All at once, and byte by byte: the same. What follows is still there. */
START_TEST(one_line)
{
	const char *input = lines[_i / 2].input;
	size_t len = strlen(input);
	enum io_result result;

	if (_i % 2) {
		s.timeout_ms = 0;
		for (size_t i = 0; i < len - 1; i++) {
			say(input + i, 1);
			ck_assert_int_eq(stream_fill(&s), IO_OK);
		}
		say(input + len - 1, 1);
	} else {
		say(input, len);
	}
	result = stream_read_line(&s, &line, lines[_i / 2].limit, lines[_i / 2].keep_cr);
	ck_assert_int_eq(result, lines[_i / 2].result);
	ck_assert_str_eq(str_text(&line), lines[_i / 2].line);
	str_clear(&line);
	ck_assert_int_eq(stream_read_bytes(&s, &line, 1), IO_OK);
	ck_assert_str_eq(str_text(&line), "x");
}
END_TEST

START_TEST(zero_bytes_pass)
{
	say("a\0b\r\n", 5);
	ck_assert_int_eq(stream_read_line(&s, &line, 10, false), IO_OK);
	ck_assert_uint_eq(line.len, 3);
	ck_assert_mem_eq(line.data, "a\0b", 3);
}
END_TEST

START_TEST(end_in_a_line)
{
	say("abc\r\nde", 7);
	end_of_input();
	ck_assert_int_eq(stream_read_line(&s, &line, 10, false), IO_OK);
	ck_assert_int_eq(stream_read_line(&s, &line, 10, false), IO_EOF);
	ck_assert_uint_eq(stream_buffered(&s).len, 2); /* still in the buffer */
	ck_assert_int_eq(stream_read_line(&s, &line, 10, false), IO_EOF);
}
END_TEST

static void *flood(void *arg)
{
	char block[65536];

	memset(block, 'x', sizeof(block));
	for (size_t sent = 0; sent < 10000000;) {
		ssize_t n = send(far, block, sizeof(block), MSG_NOSIGNAL);

		if (n < 0)
			return arg;
		sent += (size_t)n;
	}
	if (send(far, "\r\nnext\r\n", 8, MSG_NOSIGNAL) < 0)
		return arg;
	return NULL;
}

/* Ten megabytes without a line end cost no memory. */
START_TEST(endless_line)
{
	pthread_t thread;
	void *failed;

	ck_assert_int_eq(pthread_create(&thread, NULL, flood, &s), 0);
	ck_assert_int_eq(stream_read_line(&s, &line, 2048, false), IO_LONG);
	ck_assert_uint_eq(line.len, 2048);
	ck_assert_uint_lt(s.in.cap, 100000);
	ck_assert_int_eq(stream_read_line(&s, &line, 2048, false), IO_OK);
	ck_assert_str_eq(str_text(&line), "next");
	pthread_join(thread, &failed);
	ck_assert_ptr_null(failed);
}
END_TEST

START_TEST(silence)
{
	int64_t start = clock_mono_ms();

	s.timeout_ms = 30;
	ck_assert_int_eq(stream_read_line(&s, &line, 10, false), IO_TIMEOUT);
	ck_assert_int_ge(clock_mono_ms() - start, 30);
	say("abc\r\n", 5); /* a time-out of reading spoils nothing */
	ck_assert_int_eq(stream_read_line(&s, &line, 10, false), IO_OK);
}
END_TEST

static volatile bool stop;

static void *trickle(void *arg)
{
	while (!stop && send(far, "x", 1, MSG_NOSIGNAL) == 1)
		usleep(2000);
	return arg;
}

/* A byte now and then never makes a wait too long; the deadline ends it. */
START_TEST(trickling_peer)
{
	int64_t start = clock_mono_ms();
	pthread_t thread;

	s.timeout_ms = 500;
	s.deadline_ms = start + 80;
	ck_assert_int_eq(pthread_create(&thread, NULL, trickle, NULL), 0);
	/* within the limit, and beyond it while the rest is skipped */
	ck_assert_int_eq(stream_read_line(&s, &line, _i ? 4 : 100000, false), IO_TIMEOUT);
	ck_assert_int_ge(clock_mono_ms() - start, 80);
	ck_assert_int_lt(clock_mono_ms() - start, 5000);
	stop = true;
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(output_waits_for_input)
{
	char buf[64] = "";

	ck_assert_int_eq(stream_printf(&s, "%d %s\r\n", 250, "ok"), IO_OK);
	ck_assert_int_eq(stream_put(&s, "220 x\r\n", 7), IO_OK);
	ck_assert_int_eq(recv(far, buf, sizeof(buf), MSG_DONTWAIT), -1);
	say("QUIT\r\n", 6);
	ck_assert_int_eq(stream_read_line(&s, &line, 100, false), IO_OK); /* flushes first */
	ck_assert_int_eq(recv(far, buf, sizeof(buf), MSG_DONTWAIT), 15);
	ck_assert_str_eq(buf, "250 ok\r\n220 x\r\n");
}
END_TEST

/* A peer that does not read: the time limit, then nothing more is tried. */
START_TEST(peer_does_not_read)
{
	char block[60000];
	enum io_result result = IO_OK;

	memset(block, 'x', sizeof(block));
	s.timeout_ms = 30;
	for (int i = 0; i < 100 && result == IO_OK; i++)
		result = stream_put(&s, block, sizeof(block));
	ck_assert_int_eq(result, IO_TIMEOUT);
	ck_assert(s.failed);
	ck_assert_int_eq(stream_put(&s, "x", 1), IO_ERROR);
	ck_assert_int_eq(stream_flush(&s), IO_ERROR);
}
END_TEST

START_TEST(peer_is_gone)
{
	end_of_input();
	ck_assert_int_eq(stream_put(&s, "x", 1), IO_OK);
	ck_assert_int_eq(stream_flush(&s), IO_EOF); /* and no SIGPIPE */
	ck_assert(stream_readable(&s));
}
END_TEST

static size_t read_all(char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = recv(far, buf + len, size - len, MSG_DONTWAIT)) > 0)
		len += (size_t)n;
	return len;
}

START_TEST(files_sent)
{
	char path[] = "/tmp/postern-stream.XXXXXX", buf[64];
	int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, "0123456789", 10), 10);
	stream_put(&s, "<", 1);
	ck_assert_int_eq(stream_send_file(&s, fd, 2, 5), IO_OK);
	ck_assert_int_eq(stream_send_file(&s, fd, 0, 0), IO_OK);
	ck_assert_uint_eq(read_all(buf, sizeof(buf)), 6);
	ck_assert_mem_eq(buf, "<23456", 6);
	/* shorter than its record said: an error, no endless loop */
	ck_assert_int_eq(stream_send_file(&s, fd, 8, 5), IO_ERROR);
	ck_assert(s.failed);
	unlink(path);
	close(fd);
}
END_TEST

START_TEST(memory_given_back)
{
	char block[16384];

	memset(block, 'x', sizeof(block));
	say(block, sizeof(block));
	while (stream_buffered(&s).len < sizeof(block))
		ck_assert_int_eq(stream_fill(&s), IO_OK);
	stream_shrink(&s);
	ck_assert_uint_eq(stream_buffered(&s).len, sizeof(block)); /* unread input stays */
	stream_take(&s, sizeof(block));
	ck_assert(!stream_readable(&s));
	stream_shrink(&s);
	ck_assert_uint_eq(s.in.cap, 0);
	say("abc\r\n", 5);
	ck_assert(stream_readable(&s));
	ck_assert_int_eq(stream_read_line(&s, &line, 10, false), IO_OK);
	ck_assert_str_eq(str_text(&line), "abc");
}
END_TEST

/* sendmail -bs speaks over pipes, not sockets. */
START_TEST(pipes)
{
	struct stream in, out;
	int up[2], down[2];
	char buf[64] = "";

	ck_assert_int_eq(pipe(up), 0);
	ck_assert_int_eq(pipe(down), 0);
	stream_init(&in, up[0], 30);
	stream_init(&out, down[1], 30);
	ck_assert_int_eq(write(up[1], "EHLO x\r\nQ", 9), 9);
	ck_assert_int_eq(stream_read_line(&in, &line, 100, false), IO_OK);
	ck_assert_str_eq(str_text(&line), "EHLO x");
	ck_assert_int_eq(stream_read_line(&in, &line, 100, false), IO_TIMEOUT);
	close(up[1]);
	ck_assert_int_eq(stream_read_line(&in, &line, 100, false), IO_EOF);
	stream_put(&out, "250\r\n", 5);
	ck_assert_int_eq(stream_flush(&out), IO_OK);
	ck_assert_int_eq(read(down[0], buf, sizeof(buf)), 5);
	stream_fini(&in);
	stream_fini(&out);
	close(down[0]);
}
END_TEST

TCase *stream_tcase(void)
{
	TCase *tc = tcase_create("stream");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, one_line, 0, 2 * sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(tc, zero_bytes_pass);
	tcase_add_test(tc, end_in_a_line);
	tcase_add_test(tc, endless_line);
	tcase_add_test(tc, silence);
	tcase_add_loop_test(tc, trickling_peer, 0, 2);
	tcase_add_test(tc, output_waits_for_input);
	tcase_add_test(tc, peer_does_not_read);
	tcase_add_test(tc, peer_is_gone);
	tcase_add_test(tc, files_sent);
	tcase_add_test(tc, memory_given_back);
	tcase_add_test(tc, pipes);
	return tc;
}
