/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "tests/unit/smtp/fixture.h"
#include "tests/unit/smtp/suite.h"

/* What of a message changes on its way out, as the server sees it. */

#define DIALOGUE "<MAIL\n>250 ok\n<RCPT\n>250 ok\n<DATA\n>354 go\ndata\n>250 done\n"
#define HELLO(features) ">220 f\n<EHLO\n>250-f\n" features ">250 X\n"
#define U "\xc3\xbc"
#define HEAD "From: me@here.test\r\nTo: you@there.test\r\n"
#define TEXT8 HEAD "Content-Transfer-Encoding: 8bit\r\n\r\n" U "\r\n.x\r\n"

static char *nexthop;
static struct fake_server server;

static void begin(const char *script)
{
	server = fake_server_start(script);
	nexthop = alloc_printf("[127.0.0.1]:%u", server.port);
	fixture_init();
	fx.core.recipient_delimiter = "+";
	fx.core.mydestination = fx.core.myorigin = "here.test";
	fx.core.mydomain = "test";
}

static char *end(void)
{
	char *heard;

	fixture_fini();
	heard = fake_server_stop(&server);
	free(nexthop);
	ck_assert_msg(!strstr(heard, "\n!"), "%s", heard);
	return heard;
}

static const struct {
	const char *name, *features;
	uint32_t env_flags;
	const char *content, *heard; /* LF between lines */
	const char *generic, *header, *body;
	int bdat;
	bool no_conversion;
} cases[] = {
    {"as it is", "", 0, HEAD "\r\nx\r\n",
        "MAIL FROM:<sender@example.org>\nRCPT TO:<user0@example.test>\nDATA\nFrom: me@here.test\n"
        "To: you@there.test\n\nx\n.\nQUIT\n",
        "", "", "", SMTP_BDAT_AUTO, false},
    {"generic", ">250-DSN\n", 0, HEAD "\r\n.x\r\n",
        "MAIL FROM:<out@world.test>\nRCPT TO:<all@world.test> ORCPT=rfc822;user0@example.test\n"
        "DATA\nFrom: me@world.test\nTo: you@there.test\n\n..x\n.\n",
        "inline:{sender@example.org=out@world.test, @here.test=@world.test, "
        "@example.test=all@world.test}",
        "", "", SMTP_BDAT_AUTO, false},
    {"header checks", "", 0, HEAD "\r\n.x\r\n", "DATA\nFrom: me@here.test\n\n..x\n.\n", "",
        "regexp:{{/^to:/ IGNORE}}", "", SMTP_BDAT_AUTO, false},
    {"header checks put a dot first", "", 0, HEAD "\r\nx\r\n",
        "DATA\nFrom: me@here.test\n..: x\n\nx\n.\n", "", "regexp:{{/^to:/ REPLACE .: x}}", "",
        SMTP_BDAT_AUTO, false},
    {"header without end", "", 0, HEAD, "DATA\nFrom: me@here.test\n.\n", "",
        "regexp:{{/^to:/ IGNORE}}", "", SMTP_BDAT_AUTO, false},
    {"empty", "", 0, "", "DATA\n.\n", "", "regexp:{{/^to:/ IGNORE}}", "", SMTP_BDAT_AUTO, false},
    {"body checks", "", 0, HEAD "\r\none\r\ntwo\r\n",
        "DATA\nFrom: me@here.test\nTo: you@there.test\n\n..three\ntwo\n.\n", "", "",
        "regexp:{{/^one/ REPLACE .three}}", SMTP_BDAT_AUTO, false},
    {"8bit kept", ">250-8BITMIME\n", 0, TEXT8,
        "MAIL FROM:<sender@example.org> BODY=8BITMIME\nRCPT TO:<user0@example.test>\nDATA\n"
        "From: me@here.test\nTo: you@there.test\nContent-Transfer-Encoding: 8bit\n\n" U
        "\n..x\n.\n",
        "", "", "", SMTP_BDAT_AUTO, false},
    {"8bit converted", "", 0, TEXT8,
        "MAIL FROM:<sender@example.org>\nRCPT TO:<user0@example.test>\nDATA\n"
        "From: me@here.test\nTo: you@there.test\nContent-Transfer-Encoding: quoted-printable\n\n"
        "=C3=BC\n..x\n.\n",
        "", "", "", SMTP_BDAT_AUTO, false},
    {"8bit not converted", "", 0, TEXT8,
        "DATA\nFrom: me@here.test\nTo: you@there.test\nContent-Transfer-Encoding: 8bit\n\n" U
        "\n..x\n.\n",
        "", "", "", SMTP_BDAT_AUTO, true},
    {"utf8 asked for and not needed", "", ENV_SMTPUTF8, HEAD "\r\n" U "\r\n",
        "MAIL FROM:<sender@example.org>\nRCPT TO:<user0@example.test>\nDATA\n", "", "", "",
        SMTP_BDAT_AUTO, false},
};

