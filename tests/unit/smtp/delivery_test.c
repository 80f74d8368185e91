/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "tests/unit/smtp/fixture.h"
#include "tests/unit/smtp/suite.h"

#define HOST "127.0.0.1[127.0.0.1]"
#define HELLO \
	">220 fake ESMTP\n<EHLO client.test\n>250-fake\n>250-SIZE 100000000\n>250 PIPELINING\n"
#define SIMPLE ">220 fake ESMTP\n<EHLO client.test\n>250 fake\n"
#define MAIL1 "<MAIL FROM:<sender@example.org>\n<RCPT TO:<user0@example.test>\n<DATA\n"
#define OKS1 ">250 2.1.0 Ok\n>250 2.1.5 Ok\n>354 go\n"
#define OKS ">250 ok\n>250 ok\n>354 go\n"
#define DONE ">250 2.0.0 Ok: queued as X1\n"
#define GOOD HELLO MAIL1 OKS1 "data\n" DONE

/*
 * Each case is a server and what has to become of one or two recipients. A request names the server
 * once, or twice when `twice`: then the second connection is the next server's.
 */
static const struct {
	const char *name, *script;
	size_t rcpts;
	bool twice;
	enum outcome outcomes[2];
	const char *dsn, *reason; /* of the last recipient; reason: its beginning */
	const char *heard;        /* part of what the server heard, or NULL */
	bool dead;                /* the whole destination is reported as being in trouble */
} cases[] = {
    {"pipelined", GOOD, 1, false, {OUTCOME_SENT}, "2.0.0", "250 2.0.0 Ok: queued as X1",
        ".\nQUIT\n", false},
    {"size is told", GOOD, 1, false, {OUTCOME_SENT}, "2.0.0", "250",
        "MAIL FROM:<sender@example.org> SIZE=", false},
    {"one by one",
        SIMPLE "<MAIL\n>250 ok\n<RCPT\n>250 ok\n<DATA\n>354 go\ndata\n>250 done\n<QUIT\n", 1, false,
        {OUTCOME_SENT}, "2.0.0", "250 done", NULL, false},
    {"HELO",
        ">220 fake\n<EHLO\n>502 what\n<HELO client.test\n>250 fake\n<MAIL FROM:<sender@example."
        "org>\n>250 ok\n<RCPT\n>250 ok\n<DATA\n>354 go\ndata\n>250 done\n",
        1, false, {OUTCOME_SENT}, "2.0.0", "250 done", NULL, false},
    {"greeting of many lines",
        ">220-one\n>220-two\n>220 three\n<EHLO\n>250 fake\n<MAIL\n>250 ok\n<RCPT\n>250 "
        "ok\n<DATA\n>354 go\ndata\n>250-2.6.0 one\n>250 2.6.0 two\n",
        1, false, {OUTCOME_SENT}, "2.6.0", "250-2.6.0 one 250 2.6.0 two", NULL, false},

    /* answers that mix */
    {"one of two refused",
        HELLO "<MAIL\n<RCPT\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>550 5.1.1 <user1@example.test>: who\n"
              ">354 go\ndata\n" DONE,
        2, false, {OUTCOME_SENT, OUTCOME_BOUNCED}, "5.1.1",
        "host " HOST " said: 550 5.1.1 <user1@example.test>: who (in reply to RCPT TO command)",
        NULL, false},
    {"one of two later",
        HELLO "<MAIL\n<RCPT\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>450 4.2.1 slow\n>354 go\ndata\n" DONE,
        2, false, {OUTCOME_SENT, OUTCOME_DEFERRED}, "4.2.1",
        "host " HOST " said: 450 4.2.1 slow (in reply to RCPT TO command)", NULL, false},
    {"too many recipients",
        HELLO
        "<MAIL\n<RCPT\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>552 5.5.3 too many\n>354 go\ndata\n" DONE,
        2, false, {OUTCOME_SENT, OUTCOME_DEFERRED}, "4.5.3", "host " HOST " said: 552 5.5.3", NULL,
        false},
    {"all refused, DATA taken",
        HELLO "<MAIL\n<RCPT\n<DATA\n>250 ok\n>550 no\n>354 go\n<.\n>250 odd\n", 1, false,
        {OUTCOME_BOUNCED}, "5.0.0", "host " HOST " said: 550 no (in reply to RCPT TO command)",
        NULL, false},
    {"all refused, DATA too", HELLO "<MAIL\n<RCPT\n<DATA\n>250 ok\n>550 no\n>503 no\n<QUIT\n", 1,
        false, {OUTCOME_BOUNCED}, "5.0.0", "host " HOST " said: 550 no", NULL, false},
    {"sender refused", HELLO "<MAIL\n<RCPT\n<DATA\n>553 5.1.8 bad\n>503 no\n>503 no\n", 1, false,
        {OUTCOME_BOUNCED}, "5.1.8",
        "host " HOST " said: 553 5.1.8 bad (in reply to MAIL FROM command)", NULL, false},
    {"DATA refused", HELLO "<MAIL\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>554 5.7.1 no\n", 1, false,
        {OUTCOME_BOUNCED}, "5.7.1", "host " HOST " said: 554 5.7.1 no (in reply to DATA command)",
        NULL, false},
    {"message refused", HELLO MAIL1 OKS1 "data\n>554 5.7.1 spam\n", 1, false, {OUTCOME_BOUNCED},
        "5.7.1", "host " HOST " said: 554 5.7.1 spam (in reply to end of DATA command)", NULL,
        false},
    {"message later", HELLO MAIL1 OKS1 "data\n>451 4.3.0 full\n", 1, false, {OUTCOME_DEFERRED},
        "4.3.0", "host " HOST " said: 451 4.3.0 full (in reply to end of DATA command)", NULL,
        false},
    {"wrong status class", HELLO MAIL1 OKS1 "data\n>451 2.0.0 odd\n", 1, false, {OUTCOME_DEFERRED},
        "4.0.0", "host " HOST " said: 451 2.0.0 odd", NULL, false},
    {"2xx for DATA", HELLO "<MAIL\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>250 odd\n", 1, false,
        {OUTCOME_DEFERRED}, "4.5.0", "host " HOST " said: 250 odd (in reply to DATA command)", NULL,
        false},
    {"too big for the server", ">220 f\n<EHLO\n>250-f\n>250 SIZE 10\n<QUIT\n", 1, false,
        {OUTCOME_BOUNCED}, "5.3.4", "message size 26 exceeds size limit 10 of server " HOST, NULL,
        false},

    /* the greeting */
    {"greeted by 4xx", ">450 busy\n<QUIT\n", 1, false, {OUTCOME_DEFERRED}, "4.0.0",
        "host " HOST " refused to talk to me: 450 busy", NULL, true},
    {"greeted by 5xx", ">554 5.7.1 go away\n", 1, false, {OUTCOME_DEFERRED}, "4.7.1",
        "host " HOST " refused to talk to me: 554 5.7.1 go away", NULL, true},
    {"next server after 4xx", ">450 busy\naccept\n" GOOD, 1, true, {OUTCOME_SENT}, "2.0.0", "250",
        NULL, false},
    {"next server after silence", "stall\naccept\n" GOOD, 1, true, {OUTCOME_SENT}, "2.0.0", "250",
        NULL, false},
    {"next server for one",
        HELLO "<MAIL\n<RCPT\n<RCPT\n<DATA\n>250 ok\n>250 ok\n>450 no\n>354 go\ndata\n" DONE
              "accept\n" HELLO
              "<MAIL\n<RCPT TO:<user1@example.test>\n<DATA\n>250 ok\n>250 ok\n>354 go\ndata\n>250 "
              "second\n",
        2, true, {OUTCOME_SENT, OUTCOME_SENT}, "2.0.0", "250 second", NULL, false},
    {"no next server after 5xx", HELLO "<MAIL\n<RCPT\n<DATA\n>550 no\n>503 no\n>503 no\n", 1, true,
        {OUTCOME_BOUNCED}, "5.0.0", "host", NULL, false},
    {"next server after loss in the middle", HELLO MAIL1 ">250 ok\nclose\naccept\n" GOOD, 1, true,
        {OUTCOME_SENT}, "2.0.0", "250", NULL, false},

    /* hostile: silence at each stage */
    {"silent greeting", "stall\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "conversation with " HOST " timed out while receiving the initial server greeting", NULL,
        true},
    {"silent EHLO", ">220 f\nstall\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "conversation with " HOST " timed out while performing the EHLO handshake", NULL, true},
    {"silent HELO", ">220 f\n<EHLO\n>500 no\nstall\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "conversation with " HOST " timed out while performing the HELO handshake", NULL, true},
    {"silent MAIL", HELLO "stall\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "conversation with " HOST " timed out while sending MAIL FROM", NULL, true},
    {"silent RCPT", HELLO MAIL1 ">250 ok\nstall\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "conversation with " HOST " timed out while sending RCPT TO", NULL, true},
    {"silent DATA", HELLO MAIL1 ">250 ok\n>250 ok\nstall\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "conversation with " HOST " timed out while sending DATA command", NULL, true},
    {"silent end", HELLO MAIL1 OKS1 "data\nstall\n", 1, true, {OUTCOME_DEFERRED}, "4.4.2",
        "conversation with " HOST
        " timed out while sending end of data -- message may be sent more than once",
        NULL, false},

    /* hang-ups */
    {"closed at once", "close\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "lost connection with " HOST " while receiving the initial server greeting", NULL, true},
    {"closed at EHLO", ">220 f\n<EHLO\nclose\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "lost connection with " HOST " while performing the EHLO handshake", NULL, true},
    {"closed at MAIL", HELLO MAIL1 "close\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "lost connection with " HOST " while sending MAIL FROM", NULL, true},
    {"reset at RCPT", HELLO MAIL1 ">250 ok\nreset\n", 1, false, {OUTCOME_DEFERRED}, "4.4.2",
        "lost connection with " HOST " while sending ", NULL, true},
    {"closed at DATA", HELLO MAIL1 ">250 ok\n>250 ok\nclose\n", 1, false, {OUTCOME_DEFERRED},
        "4.4.2", "lost connection with " HOST " while sending DATA command", NULL, true},
    {"closed after the dot", HELLO MAIL1 OKS1 "data\nclose\n", 1, true, {OUTCOME_DEFERRED}, "4.4.2",
        "lost connection with " HOST
        " while sending end of data -- message may be sent more than once",
        NULL, false},

    /* 421 at each stage */
    {"421 greeting", ">421 4.3.2 down\nclose\n", 1, false, {OUTCOME_DEFERRED}, "4.3.2",
        "host " HOST " refused to talk to me: 421 4.3.2 down", NULL, true},
    {"421 EHLO", ">220 f\n<EHLO\n>421 down\nclose\n", 1, false, {OUTCOME_DEFERRED}, "4.0.0",
        "host " HOST " refused to talk to me: 421 down", NULL, true},
    {"421 MAIL", HELLO MAIL1 ">421 4.3.2 down\nclose\n", 1, false, {OUTCOME_DEFERRED}, "4.3.2",
        "host " HOST " said: 421 4.3.2 down (in reply to MAIL FROM command)", NULL, true},
    {"421 RCPT", HELLO MAIL1 ">250 ok\n>421 4.3.2 down\nclose\n", 1, false, {OUTCOME_DEFERRED},
        "4.3.2", "host " HOST " said: 421 4.3.2 down (in reply to RCPT TO command)", NULL, true},
    {"421 DATA", HELLO MAIL1 ">250 ok\n>250 ok\n>421 4.3.2 down\nclose\n", 1, false,
        {OUTCOME_DEFERRED}, "4.3.2",
        "host " HOST " said: 421 4.3.2 down (in reply to DATA command)", NULL, true},
    {"421 end", HELLO MAIL1 OKS1 "data\n>421 4.3.2 down\nclose\n", 1, false, {OUTCOME_DEFERRED},
        "4.3.2", "host " HOST " said: 421 4.3.2 down (in reply to end of DATA command)", NULL,
        true},

    /* that is not SMTP */
    {"HTTP", ">HTTP/1.1 400 Bad Request\n", 1, false, {OUTCOME_DEFERRED}, "4.5.0", "protocol error",
        NULL, true},
    /* but some talk before they greet, or in between */
    {"lines before the greeting", ">*** welcome\n>\n" GOOD, 1, false, {OUTCOME_SENT}, "2.0.0",
        "250", NULL, false},
    {"lines before an answer", HELLO MAIL1 ">250 ok\n>hm\n>250 ok\n>354 go\ndata\n" DONE, 1, false,
        {OUTCOME_SENT}, "2.0.0", "250", NULL, false},
    {"code 199", ">199 hm\n", 1, false, {OUTCOME_DEFERRED}, "4.5.0", "protocol error", NULL, true},
    {"code 600", HELLO MAIL1 ">600 hm\n", 1, false, {OUTCOME_DEFERRED}, "4.5.0", "protocol error",
        NULL, true},
    {"code 2500", HELLO MAIL1 ">2500 hm\n", 1, false, {OUTCOME_DEFERRED}, "4.5.0", "protocol error",
        NULL, true},
    {"empty line", HELLO MAIL1 ">\n", 1, false, {OUTCOME_DEFERRED}, "4.5.0", "protocol error", NULL,
        true},
    {"endless greeting", "endless\n", 1, false, {OUTCOME_DEFERRED}, "4.5.0", "protocol error", NULL,
        true},
    {"endless EHLO", ">220 f\n<EHLO\nendless\n", 1, false, {OUTCOME_DEFERRED}, "4.5.0",
        "protocol error", NULL, true},
    {"a line of 10 MB", "longline\n", 1, false, {OUTCOME_DEFERRED}, "4.5.0", "protocol error", NULL,
        true},
};

static char *nexthop_of(const struct fake_server *server, bool twice)
{
	return twice ? alloc_printf("[127.0.0.1]:%u, [127.0.0.1]:%u", server->port, server->port)
	             : alloc_printf("[127.0.0.1]:%u", server->port);
}

START_TEST(talks)
{
	static const char content[] = "Subject: x\r\n\r\nhello yo!\r\n\r\n";
	struct fake_server server = fake_server_start(cases[_i].script);
	char *nexthop = nexthop_of(&server, cases[_i].twice), *heard;
	size_t last = cases[_i].rcpts - 1;

	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, cases[_i].rcpts, 0, 0, content, 26);
	ck_assert_uint_eq((size_t)fx.settled, cases[_i].rcpts);
	for (size_t i = 0; i <= last; i++)
		ck_assert_msg(fx.results[i].outcome == cases[_i].outcomes[i], "%s: rcpt %zu: %u %s",
		    cases[_i].name, i, fx.results[i].outcome, fx.results[i].reason);
	ck_assert_msg(
	    strcmp(fx.results[last].dsn, cases[_i].dsn) == 0 &&
	        strncmp(fx.results[last].reason, cases[_i].reason, strlen(cases[_i].reason)) == 0,
	    "%s: %s %s", cases[_i].name, fx.results[last].dsn, fx.results[last].reason);
	ck_assert_msg((*fx.result.dead_dsn != '\0') == cases[_i].dead, "%s: dead", cases[_i].name);
	ck_assert_msg(strncmp(fx.relay, HOST ":", strlen(HOST ":")) == 0, "%s: relay %s",
	    cases[_i].name, fx.relay);
	ck_assert_uint_eq(fx.result.reusable_ms, 0);
	fixture_fini();
	heard = fake_server_stop(&server);

	ck_assert_msg(!strstr(heard, "\n!"), "%s:\n%s", cases[_i].name, heard);
	ck_assert_msg(
	    !cases[_i].heard || strstr(heard, cases[_i].heard), "%s:\n%s", cases[_i].name, heard);
	free(heard);
	free(nexthop);
}
END_TEST

START_TEST(nobody_listens)
{
	char want[128], *nexthop;
	struct fake_server server = fake_server_start("refuse\n");

	/* a port that was just free: the server is gone before we come */
	free(fake_server_stop(&server));
	nexthop = nexthop_of(&server, true);
	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, 2, 0, 0, "x\r\n", 3);
	snprintf(want, sizeof(want), "connect to " HOST ":%u: Connection refused", server.port);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(fx.results[i].outcome, OUTCOME_DEFERRED);
		ck_assert_str_eq(fx.results[i].dsn, "4.4.1");
		ck_assert_str_eq(fx.results[i].reason, want);
	}
	ck_assert_str_eq(fx.relay, "none");
	ck_assert_str_eq(fx.result.dead_dsn, "4.4.1");
	ck_assert_str_eq(fx.result.dead_reason, want);
	fixture_fini();
	free(nexthop);
}
END_TEST

START_TEST(bad_destination)
{
	static const char *const bad[] = {"", "[x", "host:nowhere", "unix:/x"};

	fixture_init();
	fixture_start();
	fixture_deliver(bad[_i], 1, 0, 0, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_DEFERRED);
	ck_assert_str_eq(fx.results[0].dsn, "4.3.5");
	fixture_fini();
}
END_TEST

/* What arrives, byte for byte: dots, long lines, sizes on both sides of every path's limit. */
static const struct {
	const char *piece;
	size_t times;
	const char *want; /* what the server hears, or NULL: the same */
} contents[] = {
    {"", 0, NULL},
    {"x\r\n", 1, NULL},
    {".\r\n", 1, "..\r\n"},
    {"..two\r\n.\r\nend\r\n", 1, "...two\r\n..\r\nend\r\n"},
    {"0123456789012345678901234567890123456789012345678901234567890\r\n", 900, NULL},
    {"0123456789012345678901234567890123456789012345678901234567890\r\n", 20000, NULL},
    {".123456789012345678901234567890123456789012345678901234567890\r\n", 3000,
        "..123456789012345678901234567890123456789012345678901234567890\r\n"},
    {"no line end", 1, "no line end\r\n"},
};

START_TEST(sends_content)
{
	const char *piece = contents[_i].piece;
	const char *want = contents[_i].want ? contents[_i].want : piece;
	struct str content = {0}, expected = {0};
	struct fake_server server =
	    fake_server_start(">220 f\n<EHLO\n>250 f\n<MAIL\n>250 ok\n<RCPT\n"
	                      ">250 ok\n<DATA\n>354 go\ndata\n>250 done\n");
	char *nexthop = nexthop_of(&server, false), *heard, *at;

	for (size_t i = 0; i < contents[_i].times; i++) {
		str_put_text(&content, piece);
		str_put_text(&expected, want);
	}
	for (size_t i = 0, k = 0; i <= expected.len && expected.data; i++)
		if (i == expected.len || expected.data[i] != '\r')
			expected.data[k++] = i == expected.len ? '\0' : expected.data[i];
	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, str_text(&content), content.len);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	fixture_fini();
	heard = fake_server_stop(&server);
	at = strstr(heard, "DATA\n");
	ck_assert_ptr_nonnull(at);
	at += strlen("DATA\n");
	ck_assert(strncmp(at, str_text(&expected), strlen(str_text(&expected))) == 0);
	at += strlen(str_text(&expected));
	ck_assert_str_eq(at, ".\nQUIT\n");
	free(heard);
	free(nexthop);
	str_fini(&content);
	str_fini(&expected);
}
END_TEST

START_TEST(breaks_long_lines)
{
	struct str content = {0};
	struct fake_server server =
	    fake_server_start(">220 f\n<EHLO\n>250 f\n<MAIL\n>250 ok\n<RCPT\n"
	                      ">250 ok\n<DATA\n>354 go\ndata\n>250 done\n");
	char *nexthop = nexthop_of(&server, false), *heard;

	for (int i = 0; i < 2500; i++)
		str_put_char(&content, 'y');
	str_put_text(&content, "\r\n.z\r\n");
	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, content.data, content.len);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_ptr_nonnull(strstr(heard, "y\n y"));
	ck_assert_ptr_nonnull(strstr(heard, "y\n..z\n.\n"));
	for (char *line = strtok(heard, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_uint_le(strlen(line), 998);
	free(heard);
	free(nexthop);
	str_fini(&content);
}
END_TEST

/* A refusal in the middle of the content, then the end of the connection. */
START_TEST(is_interrupted)
{
	static const struct {
		const char *script, *dsn;
		enum outcome outcome;
	} ends[] = {
	    {HELLO MAIL1 OKS "pause\nreset\n", "4.4.2", OUTCOME_DEFERRED},
	    {HELLO MAIL1 OKS ">552 5.3.4 too much\npause\nreset\n", "5.3.4", OUTCOME_BOUNCED},
	    /* said before it was asked: not believed, whether or not it comes with the 354 */
	    {HELLO MAIL1 OKS ">250 2.0.0 of course\npause\nreset\n", "4.", OUTCOME_DEFERRED},
	};
	size_t len = 20 * 1024 * 1024;
	struct fake_server server = fake_server_start(ends[_i].script);
	char *nexthop = nexthop_of(&server, false), *content = calloc(1, len);

	for (size_t i = 0; i < len; i++)
		content[i] = "yo\r\n"[i % 4];
	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, content, len);
	ck_assert_msg(fx.results[0].outcome == ends[_i].outcome, "%s", fx.results[0].reason);
	ck_assert_msg(strncmp(fx.results[0].dsn, ends[_i].dsn, strlen(ends[_i].dsn)) == 0, "%s",
	    fx.results[0].dsn);
	fixture_fini();
	free(fake_server_stop(&server));
	free(nexthop);
	free(content);
}
END_TEST

/* A server that takes the content slowly or not at all, by sendfile and by pieces. */
START_TEST(is_stuck)
{
	static const struct {
		const char *script;
		bool dots, deadline;
	} ways[] = {
	    {HELLO MAIL1 OKS "deaf\n", false, false},
	    {HELLO MAIL1 OKS "deaf\n", true, false},
	    {HELLO MAIL1 OKS "trickle\n", false, true},
	    {HELLO MAIL1 OKS "trickle\n", true, true},
	};
	size_t len = 20 * 1024 * 1024;
	struct fake_server server = fake_server_start(ways[_i].script);
	char *nexthop = nexthop_of(&server, false), *content = calloc(1, len);

	for (size_t i = 0; i < len; i++)
		content[i] = (ways[_i].dots ? ".o\r\n" : "yo\r\n")[i % 4];
	fixture_init();
	fx.params.per_request_deadline = ways[_i].deadline;
	fx.params.min_data_rate = 1000 * 1000 * 1000;
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, content, len);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_DEFERRED);
	ck_assert_str_eq(fx.results[0].reason,
	    "conversation with " HOST " timed out while sending message body");
	fixture_fini();
	kill(server.pid, SIGKILL);
	free(fake_server_stop(&server));
	free(nexthop);
	free(content);
}
END_TEST

/* Patience has an end also where each step has time left; but not behind the dot. */
START_TEST(gives_up)
{
	static const char *const scripts[] = {
	    HELLO MAIL1 ">250 Ok\nstall\n",
	    HELLO MAIL1 OKS "data\ndeaf\n>250 2.0.0 Ok\n",
	};
	struct fake_server server = fake_server_start(scripts[_i]);
	char *nexthop = nexthop_of(&server, false);
	int64_t began = clock_mono_ms();

	fixture_init();
	fx.params.rcpt_timeout = fx.params.data_done_timeout = 20;
	fixture_start();
	fx.client.attempt_ms = 1500;
	fixture_deliver(nexthop, 1, 0, 0, "hi\r\n", 4);
	if (_i == 0) {
		ck_assert_int_eq(fx.results[0].outcome, OUTCOME_DEFERRED);
		ck_assert_str_eq(fx.results[0].reason,
		    "conversation with " HOST " timed out while sending RCPT TO");
		ck_assert_int_lt(clock_mono_ms() - began, 15000);
	} else {
		ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	}
	fixture_fini();
	kill(server.pid, SIGKILL);
	free(fake_server_stop(&server));
	free(nexthop);
}
END_TEST

/* What cannot be said in one line is not said at all. */
START_TEST(says_no_line_ends)
{
	struct fake_server server = fake_server_start(HELLO "<QUIT\n");
	char *nexthop = nexthop_of(&server, false), *said;

	fixture_init();
	fx.sender = "a\r\nRCPT TO:<victim@example.org>\r\n@b.c";
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, "hi\r\n", 4);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_BOUNCED);
	ck_assert_str_eq(fx.results[0].dsn, "5.1.7");
	fixture_fini();
	said = fake_server_stop(&server);
	ck_assert_msg(!strstr(said, "RCPT") && !strstr(said, "MAIL"), "%s", said);
	free(said);
	free(nexthop);
}
END_TEST

