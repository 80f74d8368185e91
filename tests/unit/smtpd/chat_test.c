/* SPDX-License-Identifier: ISC */
#include "smtpd/smtpd.h"
#include "suite.h"

static const struct {
	const char *text;
	bool valid;
} utf8_cases[] = {
    {"", true},
    {"plain", true},
    {"\xc3\xbc", true},
    {"\xe2\x82\xac", true},
    {"\xf0\x9f\x98\x80", true},
    {"\xc3", false},
    {"\x80", false},
    {"\xff", false},
    {"\xc0\xaf", false},         /* overlong */
    {"\xe0\x80\xaf", false},     /* overlong */
    {"\xed\xa0\x80", false},     /* surrogate */
    {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
    {"\xf8\x88\x80\x80\x80", false},
};

START_TEST(utf8)
{
	ck_assert_int_eq(chat_utf8_valid(slice_text(utf8_cases[_i].text)), utf8_cases[_i].valid);
}
END_TEST

static const struct {
	const char *text;
	size_t len;
	const char *escaped;
} escape_cases[] = {
    {"GET / HTTP/1.1", 14, "GET / HTTP/1.1"},
    {"a\r\n\t\\", 5, "a\\r\\n\\t\\\\"},
    {"\026\003\001\000", 4, "\\026\\003\\001\\000"},
    {"\xff", 1, "\\377"},
};

START_TEST(escape)
{
	struct str out = {0};

	chat_escape(&out, slice_of(escape_cases[_i].text, escape_cases[_i].len), 100);
	ck_assert_str_eq(str_text(&out), escape_cases[_i].escaped);
	str_fini(&out);
}
END_TEST

TCase *chat_tcase(void)
{
	TCase *tcase = tcase_create("chat");

	tcase_add_loop_test(tcase, utf8, 0, ARRAY_LEN(utf8_cases));
	tcase_add_loop_test(tcase, escape, 0, ARRAY_LEN(escape_cases));
	return tcase;
}
