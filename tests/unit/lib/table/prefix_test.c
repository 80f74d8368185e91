/* SPDX-License-Identifier: ISC */
#include "lib/table/prefix.h"

#include "lib/base/attr.h"
#include "tests/unit/lib/table/suite.h"

static const struct prefix_case {
	const char *text, *address;
	int answer; /* -1: the prefix is refused */
} cases[] = {
    {"192.0.2.0/24", "192.0.2.255", 1},
    {"192.0.2.0/24", "192.0.3.0", 0},
    {"192.0.2.128/25", "192.0.2.127", 0},
    {"192.0.2.128/25", "192.0.2.128", 1},
    {"192.0.2.1", "192.0.2.1", 1},
    {"192.0.2.1", "192.0.2.2", 0},
    {"0.0.0.0/0", "8.8.8.8", 1},
    {"0.0.0.0/0", "::1", 0},
    {"::/0", "::1", 1},
    {"[::1]/128", "::1", 1},
    {"[2001:db8::]/32", "2001:db8:ffff::1", 1},
    {"[2001:db8::/32]", "2001:db8::1", 1},
    {"2001:db8::/33", "2001:db8:8000::1", 0},
    {"2001:0db8:0::/32", "2001:DB8::1", 1},
    {"192.0.2.1/24", "192.0.2.1", -1},
    {"2001:db8::1/32", "::1", -1},
    {"192.0.2.0/33", "::1", -1},
    {"192.0.2.0/", "::1", -1},
    {"192.0.2.0/-1", "::1", -1},
    {"192.0.2", "::1", -1},
    {"", "::1", -1},
    {"/8", "::1", -1},
    {"example.com", "::1", -1},
    {"[192.0.2.0", "::1", -1},
};

START_TEST(match)
{
	const struct prefix_case *c = &cases[_i];
	struct prefix prefix, address;
	struct err err;
	int rc = prefix_parse(slice_text(c->text), &prefix, &err);

	ck_assert_int_eq(rc, c->answer < 0 ? -1 : 0);
	if (c->answer >= 0) {
		ck_assert(prefix_parse_address(c->address, &address));
		ck_assert_int_eq(prefix_match(&prefix, &address), c->answer);
	}
}
END_TEST

START_TEST(advice)
{
	struct prefix prefix;
	struct err err;

	ck_assert_int_eq(prefix_parse(slice_text("10.1.1.1/8"), &prefix, &err), -1);
	ck_assert_str_eq(err.text, "non-null host address bits in \"10.1.1.1/8\", perhaps you "
	                           "should use \"10.0.0.0/8\" instead");
}
END_TEST

TCase *prefix_tcase(void)
{
	TCase *tcase = tcase_create("prefix");

	tcase_add_loop_test(tcase, match, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, advice);
	return tcase;
}
