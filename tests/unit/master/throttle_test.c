/* SPDX-License-Identifier: ISC */
#include "master/throttle.h"

#include "tests/unit/master/suite.h"

START_TEST(pauses_grow_up_to_the_bound)
{
	static const int expected[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct throttle t = {0};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		ck_assert_int_eq(throttle_failed(&t, 60), expected[i]);
	throttle_succeeded(&t);
	ck_assert_int_eq(throttle_failed(&t, 60), 1);
	/* the bound may have become smaller by a reload */
	ck_assert_int_eq(throttle_failed(&t, 1), 1);
	ck_assert_int_eq(throttle_failed(&t, 0), 1);
}
END_TEST

static const struct {
	const char *what;
	struct ending ending;
	enum verdict verdict;
} cases[] = {
    {"idle too long", {true, false, true, 0, 100000}, VERDICT_GOOD},
    {"max_use", {true, false, true, 100, 9000}, VERDICT_GOOD},
    {"fails at start", {false, false, false, 0, 5}, VERDICT_FAILED},
    {"killed while idle", {false, false, true, 0, 50000}, VERDICT_FAILED},
    {"a session crashes", {false, false, true, 1, 5}, VERDICT_NEITHER},
    {"a loop crashes at its first client", {false, true, true, 3, 100}, VERDICT_FAILED},
    {"a loop crashes after a while", {false, true, true, 3, 60000}, VERDICT_NEITHER},
    {"a loop ends by reload", {true, true, true, 3, 100}, VERDICT_GOOD},
    {"ends at once, content", {true, false, true, 0, 10}, VERDICT_FAILED},
    {"a loop ends at once, content", {true, true, true, 0, 10}, VERDICT_FAILED},
    {"ends before it is ready, on a busy host", {true, false, false, 0, 3000}, VERDICT_FAILED},
};

START_TEST(endings)
{
	ck_assert_msg(throttle_judge(&cases[_i].ending) == cases[_i].verdict, "%s", cases[_i].what);
}
END_TEST

TCase *throttle_tcase(void)
{
	TCase *tc = tcase_create("throttle");

	tcase_add_test(tc, pauses_grow_up_to_the_bound);
	tcase_add_loop_test(tc, endings, 0, sizeof(cases) / sizeof(cases[0]));
	return tc;
}
