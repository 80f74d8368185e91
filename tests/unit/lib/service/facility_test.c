/* SPDX-License-Identifier: ISC */
#include "lib/service/facility.h"

#include <syslog.h>

#include "tests/unit/lib/service/suite.h"

static const struct {
	const char *name;
	int value;
} cases[] = {
    {"mail", LOG_MAIL},
    {"local3", LOG_LOCAL3},
    {"daemon", LOG_DAEMON},
    {"", LOG_MAIL},
    {"nonsense", LOG_MAIL},
};

START_TEST(names)
{
	ck_assert_int_eq(service_facility(cases[_i].name), cases[_i].value);
}
END_TEST

TCase *facility_tcase(void)
{
	TCase *tc = tcase_create("facility");

	tcase_add_loop_test(tc, names, 0, sizeof(cases) / sizeof(cases[0]));
	return tc;
}
