/* SPDX-License-Identifier: ISC */
#include "lib/sasl/mechanism.h"

#include "tests/unit/lib/sasl/suite.h"

static const struct {
	const char *offered;
	unsigned wanted;
	bool bearer;
	const char *chosen; /* NULL: none */
} cases[] = {
    {"PLAIN LOGIN", 0, false, "PLAIN"},
    {"LOGIN PLAIN", SASL_NOANONYMOUS, false, "PLAIN"},
    {"LOGIN", 0, false, "LOGIN"},
    {"PLAIN LOGIN CRAM-MD5", 0, false, "CRAM-MD5"},
    {"plain cram-md5  scram-sha-1 scram-sha-256", 0, false, "SCRAM-SHA-256"},
    {"PLAIN LOGIN", SASL_NOPLAINTEXT, false, NULL},
    {"PLAIN XOAUTH2 LOGIN", SASL_NOPLAINTEXT, true, NULL},
    {"PLAIN CRAM-MD5", SASL_NOPLAINTEXT, false, "CRAM-MD5"},
    {"PLAIN CRAM-MD5 SCRAM-SHA-1", SASL_MUTUAL_AUTH, false, "SCRAM-SHA-1"},
    {"PLAIN CRAM-MD5", SASL_MUTUAL_AUTH, false, NULL},
    {"SCRAM-SHA-256", SASL_FORWARD_SECRECY, false, NULL},
    {"PLAIN XOAUTH2 OAUTHBEARER", 0, false, "PLAIN"},
    {"PLAIN XOAUTH2 OAUTHBEARER", 0, true, "OAUTHBEARER"},
    {"XOAUTH2", 0, false, "XOAUTH2"},
    {"PLAIN", 0, true, NULL},
    {"GSSAPI NTLM ANONYMOUS", 0, false, NULL},
    {"PLAINX XPLAIN", 0, false, NULL},
    {"SCRAM-SHA-256-PLUS", 0, false, NULL},
    {"", 0, false, NULL},
};

START_TEST(choose)
{
	const struct sasl_mechanism *m = sasl_mechanism_choose(
	    slice_text(cases[_i].offered), cases[_i].wanted, cases[_i].bearer);

	if (cases[_i].chosen)
		ck_assert_str_eq(m ? m->name : "none", cases[_i].chosen);
	else
		ck_assert_ptr_null(m);
}
END_TEST

START_TEST(by_name)
{
	ck_assert_ptr_null(sasl_mechanism_find(slice_text("DIGEST-MD5")));
	for (size_t i = 0; sasl_mechanism_at(i); i++)
		ck_assert_ptr_eq(sasl_mechanism_find(slice_text(sasl_mechanism_at(i)->name)),
		    sasl_mechanism_at(i));
}
END_TEST

TCase *mechanism_tcase(void)
{
	TCase *tc = tcase_create("mechanism");

	tcase_add_loop_test(tc, choose, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, by_name);
	return tc;
}
