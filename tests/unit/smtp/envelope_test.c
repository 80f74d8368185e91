/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "tests/unit/smtp/fixture.h"
#include "tests/unit/smtp/suite.h"

#define ALL ">250-f\n>250-SIZE\n>250-DSN\n>250-8BITMIME\n>250-SMTPUTF8\n>250 PIPELINING\n"

/* What MAIL and RCPT say, by what the server offers. */
static const struct {
	const char *features, *sender, *envid, *ret, *orig, *orcpt;
	uint32_t notify, env_flags;
	const char *mail, *rcpt;
} cases[] = {
    {ALL, "a@b.test", "", "", "", "", 0, 0, "MAIL FROM:<a@b.test> SIZE=3",
        "RCPT TO:<user0@example.test> ORCPT=rfc822;user0@example.test"},
    {ALL, "", "", "", "", "", 0, 0, "MAIL FROM:<> SIZE=3",
        "RCPT TO:<user0@example.test> ORCPT=rfc822;user0@example.test"},
    {ALL, "a b@c.test", "", "", "", "", 0, 0, "MAIL FROM:<\"a b\"@c.test> SIZE=3",
        "RCPT TO:<user0@example.test> ORCPT=rfc822;user0@example.test"},
    {ALL, "a@b.test", "id+1=x", "HDRS", "", "rfc822;o+p@q.test", NOTIFY_SUCCESS | NOTIFY_DELAY,
        ENV_8BIT, "MAIL FROM:<a@b.test> SIZE=3 BODY=8BITMIME ENVID=id+2B1+3Dx RET=HDRS",
        "RCPT TO:<user0@example.test> ORCPT=rfc822;o+2Bp@q.test NOTIFY=SUCCESS,DELAY"},
    {ALL, "a@b.test", "", "", "first@x.test", "", NOTIFY_NEVER, 0, "MAIL FROM:<a@b.test> SIZE=3",
        "RCPT TO:<user0@example.test> ORCPT=rfc822;first@x.test NOTIFY=NEVER"},
    {ALL, "a@b.test", "", "", "", "", 0, ENV_SMTPUTF8, "MAIL FROM:<a@b.test> SIZE=3 SMTPUTF8",
        "RCPT TO:<user0@example.test> ORCPT=rfc822;user0@example.test"},
    {ALL, "a@b.test", "", "", "a b+c@x.test", "", 0, 0, "MAIL FROM:<a@b.test> SIZE=3",
        "RCPT TO:<user0@example.test> ORCPT=rfc822;\"a+20b+2Bc\"@x.test"},
    {ALL, "a@b.test", "", "", "d\xc3\xbc=@x.test", "", 0, ENV_SMTPUTF8,
        "MAIL FROM:<a@b.test> SIZE=3 SMTPUTF8",
        "RCPT TO:<user0@example.test> ORCPT=utf-8;d\xc3\xbc\\x{3D}@x.test"},
    {ALL, "a@b.test", "", "", "d\xc3\xbc@x.test", "", 0, 0, "MAIL FROM:<a@b.test> SIZE=3",
        "RCPT TO:<user0@example.test>"},
    {">250-f\n>250-REQUIRETLS\n>250 PIPELINING\n", "a@b.test", "", "", "", "", 0, ENV_REQUIRETLS,
        "MAIL FROM:<a@b.test> REQUIRETLS", "RCPT TO:<user0@example.test>"},
    /* a server without extensions gets none */
    {">250 f\n", "a@b.test", "id", "FULL", "", "rfc822;o@q.test", NOTIFY_FAILURE, ENV_8BIT,
        "MAIL FROM:<a@b.test>", "RCPT TO:<user0@example.test>"},
};

START_TEST(says_what_the_server_knows)
{
	char *script = alloc_printf(
	    ">220 f\n<EHLO\n%s<MAIL\n>250 ok\n<RCPT\n>250 ok\n<DATA\n>354 go\ndata\n>250 done\n",
	    cases[_i].features);
	struct fake_server server = fake_server_start(script);
	char *nexthop = alloc_printf("[127.0.0.1]:%u", server.port), *heard;
	char *want = alloc_printf("\n%s\n%s\nDATA\n", cases[_i].mail, cases[_i].rcpt);

	fixture_init();
	fx.sender = cases[_i].sender;
	fx.envid = cases[_i].envid;
	fx.ret = cases[_i].ret;
	fx.orig = cases[_i].orig;
	fx.orcpt = cases[_i].orcpt;
	fx.notify = cases[_i].notify;
	fixture_start();
	fixture_deliver(nexthop, 1, 0, cases[_i].env_flags, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	ck_assert_int_eq(fx.next_tells, strstr(cases[_i].features, "DSN") != NULL);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_msg(strstr(heard, want) != NULL, "%s", heard);
	free(script);
	free(heard);
	free(nexthop);
	free(want);
}
END_TEST

/* sendmail -bv: the server is asked about each recipient and gets no message. */
START_TEST(only_verifies)
{
	char *script =
	    alloc_printf(">220 f\n<EHLO\n%s<MAIL\n>250 ok\n<RCPT\n>250 2.1.5 fine\n<RCPT\n"
	                 ">550 5.1.1 no\n<RSET\n>250 ok\n<QUIT\n",
	        _i ? ">250-f\n>250 PIPELINING\n" : ">250 f\n");
	struct fake_server server = fake_server_start(script);
	char *nexthop = alloc_printf("[127.0.0.1]:%u", server.port), *heard;

	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, 2, DELIVER_KEEP, ENV_VERIFY, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	ck_assert_str_eq(fx.results[0].reason, "250 2.1.5 fine");
	ck_assert_int_eq(fx.results[1].outcome, OUTCOME_BOUNCED);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_msg(!strstr(heard, "DATA"), "%s", heard);
	ck_assert_msg(!strstr(heard, "!wanted"), "%s", heard);
	free(script);
	free(heard);
	free(nexthop);
}
END_TEST

/* RFC 8689 4.2.1: no server that keeps the promise, and none left to try */
START_TEST(needs_requiretls)
{
	struct fake_server server = fake_server_start(">220 f\n<EHLO\n>250 f\n<QUIT\n");
	char *nexthop = alloc_printf("[127.0.0.1]:%u", server.port), *heard;

	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, 1, 0, ENV_REQUIRETLS, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_BOUNCED);
	ck_assert_str_eq(fx.results[0].dsn, "5.7.30");
	ck_assert_ptr_nonnull(
	    strstr(fx.results[0].reason, "REQUIRETLS is required, but was not offered by host"));
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_msg(!strstr(heard, "MAIL"), "%s", heard);
	free(heard);
	free(nexthop);
}
END_TEST

START_TEST(needs_smtputf8)
{
	struct fake_server server = fake_server_start(">220 f\n<EHLO\n>250 f\n<QUIT\n");
	char *nexthop = alloc_printf("[127.0.0.1]:%u", server.port);

	fixture_init();
	fixture_start();
	fx.sender = "s\xc3\xa4nder@example.org";
	fixture_deliver(nexthop, 1, 0, ENV_SMTPUTF8, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_BOUNCED);
	ck_assert_str_eq(fx.results[0].dsn, "5.6.7");
	fixture_fini();
	free(fake_server_stop(&server));
	free(nexthop);
}
END_TEST

TCase *envelope_tcase(void)
{
	TCase *tc = tcase_create("envelope");

	tcase_add_loop_test(tc, says_what_the_server_knows, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, only_verifies, 0, 2);
	tcase_add_test(tc, needs_smtputf8);
	tcase_add_test(tc, needs_requiretls);
	return tc;
}
