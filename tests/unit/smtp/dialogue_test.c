/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "tests/unit/smtp/fixture.h"
#include "tests/unit/smtp/suite.h"

/* What the configuration changes in the dialogue, and what a server's limits do. */

#define GREET ">220 fake ESMTP\n"
#define TAKE1 "<MAIL\n>250 ok\n<RCPT\n>250 ok\n<DATA\n>354 go\ndata\n>250 2.0.0 done\n"
#define PIPED(n) "<MAIL\n" n "<DATA\n>250 ok\n"

static void always(struct smtp_params *p)
{
	p->always_send_ehlo = false;
}
static void never(struct smtp_params *p)
{
	p->never_send_ehlo = true;
}
static void discard(struct smtp_params *p)
{
	static const char *const words[] = {"size", "8BITMIME"};

	p->discard_ehlo_keywords = (struct conf_list){words, 2};
}
static void discard_here(struct smtp_params *p)
{
	discard(p);
	p->discard_ehlo_keyword_address_maps = "inline:{127.0.0.1=pipelining}";
}
static void discard_elsewhere(struct smtp_params *p)
{
	p->discard_ehlo_keyword_address_maps = "inline:{127.0.0.2=pipelining}";
}
static void broken_map(struct smtp_params *p)
{
	p->discard_ehlo_keyword_address_maps = "fail:x";
}
static void pix(struct smtp_params *p)
{
	p->pix_workarounds = PIX_DISABLE_ESMTP | PIX_DELAY_DOTCRLF;
	p->pix_delay_time = 1;
}
static void pix_by_map(struct smtp_params *p)
{
	pix(p);
	p->pix_workaround_maps = "inline:{127.0.0.1=delay_dotcrlf}";
}
static void filter(struct smtp_params *p)
{
	p->reply_filter = "pcre:{{/^junk/ 250-2.0.0 filler}, {/^999 (.*)/ 250 $1}}";
}
static void broken_filter(struct smtp_params *p)
{
	p->reply_filter = "fail:x";
}

static void strict(struct smtp_params *p)
{
	p->per_request_deadline = true;
}
static void bind_elsewhere(struct smtp_params *p)
{
	p->bind_address = "[192.0.2.99]"; /* not ours */
}
static void bind_enforced(struct smtp_params *p)
{
	bind_elsewhere(p);
	p->bind_address_enforce = true;
}
static void bind_rubbish(struct smtp_params *p)
{
	p->bind_address = "2001:db8::1";
	p->bind_address_enforce = true;
}
static void bind_well(struct smtp_params *p)
{
	p->bind_address = "127.0.0.7";
	p->bind_address_enforce = true;
}

#define SLOWLY ">220-one\nnap\n>220-two\nnap\n>220 three\n"

