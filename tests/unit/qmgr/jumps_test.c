/* SPDX-License-Identifier: ISC */
/* A clock that is set does not make mail older. */
#include "qmgr/jumps.h"

#include "lib/base/attr.h"
#include "tests/unit/qmgr/suite.h"

#define DAY (86400 * INT64_C(1000000))
#define SECOND INT64_C(1000000)
enum { STEPS = 4 };

/* Mail arrives at day 100; then time passes, or the clock is set, in steps. */
static const struct {
	struct {
		int64_t passed_us, set_us;
	} steps[STEPS];
	int64_t age_us;
} cases[] = {
    {{{3 * DAY, 0}}, 3 * DAY}, {{{0, 30 * DAY}}, 0}, {{{DAY, 30 * DAY}, {DAY, 0}}, 2 * DAY},
    {{{DAY, 30 * DAY}, {DAY, -30 * DAY}, {DAY, 0}}, 3 * DAY},
    {{{DAY, 10 * DAY}, {0, 10 * DAY}, {DAY, 0}}, 2 * DAY}, {{{DAY, -10 * DAY}}, -9 * DAY},
    {{{0, 10 * DAY}, {0, -20 * DAY}, {DAY, 0}}, -9 * DAY},
    {{{DAY, 59 * SECOND}}, DAY + 59 * SECOND}, /* drift, put right */
};

START_TEST(ages)
{
	int64_t wall = 100 * DAY, mono = 5 * DAY;
	const uint64_t arrival = (uint64_t)wall;
	struct jumps jumps;

	jumps_init(&jumps, wall, mono / 1000);
	for (int i = 0; i < STEPS; i++) {
		wall += cases[_i].steps[i].passed_us;
		mono += cases[_i].steps[i].passed_us;
		jumps_look(&jumps, wall, mono / 1000);
		wall += cases[_i].steps[i].set_us;
		jumps_look(&jumps, wall, mono / 1000);
	}
	ck_assert_int_eq(jumps_age_us(&jumps, arrival, wall), cases[_i].age_us);
}
END_TEST

START_TEST(later_mail_ages_as_ever)
{
	struct jumps jumps;

	jumps_init(&jumps, 100 * DAY, 0);
	jumps_look(&jumps, 130 * DAY, 0);
	ck_assert_int_eq(jumps_age_us(&jumps, (uint64_t)(131 * DAY), 133 * DAY), 2 * DAY);
	ck_assert_int_eq(jumps_age_us(&jumps, (uint64_t)(99 * DAY), 133 * DAY), 4 * DAY);
}
END_TEST

TCase *jumps_tcase(void)
{
	TCase *tc = tcase_create("jumps");

	tcase_add_loop_test(tc, ages, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, later_mail_ages_as_ever);
	return tc;
}
