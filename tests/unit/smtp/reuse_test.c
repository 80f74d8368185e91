/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "tests/unit/smtp/fixture.h"
#include "tests/unit/smtp/suite.h"

#define HELLO ">220 fake ESMTP\n<EHLO client.test\n>250-fake\n>250 PIPELINING\n"
#define MAIL "<MAIL\n<RCPT\n<DATA\n"
#define OKS ">250 ok\n>250 ok\n>354 go\ndata\n"
#define FIRST HELLO MAIL OKS ">250 first\n"

/* Two requests with DELIVER_KEEP to one server; what becomes of the second. */
static const struct {
	const char *name, *script;
	enum outcome outcome;
	const char *reason;
	int connections;
	bool same; /* the second went over the kept session */
} cases[] = {
    {"reused", FIRST MAIL OKS ">250 second\n", OUTCOME_SENT, "250 second", 1, true},
    {"closed while idle", FIRST "close\naccept\n" HELLO MAIL OKS ">250 second\n", OUTCOME_SENT,
        "250 second", 2, false},
    {"421 while idle", FIRST "pause\n>421 bye\nclose\naccept\n" HELLO MAIL OKS ">250 second\n",
        OUTCOME_SENT, "250 second", 2, false},
    {"closed at MAIL", FIRST "<MAIL\nclose\naccept\n" HELLO MAIL OKS ">250 second\n", OUTCOME_SENT,
        "250 second", 2, false},
    {"421 at MAIL", FIRST "<MAIL\n>421 tired\nclose\naccept\n" HELLO MAIL OKS ">250 second\n",
        OUTCOME_SENT, "250 second", 2, false},
    {"lost after 354",
        FIRST MAIL ">250 ok\n>250 ok\nreset\naccept\n" HELLO MAIL OKS ">250 second\n", OUTCOME_SENT,
        "250 second", 2, false},
    /* the dot went out: the message may have been taken, it is never sent again at once */
    {"lost after the dot", FIRST MAIL OKS "close\n", OUTCOME_DEFERRED,
        "lost connection with 127.0.0.1[127.0.0.1] while sending end of data", 1, true},
    {"refused by 5xx", FIRST "<MAIL\n<RCPT\n<DATA\n>250 ok\n>550 who\n>503 no\n<RSET\n>250 ok\n",
        OUTCOME_BOUNCED, "host 127.0.0.1[127.0.0.1] said: 550 who", 1, true},
    /* the only server said 4xx: asking it again over a new connection is no use */
    {"refused by 4xx", FIRST "<MAIL\n<RCPT\n<DATA\n>250 ok\n>450 wait\n>503 no\n<RSET\n>250 ok\n",
        OUTCOME_DEFERRED, "host 127.0.0.1[127.0.0.1] said: 450 wait", 1, true},
};

static int count(const char *text, const char *part)
{
	int n = 0;

	for (text = strstr(text, part); text; text = strstr(text + 1, part))
		n++;
	return n;
}

/* The server's close has to have arrived before the second request looks. */
static void settle_down(void)
{
	struct timespec pause = {0, 30 * 1000 * 1000};

	nanosleep(&pause, NULL);
}

START_TEST(reuses)
{
	struct fake_server server = fake_server_start(cases[_i].script);
	char *nexthop = alloc_printf("[127.0.0.1]:%u", server.port), *heard;

	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, 1, DELIVER_KEEP, 0, "one\r\n", 5);
	ck_assert_str_eq(fx.results[0].reason, "250 first");
	ck_assert_uint_gt(fx.result.reusable_ms, 1000);
	ck_assert_uint_le(fx.result.reusable_ms, 2000);
	ck_assert_int_ge(fx.client.idle.fd, 0);
	settle_down();
	fixture_deliver(nexthop, 1, DELIVER_KEEP, 0, "two\r\n", 5);
	ck_assert_msg(
	    fx.results[0].outcome == cases[_i].outcome &&
	        strncmp(fx.results[0].reason, cases[_i].reason, strlen(cases[_i].reason)) == 0,
	    "%s: %s", cases[_i].name, fx.results[0].reason);
	ck_assert_msg((strstr(fx.relay, ", conn_use=2") != NULL) == cases[_i].same, "%s", fx.relay);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_msg(!strstr(heard, "\n!"), "%s:\n%s", cases[_i].name, heard);
	ck_assert_int_eq(count(heard, "*\n"), cases[_i].connections);
	free(heard);
	free(nexthop);
}
END_TEST

