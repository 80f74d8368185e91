/* SPDX-License-Identifier: ISC */
/*
 * What other servers take for the end of a message, or for a line end, and ours must not: a message
 * that holds such bytes stays one message, whatever pieces it comes in, by DATA and by BDAT. What
 * is queued has no line end but CR LF, so that the next server is not fooled either.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "scratch.h"
#include "suite.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t len;
	int messages; /* 2: it is an end, and the test could see it */
} cases[] = {
    {BYTES("\r\n.\r\n"), 2},
    {BYTES("\n.\n"), 1},
    {BYTES("\n.\r\n"), 1},
    {BYTES("\r\n.\n"), 1},
    {BYTES("\r\n.\r"), 1},
    {BYTES("\r.\r"), 1},
    {BYTES("\r.\r\n"), 1},
    {BYTES("\r.\n"), 1},
    {BYTES("\n.\r"), 1},
    {BYTES("\r\n.\0\r\n"), 1},
    {BYTES("\r\n\0.\r\n"), 1},
    {BYTES("\r\0\n.\r\n"), 1},
    {BYTES("\r\0\n.\r\0\n"), 1},
    {BYTES("\r\n.\r\0\n"), 1},
    {BYTES("\n\0.\n\0"), 1},
    {BYTES("\r\r\n.\n"), 1},
    {BYTES("\r\n.\r\r\n"), 1},
    {BYTES("\r\n..\r\n"), 1},
    {BYTES("\r\n. \r\n"), 1},
    {BYTES("\r\n .\r\n"), 1},
    {BYTES("\r\n.\t\r\n"), 1},
    {BYTES("\n\n.\n\n"), 1},
    {BYTES("\r\n.\v\n"), 1},
    {BYTES("\r\n.\f\r\n"), 1},
    {BYTES("\xc2\x85.\xc2\x85"), 1},
    {BYTES("\xe2\x80\xa8.\xe2\x80\xa8"), 1},
    {BYTES("\r\n\xef\xbc\x8e\r\n"), 1},
    {BYTES("\x8d\x8a.\x8d\x8a"), 1},
};

static const char inside[] = "MAIL FROM:<evil@x.example>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
                             "Smuggled: yes\r\n\r\nx";
static const size_t pieces[] = {65536, 1, 2, 3, 5, 7, 64, 97};

struct input {
	const char *data;
	size_t len, piece;
};

static long input_read(struct stream *s, void *buf, size_t len, short *wait_for)
{
	struct input *in = s->ops_state;
	size_t n = MIN(MIN(in->len, in->piece), len);

	(void)wait_for;
	memcpy(buf, in->data, n);
	in->data += n;
	in->len -= n;
	return (long)n;
}

static long output_drop(struct stream *s, const void *buf, size_t len, short *wait_for)
{
	(void)s;
	(void)buf;
	(void)wait_for;
	return (long)len;
}

static void converse(struct scratch *scratch, const struct str *text, size_t piece)
{
	static const struct stream_ops ops = {.read = input_read, .write = output_drop};
	struct input in = {text->data, text->len, piece};
	struct session s;

	session_init(&s, &scratch->server, -1);
	s.stream.ops = &ops;
	s.stream.ops_state = &in;
	peer_set(&scratch->server, &s.arena, &s.peer, "client.example", "192.0.2.1", "1");
	session_run(&s);
	session_fini(&s);
}

struct found {
	int count;
	struct str last;
};

static bool look(void *arg, const struct scan_item *item)
{
	struct found *found = arg;
	char buf[4096];
	ssize_t n;

	found->count++;
	str_clear(&found->last);
	n = pread(
	    item->m->fd, buf, MIN(sizeof(buf), item->m->content_len), (off_t)item->m->content_at);
	ck_assert(n > 0);
	str_put(&found->last, buf, (size_t)n);
	return true;
}

static int count_messages(struct scratch *scratch, struct str *last)
{
	struct found found = {0};
	struct err err;

	queue_scan_journal(
	    scratch->server.queue, MESSAGE_ENVELOPE | MESSAGE_CONTENT, look, &found, &err);
	*last = found.last;
	return found.count;
}

static void check_line_ends(const struct str *content)
{
	for (size_t i = 0; i < content->len; i++) {
		if (content->data[i] == '\n')
			ck_assert(i > 0 && content->data[i - 1] == '\r');
		if (content->data[i] == '\r')
			ck_assert(i + 1 < content->len && content->data[i + 1] == '\n');
	}
}