static const struct {
	const char *name;
	void (*set)(struct smtp_params *p);
	const char *script;
	enum outcome outcome;
	const char *reason, *heard, *unheard; /* parts; NULL: any */
	int least_ms;
} cases[] = {
    {"EHLO for ESMTP only", always, ">220 fake\n<HELO client.test\n>250 fake\n" TAKE1, OUTCOME_SENT,
        NULL, "HELO client.test\nMAIL", "EHLO", 0},
    {"EHLO when ESMTP is said", always, ">220 fake esmtp\n<EHLO\n>250 fake\n" TAKE1, OUTCOME_SENT,
        NULL, "EHLO", "HELO", 0},
    {"never EHLO", never, GREET "<HELO\n>250 fake\n" TAKE1, OUTCOME_SENT, NULL, "HELO", "EHLO", 0},
    {"keywords discarded", discard, GREET "<EHLO\n>250-fake\n>250 SIZE 10\n" TAKE1, OUTCOME_SENT,
        NULL, NULL, "SIZE=", 0},
    {"by address", discard_here,
        GREET "<EHLO\n>250-fake\n>250-SIZE 100000\n>250 PIPELINING\n" TAKE1, OUTCOME_SENT, NULL,
        "SIZE=", "!", 0},
    {"by another address", discard_elsewhere,
        GREET "<EHLO\n>250-fake\n>250 PIPELINING\n<MAIL\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>354 "
              "go\ndata\n>250 done\n",
        OUTCOME_SENT, NULL, NULL, "!", 0},
    {"the map fails", broken_map, GREET "<EHLO\n>250 fake\n", OUTCOME_DEFERRED,
        "mail system configuration error: discard_ehlo_keyword_address_maps", NULL, "MAIL", 0},
    {"a firewall's greeting", pix, ">220 ********* 2**\n<HELO\n>250 fake\n" TAKE1, OUTCOME_SENT,
        NULL, "HELO", "EHLO", 900},
    {"a firewall, by map", pix_by_map, ">220 *****\n<EHLO\n>250 fake\n" TAKE1, OUTCOME_SENT, NULL,
        "EHLO", "HELO", 900},
    {"asterisks and more", pix, ">220 *** x\n<EHLO\n>250 fake\n" TAKE1, OUTCOME_SENT, NULL, "EHLO",
        "HELO", 0},
    {"lines replaced", filter,
        GREET "<EHLO\n>junk\n>999 fake\n<MAIL\n>junk\n>junk\n>999 ok\n<RCPT\n>250 ok\n<DATA\n>354 "
              "go\ndata\n>junk\n>999 2.0.0 done\n",
        OUTCOME_SENT, "250-2.0.0 filler 250 2.0.0 done", NULL, NULL, 0},
    {"the filter fails", broken_filter, GREET "wait\n", OUTCOME_DEFERRED,
        "does not speak SMTP while receiving the initial server greeting", NULL, "EHLO", 0},
    {"each wait is in time", NULL, SLOWLY "<EHLO\n>250 fake\n" TAKE1, OUTCOME_SENT, NULL, NULL,
        NULL, 1300},
    {"the whole answer is not", strict, SLOWLY, OUTCOME_DEFERRED,
        "timed out while receiving the initial server greeting", NULL, "EHLO", 0},
    {"an address that is not ours", bind_elsewhere, GREET "<EHLO\n>250 fake\n" TAKE1, OUTCOME_SENT,
        NULL, NULL, NULL, 0},
    {"..., enforced", bind_enforced, GREET, OUTCOME_DEFERRED, "server configuration error", NULL,
        "EHLO", 0},
    {"not even one", bind_rubbish, GREET, OUTCOME_DEFERRED, "server configuration error", NULL,
        "EHLO", 0},
    {"an address of ours", bind_well, ">220 fake\n<EHLO\n>250 fake\n" TAKE1, OUTCOME_SENT, NULL,
        "*127.0.0.7", NULL, 0},
    {"an answer too early", NULL,
        GREET "<EHLO\n>250-fake\n>250 PIPELINING\n<MAIL\n<RCPT\n<DATA\n"
              "+250 ok\n+250 ok\n+354 go\n>250 taken\nwait\n",
        OUTCOME_DEFERRED, "does not speak SMTP while sending message body", NULL, "\n.\n", 0},
    {"a refusal too early", NULL,
        GREET "<EHLO\n>250-fake\n>250 PIPELINING\n<MAIL\n<RCPT\n<DATA\n"
              "+250 ok\n+250 ok\n+354 go\n>554 5.7.1 no\nwait\n",
        OUTCOME_BOUNCED, "said: 554 5.7.1 no (in reply to DATA command)", NULL, "\n.\n", 0},
};

static char *nexthop_of(const struct fake_server *server)
{
	return arena_printf(&fx.arena, "[127.0.0.1]:%u", server->port);
}

START_TEST(obeys)
{
	struct fake_server server = fake_server_start(cases[_i].script);
	int64_t began = clock_mono_ms();
	char *heard;

	fixture_init();
	if (cases[_i].set)
		cases[_i].set(&fx.params);
	fixture_start();
	fixture_deliver(nexthop_of(&server), 1, 0, 0, "x\r\n", 3);
	ck_assert_msg(fx.results[0].outcome == cases[_i].outcome, "%s: %s", cases[_i].name,
	    fx.results[0].reason);
	if (cases[_i].reason)
		ck_assert_msg(strstr(fx.results[0].reason, cases[_i].reason) != NULL, "%s: %s",
		    cases[_i].name, fx.results[0].reason);
	ck_assert_int_ge(clock_mono_ms() - began, cases[_i].least_ms);
	fixture_fini();
	heard = fake_server_stop(&server);
	if (cases[_i].heard)
		ck_assert_msg(
		    strstr(heard, cases[_i].heard) != NULL, "%s: %s", cases[_i].name, heard);
	if (cases[_i].unheard)
		ck_assert_msg(
		    strstr(heard, cases[_i].unheard) == NULL, "%s: %s", cases[_i].name, heard);
	free(heard);
}
END_TEST

