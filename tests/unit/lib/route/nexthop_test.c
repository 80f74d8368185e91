/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "lib/route/route.h"
#include "tests/unit/lib/route/suite.h"

static const struct {
	const char *text, *transport, *nexthop;
} cases[] = {
    {"", "", ""},
    {"smtp", "smtp", ""},
    {"smtp:", "smtp", ""},
    {":", "", ""},
    {":[gw]:25", "", "[gw]:25"},
    {"smtp:gw", "smtp", "gw"},
    {"smtp:[gw]:587", "smtp", "[gw]:587"},
    {"smtp:gw:587", "smtp", "gw:587"},
    {"[gw]:25", "", "[gw]:25"},
    {"[2001:db8::1]:25", "", "[2001:db8::1]:25"},
    {"host:25", "", "host:25"},
    {"lmtp:unix:/run/x", "lmtp", "unix:/run/x"},
    {"inet:host:24", "inet", "host:24"},
    {"error:5.1.1 no: really", "error", "5.1.1 no: really"},
};

START_TEST(nexthop)
{
	struct arena arena = {0};
	const char *transport, *hop;

	route_split_nexthop(cases[_i].text, &arena, &transport, &hop);
	ck_assert_str_eq(transport, cases[_i].transport);
	ck_assert_str_eq(hop, cases[_i].nexthop);
	arena_fini(&arena);
}
END_TEST

TCase *nexthop_tcase(void)
{
	TCase *tc = tcase_create("nexthop");

	tcase_add_loop_test(tc, nexthop, 0, ARRAY_LEN(cases));
	return tc;
}