/* The queue file is shorter than it should be: no half message may look whole. */
START_TEST(cannot_read_content)
{
	static const size_t lengths[] = {100, 1000 * 1000};
	struct fake_server server = fake_server_start(HELLO MAIL1 OKS1 "wait\n");
	char *nexthop = nexthop_of(&server, true), *heard;

	fixture_init();
	fx.missing = 50;
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, NULL, lengths[_i]);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_DEFERRED);
	ck_assert_str_eq(fx.results[0].dsn, "4.3.0");
	ck_assert_str_eq(fx.results[0].reason, "local data error while talking to " HOST);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_ptr_null(strstr(heard, "\n.\n"));
	free(heard);
	free(nexthop);
}
END_TEST

/* More recipients than one batch holds; answers in between. */
START_TEST(sends_many_recipients)
{
	struct str script = {0};
	struct fake_server server;
	char *nexthop, *heard;

	str_put_text(&script, HELLO "<MAIL\n");
	for (int i = 0; i < 100; i++)
		str_put_text(&script, "<RCPT\n");
	for (int i = 0; i < 101; i++)
		str_put_text(&script, ">250 ok\n");
	for (int i = 100; i < 200; i++)
		str_put_text(&script, "<RCPT\n");
	for (int i = 100; i < 200; i++)
		str_put_text(&script, i % 2 ? ">250 ok\n" : ">550 no\n");
	for (int i = 200; i < 250; i++)
		str_put_text(&script, "<RCPT\n");
	str_put_text(&script, "<DATA\n");
	for (int i = 200; i < 250; i++)
		str_put_text(&script, ">250 ok\n");
	str_put_text(&script, ">354 go\ndata\n" DONE);
	server = fake_server_start(str_text(&script));
	nexthop = nexthop_of(&server, false);
	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, 250, 0, 0, "x\r\n", 3);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_msg(!strchr(heard, '!'), "%s", heard);
	for (unsigned i = 0; i < 250; i++)
		ck_assert_uint_eq(fx.results[i].outcome,
		    i >= 100 && i < 200 && i % 2 == 0 ? OUTCOME_BOUNCED : OUTCOME_SENT);
	free(heard);
	free(nexthop);
	str_fini(&script);
}
END_TEST

