/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/smtp/fixture.h"
#include "tests/unit/smtp/suite.h"

/* LMTP (RFC 2033): LHLO, no mail exchangers, and an answer for each recipient. */

#define HELLO ">220 fake LMTP\n<LHLO client.test\n>250-fake\n>250 PIPELINING\n"
#define THREE \
	"<MAIL\n<RCPT\n<RCPT\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>250 ok\n>250 ok\n>354 go\ndata\n"
#define LOST "while sending end of data -- message may be sent more than once"

static const struct {
	const char *name, *script;
	size_t count;
	enum outcome outcomes[3];
	const char *reasons[3];
	const char *heard, *unheard;
	bool twice; /* a second server is there that takes everything */
} cases[] = {
    {"all taken", HELLO THREE ">250 2.1.5 a\n>250 2.1.5 b\n>250 2.1.5 c\n", 3,
        {OUTCOME_SENT, OUTCOME_SENT, OUTCOME_SENT}, {"250 2.1.5 a", "250 2.1.5 b", "250 2.1.5 c"},
        "LHLO client.test\nMAIL", "EHLO", false},
    {"each its own", HELLO THREE ">250 2.1.5 a\n>552 5.2.2 full\n>450 4.2.0 later\n", 3,
        {OUTCOME_SENT, OUTCOME_BOUNCED, OUTCOME_DEFERRED},
        {"250 2.1.5 a", "said: 552 5.2.2 full (in reply to end of DATA command)",
            "said: 450 4.2.0 later"},
        NULL, NULL, false},
    {"one refused before",
        HELLO "<MAIL\n<RCPT\n<RCPT\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>550 5.1.1 who\n>250 ok\n>354 "
              "go\ndata\n>250 a\n>250 c\n",
        3, {OUTCOME_SENT, OUTCOME_BOUNCED, OUTCOME_SENT}, {"250 a", "said: 550 5.1.1 who", "250 c"},
        NULL, NULL, false},
    {"nobody is left",
        HELLO "<MAIL\n<RCPT\n<DATA\n>250 ok\n>550 5.1.1 who\n>503 5.5.1 no valid recipients\n", 1,
        {OUTCOME_BOUNCED}, {"said: 550 5.1.1 who"}, NULL, "\n.\n", false},
    {"nobody is left, but 354",
        HELLO "<MAIL\n<RCPT\n<DATA\n>250 ok\n>550 5.1.1 who\n>354 go\nwait\n", 1, {OUTCOME_BOUNCED},
        {"said: 550 5.1.1 who"}, NULL, "\n.\n", false},
    {"it dies between answers", HELLO THREE ">250 2.1.5 a\nclose\n", 3,
        {OUTCOME_SENT, OUTCOME_DEFERRED, OUTCOME_DEFERRED}, {"250 2.1.5 a", LOST, LOST}, NULL, NULL,
        false},
    {"nonsense between answers", HELLO THREE ">250 a\n>whatever\nwait\n", 3,
        {OUTCOME_SENT, OUTCOME_DEFERRED, OUTCOME_DEFERRED}, {"250 a", LOST, LOST}, NULL, NULL,
        false},
    {"the end of the dialogue as an answer", HELLO THREE ">250 a\n>421 4.3.2 bye\nclose\n", 3,
        {OUTCOME_SENT, OUTCOME_DEFERRED, OUTCOME_DEFERRED}, {"250 a", "said: 421 4.3.2 bye", LOST},
        NULL, NULL, false},
    {"it stops answering", HELLO THREE ">250 a\nwait\n", 3,
        {OUTCOME_SENT, OUTCOME_DEFERRED, OUTCOME_DEFERRED}, {"250 a", LOST, LOST}, NULL, NULL,
        false},
    /* those who are put off go to the next server, and nobody else does */
    {"later, elsewhere",
        HELLO THREE
        ">250 a\n>450 4.2.0 later\n>250 c\naccept\n" HELLO
        "<MAIL\n<RCPT TO:<user1@\n<DATA\n>250 ok\n>250 ok\n>354 go\ndata\n>250 elsewhere\n",
        3, {OUTCOME_SENT, OUTCOME_SENT, OUTCOME_SENT}, {"250 a", "250 elsewhere", "250 c"}, NULL,
        "!", true},
    {"LHLO refused", ">220 fake\n<LHLO\n>500 5.5.1 what\nwait\n", 1, {OUTCOME_BOUNCED},
        {"refused to talk to me: 500 5.5.1 what"}, NULL, "HELO", false},
};

START_TEST(delivers)
{
	struct fake_server server = fake_server_start(cases[_i].script);
	char nexthop[100], *heard;

	fixture_init();
	fx.client.lmtp = true;
	fixture_start();
	snprintf(nexthop, sizeof(nexthop),
	    cases[_i].twice ? "inet:127.0.0.1:%u,127.0.0.1:%u" : "inet:127.0.0.1:%u", server.port,
	    server.port);
	fixture_deliver(nexthop, cases[_i].count, 0, 0, "x\r\n", 3);
	for (size_t i = 0; i < cases[_i].count; i++) {
		ck_assert_msg(fx.results[i].outcome == cases[_i].outcomes[i], "%s: %zu: %s",
		    cases[_i].name, i, fx.results[i].reason);
		ck_assert_msg(strstr(fx.results[i].reason, cases[_i].reasons[i]) != NULL,
		    "%s: %zu: %s", cases[_i].name, i, fx.results[i].reason);
	}
	ck_assert_int_eq(fx.settled, (int)cases[_i].count);
	fixture_fini();
	heard = fake_server_stop(&server);
	if (cases[_i].heard)
		ck_assert_msg(strstr(heard, cases[_i].heard) != NULL, "%s", heard);
	if (cases[_i].unheard)
		ck_assert_msg(strstr(heard, cases[_i].unheard) == NULL, "%s", heard);
	free(heard);
}
END_TEST

/* RFC 3461 5.2.2, lmtp_assume_final */
START_TEST(tells_who_delivers)
{
	struct fake_server server = fake_server_start(
	    HELLO "<MAIL\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>354 go\ndata\n>250 a\n");
	char nexthop[100];

	fixture_init();
	fx.client.lmtp = true;
	fx.params.assume_final = _i;
	fixture_start();
	snprintf(nexthop, sizeof(nexthop), "127.0.0.1:%u", server.port);
	fixture_deliver(nexthop, 1, 0, 0, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT); /* the fixture checks the action */
	fixture_fini();
	free(fake_server_stop(&server));
}
END_TEST

TCase *lmtp_tcase(void)
{
	TCase *tc = tcase_create("lmtp");

	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, delivers, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, tells_who_delivers, 0, 2);
	return tc;
}
