/* SPDX-License-Identifier: ISC */
#include "smtp/auth.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/sasl/mechanism.h"
#include "tests/unit/smtp/fixture.h"
#include "tests/unit/smtp/suite.h"

#define HELLO(mechanisms) \
	">220 fake ESMTP\n<EHLO client.test\n>250-fake\n>250 AUTH " mechanisms "\n"
#define MAIL "<MAIL\n>250 ok\n<RCPT\n>250 ok\n<DATA\n>354 go\ndata\n>250 done\n"
#define REFUSED ">535 5.7.8 no such login\n<QUIT\n"
#define SAID "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: "
#define CANNOT "SASL authentication failed; cannot authenticate to server 127.0.0.1[127.0.0.1]: "

static struct smtp_auth_params params;
static char *nexthop;
static struct fake_server server;

static void begin(const char *script)
{
	server = fake_server_start(script);
	nexthop = alloc_printf("[127.0.0.1]:%u", server.port);
	params = (struct smtp_auth_params){.enable = true,
	    .type = "cyrus",
	    .path = "",
	    .password_maps = "inline:{127.0.0.1=user:secret}",
	    .password_delimiter = ":",
	    .mechanism_filter = "",
	    .cache_name = "",
	    .cache_time = 1000,
	    .token_maps = "",
	    .token_time_limit = 5,
	    .token_lifetime = 300,
	    .token_margin = 60,
	    .soft_bounce = true};
	fixture_init();
	fx.core.recipient_delimiter = "+";
	fx.core.mydestination = fx.core.myorigin = "client.test";
}

static void go(uint32_t flags)
{
	if (!fx.client.auth)
		fx.client.auth = auth_open(&params, &fx.core, false);
	if (!fx.client.core)
		fixture_start();
	fixture_deliver(nexthop, 1, flags, 0, "x\r\n", 3);
}

static void end(const char *name)
{
	char *heard;

	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_msg(!strstr(heard, "\n!"), "%s:\n%s", name, heard);
	free(heard);
	free(nexthop);
}