#define R "<RCPT\n"
#define OK1 ">250 ok\n"
#define SENT ">354 go\ndata\n>250 done\n"

/* RFC 9422. Five recipients; heard: how often MAIL and connections were. */
static const struct {
	const char *script;
	size_t count;
	int mails, connections;
} limits[] = {
    {GREET "<EHLO\n>250-fake\n>250-PIPELINING\n>250 LIMITS RCPTMAX=2\n"
           "<MAIL\n" R R "<DATA\n" OK1 OK1 OK1 SENT "<MAIL\n" R R "<DATA\n" OK1 OK1 OK1 SENT
           "<MAIL\n" R "<DATA\n" OK1 OK1 SENT,
        5, 3, 1},
    {GREET "<EHLO\n>250-fake\n>250-PIPELINING\n>250 LIMITS RCPTMAX=2 MAILMAX=1\n"
           "<MAIL\n" R R "<DATA\n" OK1 OK1 OK1 SENT "<QUIT\naccept\n" GREET
           "<EHLO\n>250-fake\n>250-PIPELINING\n>250 LIMITS RCPTMAX=2 MAILMAX=1\n"
           "<MAIL\n" R "<DATA\n" OK1 OK1 SENT,
        3, 2, 2},
    /* without PIPELINING; the first two are refused: RSET, then the next */
    {GREET "<EHLO\n>250-fake\n>250 LIMITS RCPTMAX=1\n<MAIL\n" OK1 "<RCPT\n>550 no\n<RSET\n" OK1
           "<MAIL\n" OK1 "<RCPT\n" OK1 "<DATA\n" SENT,
        2, 2, 1},
    /* all are of one domain */
    {GREET "<EHLO\n>250-fake\n>250-PIPELINING\n>250 LIMITS RCPTDOMAINMAX=1\n"
           "<MAIL\n" R R R "<DATA\n" OK1 OK1 OK1 OK1 SENT,
        3, 1, 1},
};

static int count_of(const char *text, const char *part)
{
	int count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

START_TEST(honours_limits)
{
	struct fake_server server = fake_server_start(limits[_i].script);
	char *heard;

	fixture_init();
	fixture_start();
	fixture_deliver(nexthop_of(&server), limits[_i].count, 0, 0, "x\r\n", 3);
	for (size_t i = 0; i < limits[_i].count; i++)
		ck_assert_msg(fx.results[i].outcome == OUTCOME_SENT ||
		                  (i == 0 && strstr(fx.results[i].reason, "550 no")),
		    "%zu: %s", i, fx.results[i].reason);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_msg(strchr(heard, '!') == NULL, "%s", heard);
	ck_assert_int_eq(count_of(heard, "MAIL FROM"), limits[_i].mails);
	ck_assert_int_eq(count_of(heard, "*\n"), limits[_i].connections);
	free(heard);
}
END_TEST

START_TEST(verifies_by_data)
{
	static const struct {
		const char *answer;
		const char *reason;
	} answers[] = {{">354 go\nwait\n", "354 go"}, {">550 5.7.1 no\n", "said: 550 5.7.1 no"}};
	char *script = NULL, *heard;
	struct fake_server server;

	ck_assert(
	    asprintf(&script, GREET "<EHLO\n>250 fake\n<MAIL\n>250 ok\n<RCPT\n>250 ok\n<DATA\n%s",
	        answers[_i].answer) > 0);
	server = fake_server_start(script);
	fixture_init();
	fx.params.verify_target = SMTP_VERIFY_DATA;
	fixture_start();
	fixture_deliver(nexthop_of(&server), 1, 0, ENV_VERIFY, "x\r\n", 3);
	ck_assert_msg(
	    strstr(fx.results[0].reason, answers[_i].reason) != NULL, "%s", fx.results[0].reason);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_ptr_null(strstr(heard, "\n.\n"));
	free(heard);
	free(script);
}
END_TEST

TCase *dialogue_tcase(void)
{
	TCase *tc = tcase_create("dialogue");

	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, obeys, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, honours_limits, 0, (int)ARRAY_LEN(limits));
	tcase_add_loop_test(tc, verifies_by_data, 0, 2);
	return tc;
}
