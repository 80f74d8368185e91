/* SPDX-License-Identifier: ISC */
#include "smtp/session.h"

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
	uint64_t size = 77;

	ck_assert_uint_eq(session_parse_ehlo(slice_text(replies[_i].lines), &discard, &size),
	    replies[_i].features);
	ck_assert_uint_eq(size, replies[_i].size);
}
END_TEST

TCase *session_tcase(void)
{
	TCase *tc = tcase_create("session");

	tcase_add_loop_test(tc, parses_features, 0, (int)ARRAY_LEN(replies));
	return tc;
}