static const struct {
	const char *name, *script;
	enum outcome outcome;
	const char *dsn, *reason; /* reason: its beginning */
	int security;
	const char *passwords, *filter;
	bool hard;
} cases[] = {
    {"plain", HELLO("LOGIN PLAIN") "<AUTH PLAIN AHVzZXIAc2VjcmV0\n>235 hi\n" MAIL, OUTCOME_SENT,
        "2.0.0", "250 done", 0, NULL, NULL, false},
    {"login",
        HELLO("LOGIN") "<AUTH LOGIN\n>334 VXNlcm5hbWU6\n<dXNlcg==\n>334 UGFzc3dvcmQ6\n"
                       "<c2VjcmV0\n>235 hi\n" MAIL,
        OUTCOME_SENT, "2.0.0", "250 done", 0, NULL, NULL, false},
    {"login, no words",
        HELLO("LOGIN") "<AUTH LOGIN\n>334\n<dXNlcg==\n>334 \n<c2VjcmV0\n>235 hi\n" MAIL,
        OUTCOME_SENT, "2.0.0", "250 done", 0, NULL, NULL, false},
    {"cram",
        HELLO("CRAM-MD5 PLAIN") "<AUTH CRAM-MD5\n>334 PDEuMkB4Pg==\n"
                                "<dXNlciA3OTYyOTNmNmE1NWJkYjNmYTVjYmNjMWIwNTQzMjU0Mg==\n"
                                ">235 hi\n" MAIL,
        OUTCOME_SENT, "2.0.0", "250 done", SASL_NOPLAINTEXT, NULL, NULL, false},
    {"token as password",
        HELLO("XOAUTH2") "<AUTH XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIHNlY3JldAEB\n>235 hi\n" MAIL,
        OUTCOME_SENT, "2.0.0", "250 done", 0, NULL, NULL, false},
    {"no login for it", HELLO("PLAIN") MAIL, OUTCOME_SENT, "2.0.0", "250 done", 0,
        "inline:{other=user:secret}", NULL, false},
    {"name missing", HELLO("PLAIN") MAIL, OUTCOME_SENT, "2.0.0", "250 done", 0,
        "inline:{127.0.0.1=:secret}", NULL, false},
    {"not offered", ">220 f\n<EHLO\n>250 f\n" MAIL, OUTCOME_SENT, "2.0.0", "250 done", 0, NULL,
        NULL, false},
    {"password missing", HELLO("PLAIN") "<AUTH PLAIN AHVzZXIA\n>235 hi\n" MAIL, OUTCOME_SENT,
        "2.0.0", "250 done", 0, "static:user", NULL, false},
    {"tables in trouble", HELLO("PLAIN") "<QUIT\n", OUTCOME_DEFERRED, "4.3.0",
        "SASL authentication failed; login lookup: ", 0, "fail:yes", NULL, false},
    {"only plain text", HELLO("PLAIN LOGIN XOAUTH2") "<QUIT\n", OUTCOME_DEFERRED, "4.7.0",
        CANNOT "no mechanism available", SASL_NOPLAINTEXT, NULL, NULL, false},
    {"filtered", HELLO("PLAIN LOGIN") "<AUTH LOGIN\n>334 x\n<*\n>501 bad\n<QUIT\n",
        OUTCOME_DEFERRED, "4.7.0", CANNOT "the challenge is not base64", 0, NULL,
        "!plain, static:all", false},
    {"all filtered", HELLO("PLAIN LOGIN") "<QUIT\n", OUTCOME_DEFERRED, "4.7.0",
        "SASL authentication failed: server 127.0.0.1[127.0.0.1] offered no compatible", 0, NULL,
        "cram-md5", false},
    {"refused", HELLO("PLAIN") "<AUTH PLAIN\n" REFUSED, OUTCOME_DEFERRED, "4.7.8",
        SAID "535 5.7.8 no such login", 0, NULL, NULL, false},
    {"refused for good", HELLO("PLAIN") "<AUTH PLAIN\n" REFUSED, OUTCOME_BOUNCED, "5.7.8",
        SAID "535 5.7.8 no such login", 0, NULL, NULL, true},
    {"later", HELLO("PLAIN") "<AUTH PLAIN\n>454 4.7.0 later\n<QUIT\n", OUTCOME_DEFERRED, "4.7.0",
        SAID "454 4.7.0 later", 0, NULL, NULL, true},
    {"questions to plain", HELLO("PLAIN") "<AUTH PLAIN\n>334 eA==\n<*\n>501 no\n<QUIT\n",
        OUTCOME_DEFERRED, "4.7.0", CANNOT "a challenge where none can be", 0, NULL, NULL, true},
    {"hangs up", HELLO("PLAIN") "<AUTH PLAIN\nclose\n", OUTCOME_DEFERRED, "4.4.2",
        "lost connection with 127.0.0.1[127.0.0.1] while performing the AUTH handshake", 0, NULL,
        NULL, true},
    {"hangs up when cancelled", HELLO("PLAIN") "<AUTH PLAIN\n>334 eA==\n<*\nclose\n",
        OUTCOME_DEFERRED, "4.4.2", "lost connection with 127.0.0.1[127.0.0.1]", 0, NULL, NULL,
        true},
    {"says nothing", HELLO("PLAIN") "<AUTH PLAIN\nstall\n", OUTCOME_DEFERRED, "4.4.2",
        "conversation with 127.0.0.1[127.0.0.1] timed out while", 0, NULL, NULL, true},
    {"garbage", HELLO("PLAIN") "<AUTH PLAIN\n>hello\n", OUTCOME_DEFERRED, "4.5.0", "protocol error",
        0, NULL, NULL, true},
    {"believed too early", HELLO("SCRAM-SHA-256") "<AUTH SCRAM-SHA-256 \n>235 hi\n<QUIT\n",
        OUTCOME_DEFERRED, "4.7.0", CANNOT "it says yes before it has proved who it is", 0, NULL,
        NULL, true},
    {"endless", HELLO("XOAUTH2") "<AUTH XOAUTH2\n>334 e30=\n<\n>334 e30=\n<*\n>501 no\n<QUIT\n",
        OUTCOME_DEFERRED, "4.7.0", CANNOT "a second challenge", 0, NULL, NULL, true},
};