START_TEST(ends_when_idle)
{
	struct fake_server server = fake_server_start(FIRST "<QUIT\n");
	char *nexthop = alloc_printf("[127.0.0.1]:%u", server.port), *heard;

	fixture_init();
	fixture_start();
	fixture_deliver(nexthop, 1, DELIVER_KEEP, 0, "one\r\n", 5);
	ck_assert_int_gt(fx.client.idle.at_ms, clock_mono_ms());
	fx.client.idle.expired(&fx.client);
	ck_assert_int_eq(fx.client.idle.fd, -1);
	ck_assert_int_eq(fx.client.idle.at_ms, 0);
	ck_assert_ptr_null(fx.client.kept);
	fx.client.idle.expired(&fx.client);
	heard = fake_server_stop(&server);
	ck_assert_msg(!strchr(heard, '!'), "%s", heard);
	fixture_fini();
	free(heard);
	free(nexthop);
}
END_TEST

/* Another destination, a limit of uses, a session too old: QUIT, and a new one. */
START_TEST(does_not_reuse)
{
	struct fake_server server =
	    fake_server_start(FIRST "<QUIT\naccept\n" HELLO MAIL OKS ">250 second\n");
	char *nexthop = alloc_printf("[127.0.0.1]:%u", server.port), *heard;
	char *other = alloc_printf("inet:[127.0.0.1]:%u", server.port);

	fixture_init();
	fx.params.reuse_count_limit = _i == 1;
	fixture_start();
	fixture_deliver(nexthop, 1, DELIVER_KEEP, 0, "one\r\n", 5);
	ck_assert_int_eq(fx.result.reusable_ms == 0, _i == 1);
	if (_i == 2)
		clock_offset_for_tests(301 * 1000);
	fixture_deliver(_i == 0 ? other : nexthop, 1, 0, 0, "two\r\n", 5);
	ck_assert_str_eq(fx.results[0].reason, "250 second");
	ck_assert_uint_eq(fx.result.reusable_ms, 0);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_msg(!strchr(heard, '!'), "%s", heard);
	ck_assert_int_eq(count(heard, "*\n"), 2);
	free(heard);
	free(nexthop);
	free(other);
}
END_TEST

/* A destination of smtp_connection_cache_destinations is kept without being asked to. */
START_TEST(keeps_listed_destinations)
{
	struct fake_server server = fake_server_start(FIRST "<QUIT\n");
	char *nexthop = alloc_printf("[127.0.0.1]:%u", server.port), *heard;

	fixture_init();
	fx.params.cache_destinations = _i ? nexthop : "other.test";
	fixture_start();
	fixture_deliver(nexthop, 1, 0, 0, "one\r\n", 5);
	ck_assert_int_eq(fx.result.reusable_ms > 0, _i);
	fixture_fini();
	heard = fake_server_stop(&server);
	ck_assert_msg(!strchr(heard, '!'), "%s", heard);
	free(heard);
	free(nexthop);
}
END_TEST

TCase *reuse_tcase(void)
{
	TCase *tc = tcase_create("reuse");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, reuses, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, ends_when_idle);
	tcase_add_loop_test(tc, does_not_reuse, 0, 3);
	tcase_add_loop_test(tc, keeps_listed_destinations, 0, 2);
	return tc;
}
