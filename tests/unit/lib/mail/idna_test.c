/* SPDX-License-Identifier: ISC */
#include "lib/mail/idna.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/mail/suite.h"

static const struct {
	const char *domain;
	bool old;
	const char *ascii; /* NULL: none */
} cases[] = {
    {"example.com", false, "example.com"},
    {"EXAMPLE.com", false, "EXAMPLE.com"},
    {"", false, ""},
    {"m\xc3\xbcnchen.example", false, "xn--mnchen-3ya.example"},
    {"M\xc3\x9cNCHEN.example", false, "xn--mnchen-3ya.example"},
    {"mu\xcc\x88nchen.example", false, "xn--mnchen-3ya.example"},
    {"stra\xc3\x9f"
     "e.example",
        false, "xn--strae-oqa.example"},
    {"stra\xc3\x9f"
     "e.example",
        true, "strasse.example"},
    {"\xe3\x81\xbb.\xe5\xae\xb6", false, "xn--79j.xn--fct"},
    {"a\xe3\x80\x82"
     "example",
        false, "a.example"},
    {"\xff.example", false, NULL},
    {"\xc3\xbc b.example", false, NULL},
    {"\xc3\xbc_b.example", false, "xn--_b-wka.example"},
    {"\xe2\x80\xae.example", false, NULL},
    /* symbols: not in IDNA 2008, but in use */
    {"\xe2\x98\x83.example", false, "xn--n3h.example"},
    {"i\xe2\x9d\xa4.example", false, "xn--i-7iq.example"},
    {"\xe2\x98\x83\xc3\x9f.example", false, NULL},
    {"a\xe2\x80\x8d"
     "b.example",
        false, NULL},
};

START_TEST(to_ascii)
{
	char out[IDNA_MAX];
	bool ok = idna_to_ascii(cases[_i].domain, cases[_i].old, out);

	ck_assert_int_eq(ok, cases[_i].ascii != NULL);
	ck_assert_str_eq(out, cases[_i].ascii ? cases[_i].ascii : "");
}
END_TEST

START_TEST(too_long)
{
	char domain[400], out[IDNA_MAX];

	memset(domain, 'a', sizeof(domain) - 1);
	domain[sizeof(domain) - 1] = '\0';
	ck_assert(!idna_to_ascii(domain, false, out));
	memcpy(domain, "\xc3\xbc", 2);
	ck_assert(!idna_to_ascii(domain, false, out));
	ck_assert_str_eq(out, "");
}
END_TEST

TCase *idna_tcase(void)
{
	TCase *tcase = tcase_create("idna");

	tcase_add_loop_test(tcase, to_ascii, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tcase, too_long);
	return tcase;
}
