/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/num.h"
#include "sample.h"
#include "suite.h"

static const struct frame_field item_fields[] = {
    FRAME_FIELD_TEXT(1, struct sample_item, name, 16),
    FRAME_FIELD_U32(2, struct sample_item, value),
};
static const struct frame_table item_table = {
    "item", item_fields, ARRAY_LEN(item_fields), sizeof(struct sample_item)};
static const struct frame_field sample_fields[] = {
    FRAME_FIELD_TEXT(1, struct sample, text, 10),
    FRAME_FIELD_U32(2, struct sample, small),
    FRAME_FIELD_U64(3, struct sample, large),
    FRAME_FIELD_STRUCT(4, struct sample, one, struct sample_item, &item_table),
    FRAME_FIELD_LIST(5, struct sample, items, 3, &item_table),
};
const struct frame_table sample_table = {
    "sample", sample_fields, ARRAY_LEN(sample_fields), sizeof(struct sample)};

static struct sample_item items[4] = {{"a", 1}, {"", 2}, {"ccc", 3}, {"d", 4}};
const struct sample sample = {"hello", 7, 1ULL << 40, {"one", 11}, {items, 3}};

static struct str coded;
static struct arena arena;
static struct err err;

static void setup(void)
{
	frame_encode(&coded, 5, 99, &sample_table, &sample);
}

static void teardown(void)
{
	str_fini(&coded);
	arena_fini(&arena);
}

static int decode(struct sample *out)
{
	struct frame frame;

	ck_assert_int_eq(frame_peek(coded.data, coded.len, &frame, &err), 1);
	ck_assert_uint_eq(frame.size, coded.len);
	return frame_decode(&frame, &sample_table, out, &arena, &err);
}

START_TEST(comes_back)
{
	struct sample out;
	struct sample_item *list;
	struct frame frame;
	struct str text = {0};

	ck_assert_int_eq(decode(&out), 0);
	ck_assert_str_eq(out.text, "hello");
	ck_assert_uint_eq(out.small, 7);
	ck_assert_uint_eq(out.large, 1ULL << 40);
	ck_assert_str_eq(out.one.name, "one");
	ck_assert_uint_eq(out.items.count, 3);
	list = out.items.items;
	ck_assert_str_eq(list[1].name, "");
	ck_assert_uint_eq(list[2].value, 3);
	ck_assert_int_eq(frame_peek(coded.data, coded.len, &frame, &err), 1);
	ck_assert_uint_eq(frame.type, 5);
	ck_assert_uint_eq(frame.id, 99);
	frame_print(&text, &sample_table, &out);
	ck_assert_ptr_nonnull(strstr(str_text(&text), "hello"));
	str_fini(&text);
}
END_TEST

START_TEST(more_bytes_are_needed)
{
	struct frame frame;

	for (size_t len = 0; len < coded.len; len++)
		ck_assert_int_eq(frame_peek(coded.data, len, &frame, &err), 0);
	str_put_text(&coded, "next");
	ck_assert_int_eq(frame_peek(coded.data, coded.len, &frame, &err), 1);
	ck_assert_uint_eq(frame.size, coded.len - 4);
}
END_TEST

START_TEST(not_a_frame)
{
	static const uint32_t sizes[] = {0, 7, FRAME_MAX + 1, UINT32_MAX};
	struct frame frame;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		le_put32(coded.data, sizes[i]);
		ck_assert_int_eq(frame_peek(coded.data, coded.len, &frame, &err), -1);
	}
}
END_TEST

/* A frame of hand-made fields. */
struct field {
	uint16_t tag;
	uint32_t len;
	const char *bytes; /* NULL: zeros */
};
#define NUMBERS                          \
	{2, 4, "\1\0\0\0"},              \
	{                                \
		3, 8, "\1\0\0\0\0\0\0\0" \
	}
#define ONE                                   \
	{                                     \
		4, 10, "\2\0\4\0\0\0\5\0\0\0" \
	}
