/* SPDX-License-Identifier: ISC */
#include "lib/smtp/dot.h"

#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/smtp/suite.h"

static const struct {
	const char *wire;
	const char *content;
	size_t behind; /* bytes behind the end of data */
	bool done, bare_lf, bare_cr;
} cases[] = {
    {".\r\n", "", 0, true, false, false},
    {"a\r\n.\r\n", "a\r\n", 0, true, false, false},
    {"a\r\n.\r\nQUIT\r\n", "a\r\n", 6, true, false, false},
    {"..\r\n.\r\n", ".\r\n", 0, true, false, false},
    {".a\r\n.\r\n", "a\r\n", 0, true, false, false},
    {"...\r\n.\r\n", "..\r\n", 0, true, false, false},
    {"a\r\n..b\r\nc..\r\n.\r\n", "a\r\n.b\r\nc..\r\n", 0, true, false, false},
    {"\r\n\r\n.\r\n", "\r\n\r\n", 0, true, false, false},
    {"a.\r\n.\r\n", "a.\r\n", 0, true, false, false},
    /* Nothing but CR LF . CR LF ends it. */
    {"a\n.\n", "a\n", 0, false, true, false},
    {"a\n.\r\n", "a\n", 0, false, true, false},
    {"a\r\n.\nb\r\n.\r\n", "a\r\nb\r\n", 0, true, true, false},
    {"a\r.\r\n.\r\n", "a\r.\r\n", 0, true, false, true},
    {"a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", 0, true, false, true},
    {"a\r\r\n.\r\n", "a\r\r\n", 0, true, false, true},
    {"a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", 0, true, false, true},
    {"a\r\n\r.\r\n.\r\n", "a\r\n\r.\r\n", 0, true, false, true},
    {"\n.\r\nb\r\n.\r\n", "\nb\r\n", 0, true, true, false},
    /* Behind a bare LF a dot is taken away too. */
    {"a\n..b\n.c\n...\r\n.\r\n", "a\n.b\nc\n..\r\n", 0, true, true, false},
    {"a\n.\n.\nb\r\n.\r\n", "a\nb\r\n", 0, true, true, false},
    {"a\n.\r\n.\r\n", "a\n", 0, true, true, false},
    {"a\n.\n.\r\nb\r\n.\r\n", "a\nb\r\n", 0, true, true, false},
    {"a\n.\r\r\n.\r\n", "a\n\r\r\n", 0, true, true, true},
    {"a\n.\rb\r\n.\r\n", "a\n\rb\r\n", 0, true, true, true},
    {"a\r\n..\n..\r\n.\r\n", "a\r\n.\n.\r\n", 0, true, true, false},
    {"\r.\r\nb\r\n.\r\n", "\r.\r\nb\r\n", 0, true, false, true},
    /* Not ended. */
    {"", "", 0, false, false, false},
    {"a", "a", 0, false, false, false},
    {"a\r", "a\r", 0, false, false, false},
    {"a\r\n", "a\r\n", 0, false, false, false},
    {"a\r\n.", "a\r\n", 0, false, false, false},
    {"a\r\n.\r", "a\r\n", 0, false, false, false},
    {"a\r\n..", "a\r\n.", 0, false, false, false},
};

static void check_case(size_t i, const struct dot_decoder *d, const struct str *out, size_t eaten)
{
	ck_assert_msg(strcmp(str_text(out), cases[i].content) == 0, "case %zu", i);
	ck_assert_int_eq(d->done, cases[i].done);
	ck_assert_int_eq(d->saw_bare_lf, cases[i].bare_lf);
	ck_assert_int_eq(d->saw_bare_cr, cases[i].bare_cr);
	ck_assert_uint_eq(eaten, strlen(cases[i].wire) - cases[i].behind);
}

/* In one piece, split in two at every place, in three at every two places, byte by byte. */
START_TEST(splits)
{
	const char *wire = cases[_i].wire;
	size_t len = strlen(wire), a, b, eaten;
	struct dot_decoder d;
	struct str out = {0};

	for (a = 0; a <= len; a++) {
		for (b = a; b <= len; b++) {
			dot_decoder_init(&d);
			str_clear(&out);
			eaten = dot_decode(&d, wire, a, &out);
			if (!d.done)
				eaten += dot_decode(&d, wire + a, b - a, &out);
			if (!d.done)
				eaten += dot_decode(&d, wire + b, len - b, &out);
			check_case((size_t)_i, &d, &out, eaten);
		}
	}
	dot_decoder_init(&d);
	str_clear(&out);
	for (a = eaten = 0; a < len && !d.done; a++)
		eaten += dot_decode(&d, wire + a, 1, &out);
	check_case((size_t)_i, &d, &out, eaten);
	str_fini(&out);
}
END_TEST

START_TEST(nothing_after_the_end)
{
	struct dot_decoder d;
	struct str out = {0};

	dot_decoder_init(&d);
	ck_assert_uint_eq(dot_decode(&d, "a\r\n.\r\nb", 7, &out), 6);
	ck_assert_uint_eq(dot_decode(&d, "b", 1, &out), 0);
	ck_assert_str_eq(str_text(&out), "a\r\n");
	str_fini(&out);
}
END_TEST

static const struct {
	const char *content, *wire;
} encode_cases[] = {
    {"", ""},
    {"a\r\n", "a\r\n"},
    {".\r\n", "..\r\n"},
    {".a\r\n..b\r\nc.\r\n.", "..a\r\n...b\r\nc.\r\n.."},
    {"a\r\n\r\n.\r\n", "a\r\n\r\n..\r\n"},
    {"a.b\r\n", "a.b\r\n"},
    {"\n.\n", "\n..\n"},
};

START_TEST(encode)
{
	const char *content = encode_cases[_i].content;
	size_t len = strlen(content), a;
	struct str out = {0};
	bool start;

	for (a = 0; a <= len; a++) {
		start = true;
		str_clear(&out);
		dot_encode(&out, content, a, &start);
		dot_encode(&out, content + a, len - a, &start);
		ck_assert_str_eq(str_text(&out), encode_cases[_i].wire);
	}
	str_fini(&out);
}
END_TEST

TCase *dot_tcase(void)
{
	TCase *tc = tcase_create("dot");

	tcase_add_loop_test(tc, splits, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, nothing_after_the_end);
	tcase_add_loop_test(tc, encode, 0, ARRAY_LEN(encode_cases));
	return tc;
}
