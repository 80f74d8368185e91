/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <string.h>

#include "commands/sendmail/text_filter.h"

static const struct {
	const char *in, *out;
	bool dot_ends, done;
} cases[] = {
    {"", "", true, false},
    {"a\nb\n", "a\nb\n", true, false},
    {"a\nb", "a\nb\n", true, false},
    {"a\r\nb\r\n", "a\nb\n", true, false},
    {"a\rb\n", "a\rb\n", true, false},
    {"a\r\r\n", "a\r\n", true, false},
    {"a\r", "a\n", true, false},
    {"a\n.\nrest\n", "a\n", true, true},
    {"a\n.\r\nrest\n", "a\n", true, true},
    {".\n", "", true, true},
    {"a\n.", "a\n", true, true},
    {"a\n..\n", "a\n..\n", true, false},
    {"a\n.b\n", "a\n.b\n", true, false},
    {"a\n.\nrest\n", "a\n.\nrest\n", false, false},
    {"a.\n", "a.\n", true, false},
    {"From x y\nTo: z\n", "To: z\n", true, false},
    {"From x y\n>From q\nTo: z\nFrom w\n", "To: z\nFrom w\n", true, false},
    {"From \n", "", true, false},
    {"From x", "", true, false},
    {"From: x\n", "From: x\n", true, false},
    {"\nFrom x\n", "\nFrom x\n", true, false},
    {"\n\n\n", "\n\n\n", true, false},
    {"abcdefghijklm\n", "abcdefghijklm\n", true, false},
    {"a\n\rb\n", "a\n\rb\n", true, false},
};

/* The result is the same however the input is cut into pieces. */
START_TEST(in_pieces)
{
	size_t len = strlen(cases[_i].in);

	for (size_t piece = 1; piece <= len + 1; piece++) {
		struct text_filter filter;
		struct str out = {0};
		bool dot = false;

		text_filter_init(&filter, cases[_i].dot_ends, true);
		for (size_t at = 0; at < len; at += piece)
			text_filter_put(
			    &filter, cases[_i].in + at, len - at < piece ? len - at : piece, &out);
		dot = filter.done;
		text_filter_end(&filter, &out);
		ck_assert_msg(strcmp(str_text(&out), cases[_i].out) == 0,
		    "pieces of %zu: \"%s\" is not \"%s\"", piece, str_text(&out), cases[_i].out);
		ck_assert(!dot || cases[_i].done);
		str_fini(&out);
	}
}
END_TEST

START_TEST(bytes_of_all_kinds)
{
	struct text_filter filter;
	struct str in = {0}, out = {0};

	str_put(&in, "x", 1); /* not at a line's start */
	for (int c = 0; c < 256; c++)
		str_put_char(&in, (char)c);
	str_put_char(&in, '\n');
	text_filter_init(&filter, true, true);
	text_filter_put(&filter, in.data, in.len, &out);
	text_filter_end(&filter, &out);
	ck_assert_uint_eq(out.len, in.len);
	ck_assert_mem_eq(out.data, in.data, in.len);
	str_fini(&in);
	str_fini(&out);
}
END_TEST

TCase *text_filter_tcase(void)
{
	TCase *tcase = tcase_create("text_filter");

	tcase_add_loop_test(tcase, in_pieces, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tcase, bytes_of_all_kinds);
	return tcase;
}
