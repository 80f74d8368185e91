/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/peer/maildrop.h"

static const struct maildrop_envelope envelope = {.version = MAILDROP_VERSION,
    .uid = 1000,
    .time_us = 1795332559000000,
    .flags = MAILDROP_8BIT,
    .sender = "a b@example.com",
    .full_name = "Some One",
    .envid = "abc",
    .ret = "HDRS",
    .orig_id = ""};
static const struct maildrop_rcpt rcpt = {
    .address = "x@example.org", .orcpt = "rfc822;x@example.org", .notify = 4};

static struct str whole_message(size_t content_len)
{
	struct maildrop_writer w = {0};
	char *content = calloc(1, content_len + 1);
	struct str out;

	ck_assert_ptr_nonnull(content);
	memset(content, 'c', content_len);
	maildrop_put_envelope(&w, &envelope);
	maildrop_put_content(&w, content, content_len);
	maildrop_put_rcpt(&w, &rcpt);
	maildrop_put_end(&w);
	free(content);
	out = w.out;
	return out;
}

/* Reads all items, fed in pieces. 1 when END was reached, 0 when bytes are missing, -1. */
static int read_all(const char *data, size_t len, size_t piece, size_t *content_out)
{
	struct maildrop_reader r = {0};
	struct maildrop_item item = {0};
	struct arena arena = {0};
	struct err err;
	int rc = 0;

	*content_out = 0;
	for (size_t at = 0; at < len && rc >= 0; at += piece) {
		maildrop_feed(&r, data + at, len - at < piece ? len - at : piece);
		while ((rc = maildrop_next(&r, &arena, &item, &err)) == 1)
			*content_out += item.type == MAILDROP_CONTENT ? item.content.len : 0;
	}
	rc = rc < 0 ? -1 : r.last == MAILDROP_END;
	maildrop_reader_fini(&r);
	arena_fini(&arena);
	return rc;
}

START_TEST(round_trip)
{
	static const size_t sizes[] = {0, 1, 100, MAILDROP_CHUNK, MAILDROP_CHUNK + 1, 1000000};
	struct str m = whole_message(sizes[_i]);
	size_t content;

	ck_assert_int_eq(read_all(m.data, m.len, 4096, &content), 1);
	ck_assert_uint_eq(content, sizes[_i]);
	ck_assert_int_eq(read_all(m.data, m.len, m.len, &content), 1);
	str_fini(&m);
}
END_TEST

START_TEST(fields)
{
	struct str m = whole_message(3);
	struct maildrop_reader r = {0};
	struct maildrop_item item;
	struct arena arena = {0};
	struct err err;

	maildrop_feed(&r, m.data, m.len);
	ck_assert_int_eq(maildrop_next(&r, &arena, &item, &err), 1);
	ck_assert_int_eq(item.type, MAILDROP_ENVELOPE);
	ck_assert_str_eq(item.env.sender, envelope.sender);
	ck_assert_str_eq(item.env.full_name, envelope.full_name);
	ck_assert_uint_eq(item.env.uid, 1000);
	ck_assert_int_eq(maildrop_next(&r, &arena, &item, &err), 1);
	ck_assert_int_eq(item.type, MAILDROP_CONTENT);
	ck_assert_mem_eq(item.content.data, "ccc", 3);
	ck_assert_int_eq(maildrop_next(&r, &arena, &item, &err), 1);
	ck_assert_int_eq(item.type, MAILDROP_RCPT);
	ck_assert_str_eq(item.rcpt.address, rcpt.address);
	ck_assert_uint_eq(item.rcpt.notify, 4);
	ck_assert_int_eq(maildrop_next(&r, &arena, &item, &err), 1);
	ck_assert_int_eq(item.type, MAILDROP_END);
	ck_assert_int_eq(maildrop_next(&r, &arena, &item, &err), 0);
	maildrop_reader_fini(&r);
	arena_fini(&arena);
	str_fini(&m);
}
END_TEST

/* Whatever is cut off or changed, it is never a whole message. */
START_TEST(torn_anywhere)
{
	struct str m = whole_message(50);
	size_t content;

	for (size_t len = 0; len < m.len; len++)
		ck_assert_int_ne(read_all(m.data, len, 64, &content), 1);
	str_fini(&m);
}
END_TEST

START_TEST(changed_anywhere)
{
	struct str m = whole_message(50);
	size_t content;

	for (size_t at = 0; at < m.len; at++) {
		m.data[at] ^= 0x41;
		ck_assert_msg(read_all(m.data, m.len, 64, &content) != 1, "byte %zu", at);
		m.data[at] ^= 0x41;
	}
	str_fini(&m);
}
END_TEST

