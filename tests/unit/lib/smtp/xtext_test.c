/* SPDX-License-Identifier: ISC */
#include "lib/smtp/command.h"

#include "lib/base/attr.h"
#include "tests/unit/lib/smtp/suite.h"

static const struct {
	const char *coded, *plain; /* plain NULL: malformed */
	bool canonical;            /* encoding gives `coded` back */
} cases[] = {
    {"", "", true},
    {"joe@example.com", "joe@example.com", true},
    {"a+2Bb", "a+b", true},
    {"a+3Db", "a=b", true},
    {"a+20b", "a b", true},
    {"+C3+BC", "\xc3\xbc", true},
    {"+7F", "\x7f", true},
    {"a+2bb", "a+b", false},
    {"+41", "A", false},
    {"+", NULL, false},
    {"a+2", NULL, false},
    {"a+2G", NULL, false},
    {"+00", NULL, false},
    {"a b", NULL, false},
    {"a=b", "a=b", false},
    {"\xc3\xbc", NULL, false},
    {"\x7f", NULL, false},
};

START_TEST(xtext)
{
	struct str out = {0};
	bool good = smtp_xtext_decode(slice_text(cases[_i].coded), &out);

	ck_assert_int_eq(good, cases[_i].plain != NULL);
	if (good)
		ck_assert_str_eq(str_text(&out), cases[_i].plain);
	if (cases[_i].canonical) {
		str_clear(&out);
		smtp_xtext_encode(&out, cases[_i].plain);
		ck_assert_str_eq(str_text(&out), cases[_i].coded);
	}
	str_fini(&out);
}
END_TEST

TCase *xtext_tcase(void)
{
	TCase *tc = tcase_create("xtext");

	tcase_add_loop_test(tc, xtext, 0, ARRAY_LEN(cases));
	return tc;
}
