/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include "commands/sendmail/sendmail.h"

static const struct {
	const char *text, *addresses; /* each with a '|' behind it */
} cases[] = {
    {"root", "root|"},
    {"a@b.example, c@d.example", "a@b.example|c@d.example|"},
    {"a b c", "a|b|c|"},
    {"Some One <a@b.example>", "a@b.example|"},
    {"\"a b\"@c.example", "a b@c.example|"},
    {"team: a@b.example, c@d.example;", "a@b.example|c@d.example|"},
    {"a@b.example (comment, with comma)", "a@b.example|"},
    {"broken <a@b.example", "broken|<a@b.example|"},
    {"<x\ty", "<x|y|"},
    {"", ""},
    {" , ,", ""},
};

static void add(void *arg, const char *address)
{
	str_put_text(arg, address);
	str_put_char(arg, '|');
}

START_TEST(addresses_of_text)
{
	struct str got = {0};

	rcpt_each(slice_text(cases[_i].text), add, &got);
	ck_assert_str_eq(str_text(&got), cases[_i].addresses);
	str_fini(&got);
}
END_TEST

TCase *rcpt_each_tcase(void)
{
	TCase *tcase = tcase_create("rcpt_each");

	tcase_add_loop_test(tcase, addresses_of_text, 0, ARRAY_LEN(cases));
	return tcase;
}
