/* SPDX-License-Identifier: ISC */
#include "smtpd/restrict.h"
#include "suite.h"

static const struct {
	const char *text;
	bool protects;
} lists[] = {
    {"", false},
    {"permit_mynetworks", false},
    {"permit_mynetworks, reject_unauth_destination", true},
    {"permit_mynetworks\tREJECT", true},
    /* what comes too late, or only warns, protects from nothing */
    {"permit, reject_unauth_destination", false},
    {"permit_mynetworks, warn_if_reject reject_unauth_destination", false},
    {"permit_mynetworks, warn_if_reject, reject, reject", true},
    {"permit_mynetworks, warn_if_reject", false},
    {"permit_mynetworks,\n  defer_unauth_destination", true},
    {"reject_unlisted_recipient no_such_name { a, b } permit", false},
};

START_TEST(parse)
{
	struct restriction_list *list = restriction_list_parse("test", lists[_i].text);

	ck_assert_int_eq(restriction_list_protects(list, NULL), lists[_i].protects);
	restriction_list_free(&list);
	ck_assert_ptr_null(list);
	restriction_list_free(&list);
}
END_TEST

START_TEST(names)
{
	ck_assert_ptr_nonnull(check_find(slice_text("Permit_MyNetworks")));
	ck_assert_ptr_null(check_find(slice_text("permit_my")));
	ck_assert_ptr_null(check_find(slice_text("")));
}
END_TEST

TCase *access_tcase(void)
{
	TCase *tcase = tcase_create("access");

	tcase_add_loop_test(tcase, parse, 0, ARRAY_LEN(lists));
	tcase_add_test(tcase, names);
	return tcase;
}
