/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include "lib/base/attr.h"
#include "lib/base/str.h"
#include "local/subst.h"

static const struct {
	const char *text, *want; /* want NULL: malformed */
} cases[] = {
    {"plain", "plain"},
    {"$home/.forward", "/home/joe/.forward"},
    {"${home}/x$(user)", "/home/joe/xjoe"},
    {"$home/.forward${recipient_delimiter}${extension}, $home/.forward",
        "/home/joe/.forward, /home/joe/.forward"},
    {"${extension?yes}", ""},
    {"${user?yes}", "yes"},
    {"${extension:none}", "none"},
    {"${user:none}", ""},
    {"${user?{<$user>}:{no}}", "<joe>"},
    {"${extension?{<$extension>}:{no $user}}", "no joe"},
    {"${odd}", "a_b_c"},
    {"$$x", "$x"},
    {"$unknown", NULL},
    {"${home", NULL},
    {"${user?{a}b}", NULL},
    {"${user+x}", NULL},
};

START_TEST(expand)
{
	static const struct subst_value values[] = {
	    {"home", "/home/joe"},
	    {"user", "joe"},
	    {"extension", ""},
	    {"recipient_delimiter", ""},
	    {"odd", "a;b\nc"},
	};
	const struct subst subst = {values, ARRAY_LEN(values), "/.abcdefghijklmnopqrstuvwxyz"};
	struct arena arena = {0};
	struct err err;
	const char *got = subst_expand(&subst, cases[_i].text, &arena, &err);

	if (cases[_i].want)
		ck_assert_str_eq(got, cases[_i].want);
	else
		ck_assert_ptr_null(got);
	arena_fini(&arena);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
	static const struct subst_value values[] = {{"a", "x"}};
	const struct subst subst = {values, 1, NULL};
	struct arena arena = {0};
	struct str text = {0};
	struct err err;

	for (int i = 0; i < 50; i++)
		str_put_text(&text, "${a?{");
	for (int i = 0; i < 50; i++)
		str_put_text(&text, "}}");
	ck_assert_ptr_null(subst_expand(&subst, str_text(&text), &arena, &err));
	str_fini(&text);
	arena_fini(&arena);
}
END_TEST

TCase *subst_tcase(void)
{
	TCase *tcase = tcase_create("subst");

	tcase_add_loop_test(tcase, expand, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, deep_nesting_is_refused);
	return tcase;
}
