/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/sys/fd.h"
#include "local/local.h"

static const struct {
	const char *in;
	bool quote;
	const char *want;
} cases[] = {
    {"a\r\nb\r\n", false, "a\nb\n"},
    {"From x\r\nFrom: y\r\n", false, "From x\nFrom: y\n"},
    {"From x\r\nFrom: y\r\n", true, ">From x\nFrom: y\n"},
    {"a\r\n\r\nFrom here\r\n", true, "a\n\n>From here\n"},
    {"a From b\r\n >From c\r\n", true, "a From b\n >From c\n"},
    {">From c\r\n", true, ">From c\n"},
    {"bare\rcr\r\r\n", true, "bare\rcr\r\n"},
    {"lf\nonly\n", true, "lf\nonly\n"},
    {"no end", true, "no end"},
    {"cr at end\r", true, "cr at end\r"},
    {"Fro", true, "Fro"},
    {"From ", true, ">From "},
    {"\r\n\r\n", true, "\n\n"},
    {"", true, ""},
};

/* Each text is converted in pieces of every size: what is left over comes again in front. */
START_TEST(convert_in_pieces)
{
	const char *in = cases[_i].in;
	size_t len = strlen(in);

	for (size_t step = 1; step <= len + 1; step++) {
		struct content c = {.quote = cases[_i].quote, .line_start = true};
		struct str out = {0};
		char held[64];
		size_t have = 0, at = 0, used;

		while (at < len) {
			size_t n = MIN(step, len - at);

			memcpy(held + have, in + at, n);
			have += n;
			at += n;
			used = content_convert(&c, held, have, at == len, &out);
			memmove(held, held + used, have - used);
			have -= used;
			ck_assert_uint_lt(have, 6);
		}
		ck_assert_uint_eq(have, 0);
		ck_assert_str_eq(str_text(&out), cases[_i].want);
		str_fini(&out);
	}
}
END_TEST

static struct message message_of(const char *text)
{
	struct message m = {.fd = fileno(tmpfile()), .content_at = 3};

	m.content_len = strlen(text);
	ck_assert_int_eq(fd_pwrite_all(m.fd, "xyz", 3, 0), 0);
	ck_assert_int_eq(fd_pwrite_all(m.fd, text, strlen(text), 3), 0);
	return m;
}

START_TEST(trace)
{
	struct message m = message_of("Received: a\r\nDelivered-To: Joe@Example.com\r\n"
	                              "received: b\r\n\tfolded\r\nSubject: Delivered-To: x\r\n"
	                              "\r\nDelivered-To: body@example.com\r\n");
	struct content_trace t;
	struct arena arena = {0};

	ck_assert_int_eq(content_trace(&m, &arena, &t), 0);
	ck_assert_int_eq(t.hops, 2);
	ck_assert_uint_eq(t.delivered_count, 1);
	ck_assert(content_was_delivered_to(&t, "joe@example.com"));
	ck_assert(!content_was_delivered_to(&t, "body@example.com"));
	arena_fini(&arena);
}
END_TEST

START_TEST(long_headers)
{
	struct str text = {0};
	struct message m;
	struct content_trace t;
	struct arena arena = {0};

	for (int i = 0; i < 1000; i++)
		str_printf(&text, "X-Filler-%d: %060d\r\n", i, i);
	str_put_text(&text, "Delivered-To: late@example.com\r\n\r\nbody\r\n");
	m = message_of(str_text(&text));
	ck_assert_int_eq(content_trace(&m, &arena, &t), 0);
	ck_assert(content_was_delivered_to(&t, "LATE@example.com"));
	str_fini(&text);
	arena_fini(&arena);
}
END_TEST

START_TEST(short_record)
{
	struct message m = message_of("abc\r\n");
	struct content c;
	struct str out = {0};

	m.content_len += 10; /* more than the file has */
	content_init(&c, &m, false);
	ck_assert_int_eq(content_next(&c, &out), -1);
	content_fini(&c);
	str_fini(&out);
}
END_TEST

static const struct {
	struct maildir_stamp stamp;
	const char *tmp, *new;
} names[] = {
    {{1700000000000042, 77, 0x801, 0xabc, "mail.example.com"},
        "1700000000.M000042P77.mail.example.com", "1700000000.V801IabcM42.mail.example.com"},
    {{1700000000999999, 1, 0, 1, "a/b:c"}, "1700000000.M999999P1.a\\057b\\072c",
        "1700000000.V0I1M999999.a\\057b\\072c"},
};

START_TEST(maildir_names)
{
	char name[256];

	maildir_tmp_name(&names[_i].stamp, name, sizeof(name));
	ck_assert_str_eq(name, names[_i].tmp);
	maildir_new_name(&names[_i].stamp, name, sizeof(name));
	ck_assert_str_eq(name, names[_i].new);
}
END_TEST

TCase *content_tcase(void)
{
	TCase *tcase = tcase_create("content");

	tcase_add_loop_test(tcase, convert_in_pieces, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, trace);
	tcase_add_test(tcase, long_headers);
	tcase_add_test(tcase, short_record);
	tcase_add_loop_test(tcase, maildir_names, 0, ARRAY_LEN(names));
	return tcase;
}
