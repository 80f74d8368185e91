/* SPDX-License-Identifier: ISC */
#include "lib/mail/date.h"

#include <stdlib.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/mail/suite.h"

static const struct {
	const char *zone;
	time_t when;
	const char *text;
} cases[] = {
    {"UTC0", 1795328816, "Sun, 22 Nov 2026 06:26:56 +0000 (UTC)"},
    {"UTC0", 0, "Thu,  1 Jan 1970 00:00:00 +0000 (UTC)"},
    {"CET-1", 1795328816, "Sun, 22 Nov 2026 07:26:56 +0100 (CET)"},
    {"EST5", 1795328816, "Sun, 22 Nov 2026 01:26:56 -0500 (EST)"},
    {"IST-5:30", 1795328816, "Sun, 22 Nov 2026 11:56:56 +0530 (IST)"},
    {"NST3:30", 1795328816, "Sun, 22 Nov 2026 02:56:56 -0330 (NST)"},
};

START_TEST(date)
{
	char out[MAIL_DATE_MAX];

	setenv("TZ", cases[_i].zone, 1);
	tzset();
	mail_date(out, cases[_i].when);
	ck_assert_str_eq(out, cases[_i].text);
}
END_TEST

TCase *date_tcase(void)
{
	TCase *tc = tcase_create("date");

	tcase_add_loop_test(tc, date, 0, ARRAY_LEN(cases));
	return tc;
}