START_TEST(stops_at_session_limit)
{
	struct fake_server server =
	    fake_server_start(HELLO MAIL1 ">250 ok\n>450 first\n>503 no\naccept\n" HELLO MAIL1
	                                  ">250 ok\n>450 second\n>503 no\nrefuse\n");
	char *nexthop = alloc_printf("[127.0.0.1]:%u", server.port), *heard;

	fixture_init();
	fx.params.fallback_relay = nexthop;
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_DEFERRED);
	ck_assert_str_eq(
	    fx.results[0].reason, "host " HOST " said: 450 second (in reply to RCPT TO command)");
	fixture_fini();
	heard = fake_server_stop(&server);
	free(heard);
	free(nexthop);
}
END_TEST

TCase *delivery_tcase(void)
{
	TCase *tc = tcase_create("delivery");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, talks, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, nobody_listens);
	tcase_add_loop_test(tc, bad_destination, 0, 4);
	tcase_add_loop_test(tc, sends_content, 0, (int)ARRAY_LEN(contents));
	tcase_add_test(tc, breaks_long_lines);
	tcase_add_test(tc, sends_many_recipients);
	tcase_add_loop_test(tc, is_interrupted, 0, 3);
	tcase_add_loop_test(tc, cannot_read_content, 0, 2);
	tcase_add_loop_test(tc, is_stuck, 0, 4);
	tcase_add_loop_test(tc, gives_up, 0, 2);
	tcase_add_test(tc, says_no_line_ends);
	tcase_add_test(tc, stops_at_session_limit);
	return tc;
}
