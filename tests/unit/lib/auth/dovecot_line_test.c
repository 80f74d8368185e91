/* SPDX-License-Identifier: ISC */
#include "lib/auth/dovecot_line.h"

#include "lib/sasl/mechanism.h"
#include "suite.h"

static struct dovecot_line line;

static enum dovecot_kind parse(const char *text)
{
	return dovecot_line_parse(slice_text(text), &line);
}

START_TEST(test_handshake)
{
	ck_assert_int_eq(parse("VERSION\t1\t2"), DOVECOT_VERSION);
	ck_assert_uint_eq(line.number, 1);
	ck_assert_int_eq(parse("MECH\tPLAIN\tplaintext"), DOVECOT_MECH);
	ck_assert_str_eq(line.name, "PLAIN");
	ck_assert_uint_eq(line.security & SASL_NOPLAINTEXT, 0);
	ck_assert_uint_ne(line.security & SASL_NOANONYMOUS, 0);
	ck_assert_int_eq(
	    parse("MECH\tGSSAPI\tmutual-auth\tforward-secrecy\tprivate\tnew"), DOVECOT_MECH);
	ck_assert_uint_eq(line.security & (SASL_MUTUAL_AUTH | SASL_FORWARD_SECRECY),
	    SASL_MUTUAL_AUTH | SASL_FORWARD_SECRECY);
	ck_assert(line.private);
	ck_assert_int_eq(parse("DONE"), DOVECOT_DONE);
	ck_assert_int_eq(parse("COOKIE\tabc"), DOVECOT_OTHER);
	ck_assert_int_eq(parse(""), DOVECOT_OTHER);
}
END_TEST

START_TEST(test_answers)
{
	ck_assert_int_eq(parse("CONT\t7\tVXNlcm5hbWU6"), DOVECOT_CONT);
	ck_assert_uint_eq(line.number, 7);
	ck_assert_str_eq(str_text(&line.data), "Username:");
	ck_assert_int_eq(parse("CONT\t7\t"), DOVECOT_CONT);
	ck_assert_uint_eq(line.data.len, 0);
	ck_assert_int_eq(parse("CONT\t7"), DOVECOT_CONT);
	ck_assert_int_eq(parse("OK\t8\tsecured\tuser=jo\001te"), DOVECOT_BAD);
	ck_assert_int_eq(parse("OK\t8\tsecured\tuser=joe\tother=x"), DOVECOT_OK);
	ck_assert_str_eq(line.user, "joe");
	ck_assert_int_eq(parse("FAIL\t9\tuser=a\001tb\treason=go\001naway\ttemp"), DOVECOT_FAIL);
	ck_assert_str_eq(line.user, "a?b");
	ck_assert_str_eq(line.reason, "go?away");
	ck_assert(line.temporary);
	ck_assert_int_eq(parse("FAIL\t9"), DOVECOT_FAIL);
	ck_assert(!line.temporary && !line.user[0]);
}
END_TEST

static const char *const bad[] = {"VERSION", "VERSION\tx", "MECH", "MECH\t", "MECH\ta b", "CONT",
    "CONT\t7\t!!!", "OK", "OK\t", "OK\t5", "OK\t5\tuser=", "OK\t5\tuser=\001", "OK\t5\tuser=\001x",
    "OK\t4294967296\tuser=joe", "OK\t-1\tuser=joe", "FAIL\tx",
    "MECH\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};

START_TEST(test_bad)
{
	ck_assert_int_eq(parse(bad[_i]), DOVECOT_BAD);
}
END_TEST

START_TEST(test_put_field)
{
	struct str out = {0};

	dovecot_put_field(&out, "service", "a\tb\001\n");
	ck_assert_str_eq(str_text(&out), "\tservice=a\001tb\0011\001n");
	str_fini(&out);
}
END_TEST

TCase *dovecot_line_tcase(void)
{
	TCase *tcase = tcase_create("dovecot_line");

	tcase_add_test(tcase, test_handshake);
	tcase_add_test(tcase, test_answers);
	tcase_add_loop_test(tcase, test_bad, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, test_put_field);
	return tcase;
}
