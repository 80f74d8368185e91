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

static const char *value(void *arg, struct slice name)
{
	(void)arg;
	return slice_eq(name, "a")      ? "A"
	       : slice_eq(name, "odd")  ? "<A\t\xff"
	       : slice_eq(name, "none") ? ""
	                                : NULL;
}

static const struct {
	const char *text, *result;
	int status;
} templates[] = {
    {"x $a y", "x A y", 0},
    {"${a}b$$", "Ab$", 0},
    {"${a?yes $a}${none?no}${none:empty}", "yes Aempty", 0},
    {"${none?{1}:{2 ${a}}}", "2 A", 0},
    {"${a?{1}:{2}}z", "1z", 0},
    {"<$odd>", "<_A\t_>", 0},
    {"$b.", ".", -1},
    {"${a", "", -1},
    {"$", "$", -1},
};

START_TEST(macros)
{
	struct str out = {0};
	bool allowed[256];

	macros_allow(allowed, "A\\t\\142");
	ck_assert(allowed['b'] && !allowed['1']);
	ck_assert_int_eq(
	    macros_expand(&out, templates[_i].text, value, NULL, allowed), templates[_i].status);
	ck_assert_str_eq(str_text(&out), templates[_i].result);
	str_fini(&out);
}
END_TEST

START_TEST(all_names)
{
	static const char *const known[] = {"reject_rbl_client", "check_sender_mx_access",
	    "check_reverse_client_hostname_ns_access", "reject_unverified_recipient",
	    "check_policy_service", "permit_mx_backup", "reject_known_sender_login_mismatch",
	    "defer_if_reject", "sleep", "permit_rhswl_client", "reject_rhsbl_reverse_client"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		ck_assert_msg(check_find(slice_text(known[i])) != NULL, "%s", known[i]);
}
END_TEST

TCase *access_tcase(void)
{
	TCase *tcase = tcase_create("access");

	tcase_add_loop_test(tcase, parse, 0, ARRAY_LEN(lists));
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, all_names);
	tcase_add_loop_test(tcase, macros, 0, ARRAY_LEN(templates));
	return tcase;
}