START_TEST(sends)
{
	char *script =
	    alloc_printf(">220 f\n<EHLO\n>250-f\n%s>250 X\n" DIALOGUE, cases[_i].features);
	char *heard;

	begin(script);
	fx.content.generic_maps = cases[_i].generic;
	fx.content.header_checks = cases[_i].header;
	fx.content.body_checks = cases[_i].body;
	fx.content.bdat = cases[_i].bdat;
	fx.content.disable_mime_output_conversion = cases[_i].no_conversion;
	fixture_start();
	fixture_deliver(
	    nexthop, 1, 0, cases[_i].env_flags, cases[_i].content, strlen(cases[_i].content));
	ck_assert_msg(
	    fx.results[0].outcome == OUTCOME_SENT, "%s: %s", cases[_i].name, fx.results[0].reason);
	heard = end();
	ck_assert_msg(strstr(heard, cases[_i].heard) != NULL, "%s: %s", cases[_i].name, heard);
	free(heard);
	free(script);
}
END_TEST

/* What stands behind a rewritten header goes out byte for byte, however large. */
START_TEST(large_behind_a_header)
{
	size_t head = strlen(HEAD "\r\n"), len = head + 70 * 3000;
	char *content = alloc(len + 1), *heard, *last;

	strcpy(content, HEAD "\r\n");
	for (size_t at = head; at < len; at += 70)
		memcpy(content + at,
		    _i ? ".2345678901234567890123456789012345678901234567890123456789012345678\r\n"
		       : "123456789012345678901234567890123456789012345678901234567890123456 9\r\n",
		    70);
	begin(HELLO("") DIALOGUE);
	fx.content.header_checks = "regexp:{{/^to:/ REPLACE To: nobody}}";
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, content, len);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	heard = end();
	last = strstr(heard, "\nTo: nobody\n\n");
	ck_assert_ptr_nonnull(last);
	ck_assert_uint_eq(strlen(last), strlen("\nTo: nobody\n\n") + (len - head) - 3000 +
	                                    (_i ? 3000 : 0) + strlen(".\nQUIT\n"));
	free(heard);
	free(content);
}
END_TEST

static const struct {
	const char *features, *content;
	size_t lines; /* of ".2345678", behind the content */
	int bdat;
	const char *command; /* what brings the content */
} bdats[] = {
    {">250-CHUNKING\n>250-PIPELINING\n", "", 10000, SMTP_BDAT_AUTO, "BDAT 100000 LAST"},
    {">250-CHUNKING\n", "", 10000, SMTP_BDAT_AUTO, "BDAT 100000 LAST"},
    {">250-CHUNKING\n", "", 10000, SMTP_BDAT_NEVER, "DATA"},
    {">250-CHUNKING\n", "", 10, SMTP_BDAT_AUTO, "DATA"},
    {">250-CHUNKING\n", "x\r\n", 10, SMTP_BDAT_ALWAYS, "BDAT 103 LAST"},
    {"", "x\r\n", 10, SMTP_BDAT_ALWAYS, "DATA"},
};

START_TEST(by_bdat)
{
	bool bdat = bdats[_i].command[0] == 'B';
	char *script =
	    alloc_printf(">220 f\n<EHLO\n>250-f\n%s>250 X\n<MAIL\n<RCPT\n>250 ok\n>250 ok\n"
	                 "<%s\n%s",
	        bdats[_i].features, bdats[_i].command, bdat ? "" : ">354 go\ndata\n>250 done\n");
	struct str content = {0}, steps = {0}, want = {0};
	char *heard;

	str_put_text(&steps, script);
	str_printf(&want, "\n%s\n", bdats[_i].command);
	str_put_text(&content, bdats[_i].content);
	for (size_t i = 0; i < bdats[_i].lines; i++)
		str_put_text(&content, ".2345678\r\n");
	for (size_t i = 0; bdat && i < bdats[_i].lines + (*bdats[_i].content != '\0'); i++)
		str_put_text(&steps, "<\n");
	if (bdat)
		str_put_text(&steps, ">250 done\n");
	if (!strstr(bdats[_i].features, "PIPELINING")) {
		char *mail = strstr(steps.data, "<MAIL\n<RCPT\n>250 ok\n");

		memcpy(mail, "<MAIL\n>250 ok\n<RCPT\n", 20);
	}
	begin(steps.data);
	fx.content.bdat = bdats[_i].bdat;
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, content.data, content.len);
	ck_assert_msg(fx.results[0].outcome == OUTCOME_SENT, "%s", fx.results[0].reason);
	ck_assert_str_eq(fx.results[0].reason, "250 done");
	heard = end();
	ck_assert_msg(strstr(heard, want.data) != NULL, "%.400s", heard);
	ck_assert_int_eq(strstr(heard, "\n..2345678") != NULL, !bdat);
	ck_assert_int_eq(strstr(heard, "\n.\n") != NULL, !bdat);
	free(heard);
	free(script);
	str_fini(&content);
	str_fini(&steps);
	str_fini(&want);
}
END_TEST

