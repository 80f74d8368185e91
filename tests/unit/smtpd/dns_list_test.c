/* SPDX-License-Identifier: ISC */
#include "smtpd/dns_list.h"
#include "suite.h"

static const struct {
	const char *filter;
	int matches; /* 127.0.0.4 */
} filters[] = {
    {"127.0.0.4", 1},
    {"127.0.0.3", 0},
    {"127.0.0.[2;4..6]", 1},
    {"[0..255].[0;1].0.[5..9]", 0},
    {"127.0.0", -1},
    {"127.0.0.4.1", -1},
    {"127.0.0.256", -1},
    {"127.0.0.[4", -1},
    {"127.0.0.[6..4]", -1},
    {"127.0.0.[]", -1},
    {"", -1},
};

START_TEST(filter)
{
	ck_assert_int_eq(
	    rbl_filter_matches(filters[_i].filter, (const unsigned char[4]){127, 0, 0, 4}),
	    filters[_i].matches);
}
END_TEST

TCase *dns_list_tcase(void)
{
	TCase *tcase = tcase_create("dns_list");

	tcase_add_loop_test(tcase, filter, 0, ARRAY_LEN(filters));
	return tcase;
}