START_TEST(logs_in)
{
	begin(cases[_i].script);
	params.security = cases[_i].security;
	if (cases[_i].passwords)
		params.password_maps = cases[_i].passwords;
	if (cases[_i].filter)
		params.mechanism_filter = cases[_i].filter;
	params.soft_bounce = !cases[_i].hard;
	go(0);
	ck_assert_msg(
	    fx.results[0].outcome == cases[_i].outcome &&
	        strcmp(fx.results[0].dsn, cases[_i].dsn) == 0 &&
	        strncmp(fx.results[0].reason, cases[_i].reason, strlen(cases[_i].reason)) == 0,
	    "%s: %s %s", cases[_i].name, fx.results[0].dsn, fx.results[0].reason);
	end(cases[_i].name);
}
END_TEST

/* Two senders, two logins: the session of one is not the other's. */
START_TEST(senders_have_sessions_of_their_own)
{
	begin(HELLO("PLAIN") "<AUTH PLAIN AGEAMQ==\n>235 hi\n" MAIL MAIL "<QUIT\naccept\n" HELLO(
	    "PLAIN") "<AUTH PLAIN AGIAMg==\n>235 hi\n" MAIL);
	params.sender_dependent = true;
	params.password_maps = "inline:{a@x.test=a:1, b@x.test=b:2}";
	fx.sender = "a@x.test";
	go(DELIVER_KEEP);
	fx.sender = "a+ext@x.test";
	go(DELIVER_KEEP);
	ck_assert(strstr(fx.relay, "conn_use=2") != NULL);
	fx.sender = "b@x.test";
	go(DELIVER_KEEP);
	ck_assert(strstr(fx.relay, "conn_use=2") == NULL);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	end("senders");
}
END_TEST

START_TEST(dummy_auth_of_mail)
{
	begin(HELLO("PLAIN") "<AUTH PLAIN\n>235 hi\n<MAIL FROM:<sender@example.org> AUTH=<>\n"
	                     ">250 ok\n<RCPT\n>250 ok\n<DATA\n>354 go\ndata\n>250 done\n");
	params.send_dummy_mail_auth = true;
	go(0);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	end("dummy");
}
END_TEST

/* ---- tokens ---------------------------------------------------------------------------------- */

static char folder[] = "/tmp/auth_test.XXXXXX";

static char *file_with(const char *name, const char *text, int mode)
{
	char *path = alloc_printf("%s/%s", folder, name);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path, (mode_t)mode), 0);
	return path;
}

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	static const char *const names[] = {"token", "program", "calls", "refused.lmdb"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = alloc_printf("%s/%s", folder, names[i]);

		unlink(path);
		free(path);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

/* user=user^auth=Bearer one^^ */
#define ONE "dXNlcj11c2VyAWF1dGg9QmVhcmVyIG9uZQEB"
#define TWO "dXNlcj11c2VyAWF1dGg9QmVhcmVyIHR3bwEB"

START_TEST(token_from_file)
{
	char *path, *map;

	make_folder();
	path = file_with("token", "{\"expires_in\": 3599, \"access_token\":\"one\"}\n", 0600);
	map = alloc_printf("inline:{user=file:%s}", path);
	begin(HELLO("PLAIN XOAUTH2") "<AUTH XOAUTH2 " ONE "\n>235 hi\n" MAIL
	                             "<QUIT\naccept\n" HELLO("XOAUTH2") "<AUTH XOAUTH2 " TWO
	                                                                "\n>235 hi\n" MAIL);
	params.token_maps = map;
	go(0);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	free(file_with("token", "two\n", 0600));
	go(0);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	end("file");
	remove_folder();
	free(path);
	free(map);
}
END_TEST

/* The program counts its calls: kept for the second session, asked again after a refusal. */
START_TEST(token_from_program)
{
	char *path, *map;

	make_folder();
	path = file_with("program",
	    "#!/bin/sh\nd=$(dirname $0)\necho x >>$d/calls\n"
	    "[ \"$SASL_USERNAME $SASL_SERVER $1\" = 'user 127.0.0.1 word' ] || exit 9\n"
	    "if [ $(wc -l <$d/calls) = 1 ]; then echo one; else echo two; fi\necho 3600\n",
	    0755);
	map = alloc_printf("inline:{{user=command:%s word}}", path);
	begin(HELLO("XOAUTH2") "<AUTH XOAUTH2 " ONE "\n>235 hi\n" MAIL "<QUIT\naccept\n" HELLO(
	    "XOAUTH2") "<AUTH XOAUTH2 " ONE "\n>334 e30=\n<\n>535 5.7.8 expired\n<AUTH XOAUTH2 " TWO
	               "\n>235 hi\n" MAIL "<QUIT\naccept\n" HELLO(
	                   "XOAUTH2") "<AUTH XOAUTH2 " TWO "\n>535 5.7.8 no\n<AUTH XOAUTH2 " TWO
	                              "\n>535 5.7.8 never\n<QUIT\n");
	params.token_maps = map;
	go(0);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	go(0);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	go(0);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_DEFERRED);
	ck_assert_str_eq(fx.results[0].reason, SAID "535 5.7.8 never");
	end("program");
	remove_folder();
	free(path);
	free(map);
}
END_TEST