static void begin(struct str *out)
{
	str_clear(out);
	str_put_text(out, "EHLO c\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<bob@example.test>\r\n");
}

static void put_data(struct str *out, size_t i)
{
	begin(out);
	str_put_text(out, "DATA\r\nSubject: one\r\n\r\nbody");
	str_put(out, cases[i].bytes, cases[i].len);
	str_put_text(out, inside);
	str_put_text(out, "\r\n.\r\nQUIT\r\n");
}

/* The suspicious bytes lie across chunks: `at` of them in the first one. */
static void put_chunks(struct str *out, size_t i, size_t at)
{
	struct str one = {0}, two = {0};

	str_put_text(&one, "Subject: one\r\n\r\nbody");
	str_put(&one, cases[i].bytes, at);
	str_put(&two, cases[i].bytes + at, cases[i].len - at);
	str_put_text(&two, inside);
	str_put_text(&two, "\r\n.\r\n");
	begin(out);
	str_printf(out, "BDAT %zu\r\n", one.len);
	str_put(out, one.data, one.len);
	str_printf(out, "BDAT %zu LAST\r\n", two.len);
	str_put(out, two.data, two.len);
	str_put_text(out, "QUIT\r\n");
	str_fini(&one);
	str_fini(&two);
}

static const char settings[] = "smtpd_forbid_unauth_pipelining = no\n";

START_TEST(by_data)
{
	struct scratch scratch;
	struct str text = {0}, last;
	int before = 0, after;

	log_open(LOG_TO_FD, -1, 0);
	ck_assert(scratch_open(&scratch, settings));
	put_data(&text, (size_t)_i);
	for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
		converse(&scratch, &text, pieces[p]);
		after = count_messages(&scratch, &last);
		ck_assert_msg(after - before == cases[_i].messages, "pieces of %zu: %d messages",
		    pieces[p], after - before);
		check_line_ends(&last);
		str_fini(&last);
		before = after;
	}
	str_fini(&text);
	scratch_close(&scratch);
}
END_TEST

START_TEST(by_bdat)
{
	struct scratch scratch;
	struct str text = {0}, last;
	int before = 0, after;

	log_open(LOG_TO_FD, -1, 0);
	ck_assert(scratch_open(&scratch, settings));
	for (size_t at = 0; at <= cases[_i].len; at++) {
		put_chunks(&text, (size_t)_i, at);
		for (size_t p = 0; p < 3; p++) {
			converse(&scratch, &text, pieces[p]);
			after = count_messages(&scratch, &last);
			ck_assert_msg(after - before == 1, "cut at %zu, pieces of %zu: %d messages",
			    at, pieces[p], after - before);
			check_line_ends(&last);
			ck_assert(memmem(last.data, last.len, "Smuggled: yes", 13) != NULL);
			str_fini(&last);
			before = after;
		}
	}
	str_fini(&text);
	scratch_close(&scratch);
}
END_TEST

/* Whoever does not wait for the greeting does not get past the first command. */
START_TEST(early_talk)
{
	static const char hello[] = "HELO me\r\n";
	struct scratch scratch;
	struct session s;
	char said[512] = "";
	int pair[2];

	log_open(LOG_TO_FD, -1, 0);
	ck_assert(scratch_open(&scratch, ""));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(write(pair[1], hello, sizeof(hello) - 1), sizeof(hello) - 1);
	session_init(&s, &scratch.server, pair[0]);
	peer_set(&scratch.server, &s.arena, &s.peer, "client.example", "192.0.2.1", "1");
	session_run(&s);
	session_fini(&s);
	ck_assert(read(pair[1], said, sizeof(said) - 1) > 0);
	ck_assert(strncmp(said, "220 ", 4) == 0);
	ck_assert(strstr(said, "\r\n554 5.5.0 Error: SMTP protocol synchronization\r\n"));
	close(pair[1]);
	scratch_close(&scratch);
}
END_TEST

TCase *smuggling_tcase(void)
{
	TCase *tcase = tcase_create("smuggling");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, by_data, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tcase, early_talk);
	tcase_add_loop_test(tcase, by_bdat, 0, (int)ARRAY_LEN(cases));
	return tcase;
}
