/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "suite.h"
#include "tlsmgr/tlsmgr.h"

static struct kept_chains kept;

static void teardown(void)
{
	chains_wipe(&kept);
}

START_TEST(what_was_kept_last_is_found)
{
	ck_assert_str_eq(chains_find(&kept, "a"), "");
	chains_keep(&kept, "a", "one");
	chains_keep(&kept, "b", "two");
	chains_keep(&kept, "a", "three");
	ck_assert_str_eq(chains_find(&kept, "a"), "three");
	ck_assert_str_eq(chains_find(&kept, "b"), "two");
	ck_assert_uint_eq(kept.count, 2);
}
END_TEST

START_TEST(nothing_is_kept_of_nothing)
{
	chains_keep(&kept, "", "one");
	chains_keep(&kept, "a", "");
	ck_assert_uint_eq(kept.count, 0);
}
END_TEST

START_TEST(the_oldest_makes_room)
{
	char name[16];

	for (int i = 0; i <= CHAINS_KEPT_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		chains_keep(&kept, name, "text");
	}
	ck_assert_uint_eq(kept.count, CHAINS_KEPT_MAX);
	ck_assert_str_eq(chains_find(&kept, "n0"), "");
	ck_assert_str_eq(chains_find(&kept, "n1"), "text");
}
END_TEST

TCase *chains_tcase(void)
{
	TCase *tcase = tcase_create("chains");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, what_was_kept_last_is_found);
	tcase_add_test(tcase, nothing_is_kept_of_nothing);
	tcase_add_test(tcase, the_oldest_makes_room);
	return tcase;
}