static const struct {
	const char *program, *reason;
} broken[] = {
    {"#!/bin/sh\necho 'no network' >&2\nexit 3\n", ": exit status 3: no network"},
    {"#!/bin/sh\nexec sleep 60\n", ": takes too long"},
    {"#!/bin/sh\nyes\n", ": prints too much"},
    {"#!/bin/sh\nkill -9 $$\n", ": killed by signal 9"},
    {"#!/bin/sh\necho '<html>an error page</html>'\n", "characters that none can have"},
    {"#!/bin/sh\necho '{\"error\":\"invalid_grant\"}'\n", "there is no token in it"},
    {"#!/no/such/shell\n", ": exit status 127: No such file or directory"},
};

START_TEST(broken_program)
{
	char *path, *map;

	make_folder();
	path = file_with("program", broken[_i].program, 0755);
	map = alloc_printf("inline:{user=command:%s}", path);
	begin(HELLO("XOAUTH2") "<QUIT\n");
	params.token_maps = map;
	params.token_time_limit = 1;
	go(0);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_DEFERRED);
	ck_assert_msg(strstr(fx.results[0].reason, broken[_i].reason) &&
	                  strstr(fx.results[0].reason, "token of user: "),
	    "%s", fx.results[0].reason);
	end("broken program");
	remove_folder();
	free(path);
	free(map);
}
END_TEST

/* What was refused is not tried again with the same password, but with another. */
START_TEST(refusals_are_remembered)
{
	char *cache;

	make_folder();
	cache = alloc_printf("proxy:btree:%s/refused", folder);
	begin(HELLO("PLAIN") "<AUTH PLAIN\n" REFUSED
	                     "accept\n" HELLO("PLAIN") "<QUIT\naccept\n" HELLO(
	                         "PLAIN") "<AUTH PLAIN AHVzZXIAb3RoZXI=\n>235 hi\n" MAIL);
	params.cache_name = cache;
	go(0);
	ck_assert_str_eq(fx.results[0].reason, SAID "535 5.7.8 no such login");
	go(0);
	ck_assert_str_eq(fx.results[0].reason,
	    "SASL [CACHED] authentication failed; server 127.0.0.1[127.0.0.1] said: "
	    "535 5.7.8 no such login");
	ck_assert_str_eq(fx.results[0].dsn, "4.7.8");
	auth_close(&fx.client.auth);
	params.password_maps = "inline:{127.0.0.1=user:other}";
	go(0);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	end("remembered");
	remove_folder();
	free(cache);
}
END_TEST

TCase *auth_tcase(void)
{
	TCase *tc = tcase_create("auth");

	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, logs_in, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, senders_have_sessions_of_their_own);
	tcase_add_test(tc, dummy_auth_of_mail);
	tcase_add_test(tc, token_from_file);
	tcase_add_test(tc, token_from_program);
	tcase_add_loop_test(tc, broken_program, 0, (int)ARRAY_LEN(broken));
	tcase_add_test(tc, refusals_are_remembered);
	return tc;
}
