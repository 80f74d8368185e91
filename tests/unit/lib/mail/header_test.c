/* SPDX-License-Identifier: ISC */
#include "lib/mail/header.h"

#include "lib/base/attr.h"
#include "tests/unit/lib/mail/suite.h"

static const struct {
	const char *line;
	size_t len;
} name_cases[] = {
    {"Subject: x", 7},
    {"Subject:", 7},
    {"Subject : x", 7},
    {"Subject\t: x", 7},
    {"X-Y_z!: x", 6},
    {"a:b", 1},
    {"", 0},
    {":", 0},
    {": x", 0},
    {"Subject", 0},
    {"Sub ject: x", 0},
    {" Subject: x", 0},
    {"From joe Mon Jan", 0},
    {"From joe 10:20", 0},
    {"S\xc3\xbcject: x", 0},
    {"Sub\x01: x", 0},
};

START_TEST(name)
{
	ck_assert_uint_eq(header_name_len(slice_text(name_cases[_i].line)), name_cases[_i].len);
}
END_TEST

/* Fields are shown as "name=value" joined by '|' , then '#' and the rest. */
static const struct {
	const char *block, *shown;
} block_cases[] = {
    {"", "#"},
    {"A: 1\r\nB: 2\r\n\r\nbody", "A=1|B=2#body"},
    {"A: 1\nB: 2\n\nbody", "A=1|B=2#body"},
    {"A: 1\n 2\n\t3\nB: 2\n\n", "A=1\n 2\n\t3|B=2#"},
    {"A:\n 1\n\nx", "A=1#x"},
    {"A:\n\nx", "A=#x"},
    {"A:1\nnot a header\nB: 2\n", "A=1#not a header\nB: 2\n"},
    {"A: 1", "A=1#"},
    {"A: 1\n ", "A=1#"},
    {" fold\nA: 1\n", "# fold\nA: 1\n"},
    {"\nA: 1\n", "#A: 1\n"},
    {"\r\n\r\n", "#\r\n"},
    {"A : 1  \r\n \r\nB:2\r\n", "A=1|B=2#"},
};

START_TEST(block)
{
	struct slice text = slice_text(block_cases[_i].block);
	struct str shown = {0};
	struct header h;
	size_t at = 0, before = 0;

	while (header_next(text, &at, &h)) {
		str_printf(&shown, "%s%.*s=%.*s", shown.len ? "|" : "", SLICE_ARG(h.name),
		    SLICE_ARG(h.value));
		ck_assert_ptr_eq(h.whole.data, text.data + before);
		before += h.whole.len;
		ck_assert_uint_eq(before, at);
	}
	str_printf(&shown, "#%s", text.data + at);
	ck_assert_str_eq(str_text(&shown), block_cases[_i].shown);
	str_fini(&shown);
}
END_TEST

START_TEST(find)
{
	struct slice text = slice_text("A: 1\nmessage-id: <x>\nMessage-ID: <y>\n\nTo: z\n");
	struct header h;

	ck_assert(header_find(text, "Message-Id", &h));
	ck_assert(slice_eq(h.value, "<x>"));
	ck_assert(!header_find(text, "To", &h));
	ck_assert(!header_find(text, "Message", &h));
}
END_TEST

START_TEST(unfold)
{
	struct str out = {0};

	header_unfold(&out, slice_text("a\r\n b\n\tc d"));
	ck_assert_str_eq(str_text(&out), "a b\tc d");
	str_fini(&out);
}
END_TEST

TCase *header_tcase(void)
{
	TCase *tc = tcase_create("header");

	tcase_add_loop_test(tc, name, 0, ARRAY_LEN(name_cases));
	tcase_add_loop_test(tc, block, 0, ARRAY_LEN(block_cases));
	tcase_add_test(tc, find);
	tcase_add_test(tc, unfold);
	return tc;
}