START_TEST(bdat_refused)
{
	begin(HELLO(">250-CHUNKING\n") "<MAIL\n>250 ok\n<RCPT\n>250 ok\n<BDAT 3 LAST\n<x\n"
	                               ">554 5.7.1 no\n");
	fx.content.bdat = SMTP_BDAT_ALWAYS;
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_BOUNCED);
	ck_assert_str_eq(fx.results[0].reason,
	    "host 127.0.0.1[127.0.0.1] said: 554 5.7.1 no (in reply to BDAT command)");
	free(end());
}
END_TEST

static const struct {
	const char *offered, *name, *addr;
	const char *said;
} forwards[] = {
    {"NAME ADDR PORT PROTO HELO IDENT SOURCE", "c.test", "192.0.2.1",
        "XFORWARD NAME=c.test ADDR=192.0.2.1 PORT=4711\n"
        "XFORWARD PROTO=ESMTP HELO=he+20lo IDENT=3F0ED1A2B3C SOURCE=REMOTE\nMAIL FROM:"},
    {"NAME ADDR SOURCE", "unknown", "2001:db8::1",
        "XFORWARD ADDR=IPV6:2001:db8::1\nXFORWARD SOURCE=REMOTE\nMAIL FROM:"},
    {"SOURCE", "", "", "XFORWARD SOURCE=LOCAL\nMAIL FROM:"},
    {"NAME", "", "", "EHLO client.test\nMAIL FROM:"},
};

START_TEST(tells_where_it_came_from)
{
	bool pipelining = _i & 1;
	const char *said = forwards[_i / 2].said;
	struct str script = {0};
	char *heard;

	str_printf(&script, ">220 f\n<EHLO\n>250-f\n%s>250 XFORWARD %s\n",
	    pipelining ? ">250-PIPELINING\n" : "", forwards[_i / 2].offered);
	for (const char *at = said; (at = strstr(at, "XFORWARD")); at++)
		str_put_text(&script, "<XFORWARD\n>550 not you\n");
	str_put_text(&script, DIALOGUE);
	begin(script.data);
	fx.content.send_xforward = true;
	fx.client_name = forwards[_i / 2].name;
	fx.client_addr = forwards[_i / 2].addr;
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	heard = end();
	ck_assert_msg(strstr(heard, said) != NULL, "%s", heard);
	free(heard);
	str_fini(&script);
}
END_TEST

/* A table that fails makes the mail wait. */
static const struct {
	const char *generic, *header, *reason;
} failing[] = {
    {"fail:x", "", "generic address mapping: "},
    {"", "fail:x", "local data error while talking to 127.0.0.1[127.0.0.1]"},
};

START_TEST(tables_in_trouble)
{
	begin(HELLO("") "<\n");
	fx.content.generic_maps = failing[_i].generic;
	fx.content.header_checks = failing[_i].header;
	if (_i) {
		free(fake_server_stop(&server));
		server =
		    fake_server_start(HELLO("") "<MAIL\n>250 ok\n<RCPT\n>250 ok\n<DATA\n>354 go\n");
		free(nexthop);
		nexthop = alloc_printf("[127.0.0.1]:%u", server.port);
	}
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, HEAD "\r\nx\r\n", strlen(HEAD "\r\nx\r\n"));
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_DEFERRED);
	ck_assert_msg(
	    strncmp(fx.results[0].reason, failing[_i].reason, strlen(failing[_i].reason)) == 0,
	    "%s", fx.results[0].reason);
	free(end());
}
END_TEST

static const struct {
	const char *sender, *content;
	bool bounced;
} utf8s[] = {
    {"s@x.test", HEAD "\r\n" U "\r\n", false},
    {"s" U "@x.test", HEAD "\r\nx\r\n", true},
    {"s@x.test", HEAD "Subject: " U "\r\n\r\nx\r\n", true},
    {"s@x.test", HEAD "Subject: x\r\n\r\nx\r\n", false},
};

START_TEST(smtputf8)
{
	begin(utf8s[_i].bounced ? HELLO("") "<QUIT\n" : HELLO("") DIALOGUE);
	fx.sender = utf8s[_i].sender;
	fixture_start();
	fixture_deliver(nexthop, 1, 0, ENV_SMTPUTF8, utf8s[_i].content, strlen(utf8s[_i].content));
	ck_assert_int_eq(fx.results[0].outcome, utf8s[_i].bounced ? OUTCOME_BOUNCED : OUTCOME_SENT);
	if (utf8s[_i].bounced)
		ck_assert_str_eq(fx.results[0].dsn, "5.6.7");
	free(end());
}
END_TEST

TCase *outgoing_tcase(void)
{
	TCase *tc = tcase_create("outgoing");

	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, sends, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, large_behind_a_header, 0, 2);
	tcase_add_loop_test(tc, by_bdat, 0, (int)ARRAY_LEN(bdats));
	tcase_add_test(tc, bdat_refused);
	tcase_add_loop_test(tc, tells_where_it_came_from, 0, 2 * (int)ARRAY_LEN(forwards));
	tcase_add_loop_test(tc, tables_in_trouble, 0, (int)ARRAY_LEN(failing));
	tcase_add_loop_test(tc, smtputf8, 0, (int)ARRAY_LEN(utf8s));
	return tc;
}
