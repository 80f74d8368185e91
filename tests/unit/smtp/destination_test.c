/* SPDX-License-Identifier: ISC */
#include "smtp/destination.h"

#include "lib/base/attr.h"
#include "tests/unit/smtp/suite.h"

static const struct {
	const char *text, *host; /* NULL: refused */
	unsigned port;
	bool direct, is_unix;
} cases[] = {
    {"example.com", "example.com", 25, false, false},
    {"example.com:587", "example.com", 587, false, false},
    {"[mail.example.com]", "mail.example.com", 25, true, false},
    {"[mail.example.com]:2525", "mail.example.com", 2525, true, false},
    {"[192.0.2.1]:26", "192.0.2.1", 26, true, false},
    {"192.0.2.1", "192.0.2.1", 25, true, false},
    {"[2001:db8::1]", "2001:db8::1", 25, true, false},
    {"[ipv6:2001:db8::1]:26", "2001:db8::1", 26, true, false},
    {"[IPv6:::1]", "::1", 25, true, false},
    {"2001:db8::1", "2001:db8::1", 25, true, false},
    {"inet:[127.0.0.1]:24", "127.0.0.1", 24, true, false},
    {"inet:mail.example.com:24", "mail.example.com", 24, false, false},
    {"unix:/run/lmtp", "/run/lmtp", 25, true, true},
    {"", NULL, 0, false, false},
    {":25", NULL, 0, false, false},
    {"[]:25", NULL, 0, false, false},
    {"[host", NULL, 0, false, false},
    {"[host]25", NULL, 0, false, false},
    {"[host]:", NULL, 0, false, false},
    {"host:", NULL, 0, false, false},
    {"host:99999", NULL, 0, false, false},
    {"host:no-such-port", NULL, 0, false, false},
    {"unix:", NULL, 0, false, false},
};

START_TEST(parses)
{
	struct arena arena = {0};
	struct destination d;
	struct err err;
	int rc = destination_parse(cases[_i].text, 25, &arena, &d, &err);

	ck_assert_msg(rc == (cases[_i].host ? 0 : -1), "\"%s\"", cases[_i].text);
	if (rc == 0) {
		ck_assert_str_eq(d.host, cases[_i].host);
		ck_assert_uint_eq(d.port, cases[_i].port);
		ck_assert_int_eq(d.direct, cases[_i].direct);
		ck_assert_int_eq(d.is_unix, cases[_i].is_unix);
	}
	arena_fini(&arena);
}
END_TEST

START_TEST(splits_lists)
{
	const char *cursor = " a.example,[b]:25 \t c ";
	struct arena arena = {0};

	ck_assert_str_eq(destination_next(&cursor, &arena), "a.example");
	ck_assert_str_eq(destination_next(&cursor, &arena), "[b]:25");
	ck_assert_str_eq(destination_next(&cursor, &arena), "c");
	ck_assert_ptr_null(destination_next(&cursor, &arena));
	arena_fini(&arena);
}
END_TEST

TCase *destination_tcase(void)
{
	TCase *tc = tcase_create("destination");

	tcase_add_loop_test(tc, parses, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, splits_lists);
	return tc;
}
