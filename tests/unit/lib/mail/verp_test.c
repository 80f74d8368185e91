/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include "lib/base/attr.h"
#include "lib/mail/verp.h"

static const struct {
	const char *delimiters, *sender, *recipient, *want;
} cases[] = {
    {"+=", "list@example.org", "joe@example.com", "list+joe=example.com@example.org"},
    {"-=", "list-owner@example.org", "a+b@x", "list-owner-a+b=x@example.org"},
    {"+=", "list", "joe@example.com", "list+joe=example.com"},
    {"+=", "list@example.org", "joe", "list+joe@example.org"},
    {"+=", "", "joe@example.com", ""},
    {"+=", "a@b@c", "d@e@f", "a@b+d@e=f@c"},
};

START_TEST(sender)
{
	struct str out = {0};

	verp_sender(&out, cases[_i].delimiters, cases[_i].sender, cases[_i].recipient);
	ck_assert_str_eq(str_text(&out), cases[_i].want);
	str_fini(&out);
}
END_TEST

START_TEST(delimiters)
{
	ck_assert(verp_delimiters_valid("+=", "-=+"));
	ck_assert(verp_delimiters_valid("--", "-=+"));
	ck_assert(!verp_delimiters_valid("+", "-=+"));
	ck_assert(!verp_delimiters_valid("", "-=+"));
	ck_assert(!verp_delimiters_valid("+=+", "-=+"));
	ck_assert(!verp_delimiters_valid("+@", "-=+"));
}
END_TEST

TCase *verp_tcase(void)
{
	TCase *tcase = tcase_create("verp");

	tcase_add_loop_test(tcase, sender, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, delimiters);
	return tcase;
}