/* What would be two lines in a log or in SMTP. */
START_TEST(control_characters)
{
	static const struct {
		struct maildrop_envelope env;
		struct maildrop_rcpt rcpt;
	} bad[] = {
	    {{.sender = "a\nb"}, {.address = "x"}},
	    {{.full_name = "a\rb"}, {.address = "x"}},
	    {{.envid = "a\tb"}, {.address = "x"}},
	    {{.ret = "a\x7f"}, {.address = "x"}},
	    {{.orig_id = "A\n"}, {.address = "x"}},
	    {{.sender = "a"}, {.address = "x\ny"}},
	    {{.sender = "a"}, {.address = "x", .orcpt = "\x01"}},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct maildrop_writer w = {0};
		struct maildrop_envelope env = bad[i].env;
		size_t content;

		env.version = MAILDROP_VERSION;
		maildrop_put_envelope(&w, &env);
		maildrop_put_rcpt(&w, &bad[i].rcpt);
		maildrop_put_end(&w);
		ck_assert_msg(read_all(w.out.data, w.out.len, 64, &content) == -1, "case %zu", i);
		maildrop_writer_fini(&w);
	}
}
END_TEST

/* A million recipients are many; a million long ones are more than a reader should keep. */
START_TEST(recipients_are_bounded)
{
	struct maildrop_writer w = {0};
	const struct maildrop_envelope env = {.version = MAILDROP_VERSION};
	struct maildrop_reader r = {0};
	struct maildrop_item item;
	struct arena arena = {0};
	struct err err;
	char address[2001];
	int count = 0, rc = 1;

	memset(address, 'a', 2000);
	address[2000] = '\0';
	maildrop_put_envelope(&w, &env);
	while (rc == 1 && count < 1000000) {
		const struct maildrop_rcpt long_one = {.address = address, .orcpt = address};

		maildrop_put_rcpt(&w, &long_one);
		maildrop_feed(&r, w.out.data, w.out.len);
		str_clear(&w.out);
		while ((rc = maildrop_next(&r, &arena, &item, &err)) == 1)
			arena_reset(&arena);
		rc = rc == 0;
		count++;
	}
	ck_assert_int_gt(count, 10000);
	ck_assert_int_lt(count, 50000);
	maildrop_writer_fini(&w);
	maildrop_reader_fini(&r);
	arena_fini(&arena);
}
END_TEST

START_TEST(something_behind)
{
	struct str m = whole_message(50);
	size_t content;

	str_put_char(&m, 'x');
	ck_assert_int_eq(read_all(m.data, m.len, m.len, &content), -1);
	str_fini(&m);
}
END_TEST

START_TEST(wrong_order)
{
	struct maildrop_writer w = {0};
	size_t content;

	maildrop_put_rcpt(&w, &rcpt);
	ck_assert_int_eq(read_all(w.out.data, w.out.len, w.out.len, &content), -1);
	maildrop_writer_fini(&w);
	maildrop_put_envelope(&w, &envelope);
	maildrop_put_envelope(&w, &envelope);
	ck_assert_int_eq(read_all(w.out.data, w.out.len, w.out.len, &content), -1);
	maildrop_writer_fini(&w);
	maildrop_put_end(&w);
	ck_assert_int_eq(read_all(w.out.data, w.out.len, w.out.len, &content), -1);
	maildrop_writer_fini(&w);
}
END_TEST

START_TEST(long_record_is_refused_at_once)
{
	unsigned char head[12] = {0};
	size_t content;

	le_put32(head, MAILDROP_FRAME_MAX + 1);
	ck_assert_int_eq(read_all((const char *)head, 4, 4, &content), -1);
}
END_TEST

START_TEST(flags_and_version)
{
	struct maildrop_envelope odd = envelope;
	struct maildrop_writer w = {0};
	size_t content;

	odd.flags = MAILDROP_FLAGS + 1;
	maildrop_put_envelope(&w, &odd);
	ck_assert_int_eq(read_all(w.out.data, w.out.len, w.out.len, &content), -1);
	maildrop_writer_fini(&w);
	odd = envelope;
	odd.version++;
	maildrop_put_envelope(&w, &odd);
	ck_assert_int_eq(read_all(w.out.data, w.out.len, w.out.len, &content), -1);
	maildrop_writer_fini(&w);
}
END_TEST

TCase *maildrop_tcase(void)
{
	TCase *tcase = tcase_create("maildrop");

	tcase_add_loop_test(tcase, round_trip, 0, 6);
	tcase_add_test(tcase, fields);
	tcase_add_test(tcase, torn_anywhere);
	tcase_add_test(tcase, changed_anywhere);
	tcase_add_test(tcase, something_behind);
	tcase_add_test(tcase, control_characters);
	tcase_add_test(tcase, recipients_are_bounded);
	tcase_add_test(tcase, wrong_order);
	tcase_add_test(tcase, long_record_is_refused_at_once);
	tcase_add_test(tcase, flags_and_version);
	return tcase;
}
