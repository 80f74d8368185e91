/* SPDX-License-Identifier: ISC */
#include "smtp/ehlo.h"

#include "lib/base/attr.h"
#include "tests/unit/smtp/suite.h"

static const char *const discard_items[] = {"dsn", "chunking"};

static const struct {
	const char *lines;
	unsigned features;
	uint64_t size;
} replies[] = {
    {"250 host", FEATURE_ESMTP, 0},
    {"250-host\n250-PIPELINING\n250 8BITMIME",
        FEATURE_ESMTP | FEATURE_PIPELINING | FEATURE_8BITMIME, 0},
    {"250-host\n250 SIZE 1000", FEATURE_ESMTP | FEATURE_SIZE, 1000},
    {"250-host\n250 size", FEATURE_ESMTP | FEATURE_SIZE, 0},
    {"250-host\n250 SIZE x1", FEATURE_ESMTP | FEATURE_SIZE, 0},
    {"250-host\n250 SIZE 99999999999999999999999", FEATURE_ESMTP | FEATURE_SIZE, 0},
    {"250-host\n250 AUTH=PLAIN", FEATURE_ESMTP | FEATURE_AUTH, 0},
    {"250-host\n250-DSN\n250-X-ANY thing\n250 chunking", FEATURE_ESMTP, 0},
    {"250-PIPELINING\n250", FEATURE_ESMTP, 0},
    {"", FEATURE_ESMTP, 0},
};

START_TEST(parses_features)
{
	struct conf_list discard = {discard_items, 2};
	struct ehlo ehlo;

	ehlo_parse(slice_text(replies[_i].lines), &discard, &ehlo);
	ck_assert_uint_eq(ehlo.features, replies[_i].features);
	ck_assert_uint_eq(ehlo.size_limit, replies[_i].size);
}
END_TEST

START_TEST(parses_words_and_limits)
{
	struct conf_list none = {0};
	struct ehlo ehlo;

	ehlo_parse(
	    slice_text("250-x\n250-AUTH PLAIN login\n250-AUTH=LOGIN  CRAM-MD5\n250-XFORWARD name\n"
	               "250-LIMITS RCPTMAX=20 mailmax=5 RCPTDOMAINMAX=x OTHER=1 RCPTDOMAINMAX=0\n"
	               "250 LIMITS"),
	    &none, &ehlo);
	ck_assert_str_eq(ehlo.auth_mechanisms, "PLAIN LOGIN CRAM-MD5");
	ck_assert_str_eq(ehlo.xforward, "NAME");
	ck_assert_uint_eq(ehlo.rcpt_max, 20);
	ck_assert_uint_eq(ehlo.mail_max, 5);
	ck_assert_uint_eq(ehlo.rcpt_domain_max, 0);
}
END_TEST

TCase *session_tcase(void)
{
	TCase *tc = tcase_create("session");

	tcase_add_loop_test(tc, parses_features, 0, (int)ARRAY_LEN(replies));
	tcase_add_test(tc, parses_words_and_limits);
	return tc;
}