static const struct {
	struct field fields[5];
	const char *why; /* NULL: fine */
	size_t extra;    /* bytes behind the last field */
} cases[] = {
    {{NUMBERS, ONE}, NULL, 0}, {{ONE, NUMBERS}, NULL, 0},       /* any order */
    {{NUMBERS, ONE, {77, 5, "later"}}, NULL, 0},                /* an unknown tag is skipped */
    {{{2, 4, "\1\0\0\0"}, ONE}, "large", 0},                    /* a missing field */
    {{NUMBERS}, "one", 0}, {{NUMBERS, {4, 0, ""}}, "value", 0}, /* ... in a struct */
    {{NUMBERS, ONE, {1, 10, "0123456789"}}, NULL, 0},
    {{NUMBERS, ONE, {1, 11, "0123456789A"}}, "at most 10", 0},
    {{NUMBERS, ONE, {1, 3, "a\0b"}}, "zero byte", 0},
    {{{2, 3, "\1\0\0"}, {3, 8, NULL}, ONE}, "no number", 0},
    {{{2, 8, NULL}, {3, 8, NULL}, ONE}, "no number", 0},
    {{NUMBERS, ONE, {5, 3, "\0\0\0"}}, "cut off", 0},
    {{NUMBERS, ONE, {5, 4, "\1\0\0\0"}}, "cut off", 0},
    {{NUMBERS, ONE, {5, 4, "\377\377\377\377"}}, "cut off", 0},
    {{NUMBERS, ONE, {5, 4, "\0\0\0\0"}}, "value", 0},
    {{NUMBERS, ONE, {5, 16, NULL}}, "at most 3", 0}, {{NUMBERS, ONE}, "", 1}, /* trailing bytes */
    {{NUMBERS, ONE}, "", 5},
    {{NUMBERS, ONE}, "", 6}, /* a field of tag 0 and length 0: unknown, skipped */
};

START_TEST(by_hand)
{
	struct sample out;
	int rc;

	str_clear(&coded);
	str_put(&coded, "\0\0\0\0\5\0\0\0\1\0\0\0", 12);
	for (const struct field *f = cases[_i].fields; f->tag; f++) {
		unsigned char head[6];

		le_put16(head, f->tag);
		le_put32(head + 2, f->len);
		str_put(&coded, head, 6);
		for (uint32_t i = 0; i < f->len; i++)
			str_put_char(&coded, f->bytes ? f->bytes[i] : '\0');
	}
	for (size_t i = 0; i < cases[_i].extra; i++)
		str_put_char(&coded, '\0');
	le_put32(coded.data, (uint32_t)coded.len - 4);
	rc = decode(&out);
	if (cases[_i].why && cases[_i].extra != 6) {
		ck_assert_int_eq(rc, -1);
		ck_assert_msg(strstr(err.text, cases[_i].why), "%s", err.text);
	} else {
		ck_assert_msg(rc == 0, "%s", err.text);
	}
}
END_TEST

/* A length that points beyond the frame is refused before it is followed. */
START_TEST(garbled)
{
	for (size_t bit = 12 * 8; bit < coded.len * 8; bit++) {
		char *exact = malloc(coded.len);
		struct sample out;
		struct frame frame;

		memcpy(exact, coded.data, coded.len);
		exact[bit / 8] ^= (char)(1 << bit % 8);
		ck_assert_int_eq(frame_peek(exact, coded.len, &frame, &err), 1);
		if (frame_decode(&frame, &sample_table, &out, &arena, &err) == 0)
			ck_assert(out.text && out.one.name && out.items.count <= 3);
		arena_reset(&arena);
		free(exact);
	}
}
END_TEST

TCase *frame_tcase(void)
{
	TCase *tc = tcase_create("frame");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, comes_back);
	tcase_add_test(tc, more_bytes_are_needed);
	tcase_add_test(tc, not_a_frame);
	tcase_add_loop_test(tc, by_hand, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, garbled);
	return tc;
}
