/* SPDX-License-Identifier: ISC */
/* Rates from tables and pauses after answers, at work in the scheduler. */
#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

#include <stdio.h>
#include <string.h>

#include "qmgr/check.h"

static char id[QUEUE_ID_MAX];

static void begin(const char *settings)
{
	fixture_open(settings);
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_bounce();
	fixture_start();
}

static void many(int count, const char *transport, const char *nexthop)
{
	while (count-- > 0)
		fixture_note(id, 1, transport, nexthop);
	fixture_turn();
}

/* All that is under way is delivered, by that host, or by none that is known. */
static void deliver_all(const char *host)
{
	fx.relay = host;
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	fx.relay = NULL;
}

static size_t started(const char *nexthop)
{
	size_t n = 0;

	for (size_t i = 0; i < fx.count; i++)
		n += strcmp(fx.jobs[i].request.nexthop, nexthop) == 0;
	return n;
}

/* Time passes in steps; all is delivered at once. */
static void pass(int seconds, const char *host)
{
	for (int i = 0; i < seconds; i++) {
		fixture_pass(1000);
		deliver_all(host);
	}
}

START_TEST(by_destination)
{
	begin("destination_rate_maps = inline:{ {a.test = 6/1m}, {b.test = 6/1m burst=3} }\n");
	many(20, "smtp", "[a.test]:2525");
	many(20, "smtp", "sub.b.test");
	many(20, "smtp", "c.test");
	deliver_all(NULL);
	ck_assert_uint_eq(started("[a.test]:2525"), 1);
	ck_assert_uint_eq(started("sub.b.test"), 3);
	pass(9, NULL);
	ck_assert_uint_eq(started("[a.test]:2525"), 1);
	ck_assert_uint_eq(started("c.test"), 20);
	pass(51, NULL);
	ck_assert_uint_eq(started("[a.test]:2525"), 7);
	ck_assert_uint_eq(started("sub.b.test"), 9);
	fixture_close();
}
END_TEST

START_TEST(one_bucket_for_several)
{
	begin("destination_rate_maps = inline:{ {a.test = 6/1m}, {b.test = 6/1m share=x},"
	      " {c.test = 6/1m share=x}, {d.test = none} }, static:6/1m\n");
	many(20, "smtp", "x.a.test");
	many(20, "smtp", "y.a.test");
	many(20, "smtp", "b.test");
	many(20, "smtp", "c.test");
	many(20, "smtp", "d.test");
	many(20, "smtp", "e.test");
	deliver_all(NULL);
	pass(60, NULL);
	ck_assert_uint_eq(started("x.a.test") + started("y.a.test"), 7);
	ck_assert_uint_ge(started("x.a.test"), 1);
	ck_assert_uint_ge(started("y.a.test"), 1);
	ck_assert_uint_eq(started("b.test") + started("c.test"), 7);
	ck_assert_uint_eq(started("d.test"), 20);
	ck_assert_uint_eq(started("e.test"), 7);
	fixture_close();
}
END_TEST

START_TEST(by_transport)
{
	begin("transport_rate_maps = inline:{ {smtp = 30/1m} }\n");
	many(20, "smtp", "a.test");
	many(20, "smtp", "b.test");
	deliver_all(NULL);
	pass(20, NULL);
	ck_assert_uint_eq(fx.count, 11);
	fixture_close();
}
END_TEST

/* Two domains at one provider, which is not known before the first delivery. */
START_TEST(by_provider)
{
	begin("mx_rate_maps = inline:{ {google.test = 6/1m} }\n");
	many(20, "smtp", "a.test");
	many(20, "smtp", "b.test");
	ck_assert_uint_eq(jobs_waiting("a.test"), 1); /* one finds out */
	ck_assert_uint_eq(jobs_waiting("b.test"), 1);
	ck_assert(fx.jobs[0].request.flags & DELIVER_TELL_RELAY);
	deliver_all("aspmx.l.google.test");
	ck_assert_uint_eq(fx.count, 2);
	pass(70, "alt1.aspmx.l.google.test");
	ck_assert_uint_ge(fx.count, 7);
	ck_assert_uint_le(fx.count, 8);
	/* it is still known when the destination is not */
	many(5, "smtp", "c.test");
	deliver_all("mx.elsewhere.test");
	ck_assert_uint_eq(started("c.test"), 5);
	fixture_close();
}
END_TEST

START_TEST(not_for_other_agents)
{
	begin("destination_rate_maps = static:1/1h\n");
	fixture_serve("local");
	many(10, "local", "localhost");
	ck_assert_uint_ge(started("localhost"), 2);
	ck_assert_uint_eq(started("localhost"), jobs_waiting("localhost"));
	fixture_close();
}
END_TEST

START_TEST(bad_value_is_no_limit)
{
	begin("destination_rate_maps = inline:{ {a.test = 6 per minute} }\n");
	many(10, "smtp", "a.test");
	deliver_all(NULL);
	ck_assert(fixture_logged("warning: destination_rate_maps: key a.test: value \"6 per "
	                         "minute\": expected N/period"));
	ck_assert_uint_eq(started("a.test"), 10);
	fixture_close();
}
END_TEST

/* ---- pauses --------------------------------------------------------------------------------- */

#define BACKOFFS                                                                         \
	"destination_backoff_maps = regexp:{ {/^421 4\\.7\\.0 short/ 60s}, {/^421/ 10m " \
	"concurrency=2}, "                                                               \
	"{/^45. .*provider/ 10m scope=mx} }\n"

static void refuse(const char *nexthop, const char *host, const char *diag)
{
	fx.relay = host;
	fx.diag = diag;
	jobs_answer(nexthop, OUTCOME_DEFERRED, NULL);
	fx.relay = fx.diag = NULL;
}

START_TEST(a_long_pause_defers)
{
	begin(BACKOFFS "smtp_initial_destination_concurrency = 1\n");
	many(3, "smtp", "a.test");
	many(1, "smtp", "b.test");
	refuse("a.test", "mx.a.test", "smtp; 421 4.7.0 too many messages");
	ck_assert(fixture_logged("warning: backing off from destination a.test for 600 seconds, "
	                         "then 2 at a time: because"));
	ck_assert_uint_eq(started("a.test"), 1);
	ck_assert_uint_eq(jobs_waiting("4.0.0 delivery temporarily suspended: because"), 2);
	jobs_answer("4.0.0 delivery temporarily suspended: because", OUTCOME_DEFERRED, NULL);
	ck_assert_uint_eq(jobs_waiting("b.test"), 1);
	fixture_pass(590000);
	many(1, "smtp", "a.test");
	ck_assert_uint_eq(started("a.test"), 1);
	fixture_pass(11000);
	many(6, "smtp", "a.test");
	ck_assert_uint_eq(jobs_waiting("a.test"), 1); /* no more than before */
	fixture_close();
}
END_TEST

START_TEST(a_short_pause_waits)
{
	begin(BACKOFFS);
	many(12, "smtp", "a.test");
	ck_assert_uint_eq(jobs_waiting("a.test"), 5);
	refuse("a.test", "mx.a.test", "smtp; 421 4.7.0 short of breath");
	ck_assert_uint_eq(started("a.test"), 5);
	ck_assert_uint_eq(fx.moved, 5);
	fixture_pass(50000);
	ck_assert_uint_eq(started("a.test"), 5);
	fixture_pass(11000);
	ck_assert_uint_eq(started("a.test"), 6); /* then one at a time, to begin with */
	deliver_all("mx.a.test");
	ck_assert_uint_eq(jobs_waiting("a.test"), 2);
	fixture_close();
}
END_TEST

START_TEST(a_flush_ends_pauses)
{
	begin(BACKOFFS);
	many(6, "smtp", "a.test");
	refuse("a.test", "mx.a.test", "smtp; 421 4.7.0 short of breath");
	ck_assert_uint_eq(started("a.test"), 5);
	dests_revive(&fx.q);
	fixture_turn();
	ck_assert_uint_eq(started("a.test"), 6);
	fixture_close();
}
END_TEST

START_TEST(a_whole_provider)
{
	begin(BACKOFFS);
	many(1, "smtp", "a.test");
	many(1, "smtp", "b.test");
	many(1, "smtp", "c.test");
	fx.relay = "mx1.big.test";
	jobs_answer("a.test", OUTCOME_SENT, NULL);
	fx.relay = "mx.small.test";
	jobs_answer("c.test", OUTCOME_SENT, NULL);
	refuse("b.test", "mx2.big.test", "smtp; 450 4.7.0 says the provider");
	ck_assert(fixture_logged("warning: backing off from mail provider big.test for 600"));
	many(1, "smtp", "a.test");
	many(1, "smtp", "b.test");
	many(1, "smtp", "c.test");
	ck_assert_uint_eq(jobs_waiting("4.0.0 delivery temporarily suspended: because"), 2);
	ck_assert_uint_eq(jobs_waiting("c.test"), 1);
	jobs_answer(NULL, OUTCOME_DEFERRED, NULL);
	fixture_pass(200000);
	many(1, "smtp", "a.test");
	ck_assert_uint_eq(jobs_waiting("4.0.0 delivery temporarily suspended: because"), 1);
	jobs_answer(NULL, OUTCOME_DEFERRED, NULL);
	fixture_pass(401000);
	many(1, "smtp", "a.test");
	ck_assert_uint_ge(jobs_waiting("a.test"), 1);
	fixture_close();
}
END_TEST

START_TEST(other_answers_do_not_matter)
{
	begin(BACKOFFS);
	many(7, "smtp", "a.test");
	refuse("a.test", "mx.a.test", "smtp; 450 4.2.1 mailbox busy");
	ck_assert_uint_eq(started("a.test"), 7);
	ck_assert(!fixture_logged("backing off"));
	fixture_close();
}
END_TEST

/* ---- what a reload says --------------------------------------------------------------------- */

static const struct {
	const char *settings, *problem;
} bad[] = {
    {"destination_rate_maps = inline:{ {a.test = 1/s}, {b.test = 1/x} }\n",
        "destination_rate_maps: inline:{ {a.test = 1/s}, {b.test = 1/x} }: b.test: value \"1/x\": "
        "period \"x\": expected"},
    {"transport_rate_maps = static:fast\n",
        "transport_rate_maps: static:fast: any key: value \"fast\": expected N/period"},
    {"mx_rate_maps = texthash:rates\n", "mx_rate_maps: texthash:rates: google.com: value \"0/1m\""},
    {"mx_rate_maps = texthash:nosuch\n", "mx_rate_maps: texthash:nosuch: "},
    {"mx_rate_maps = hsah:x\n", "did you mean \"hash\"?"},
    {"destination_backoff_maps = regexp:patterns\n",
        "destination_backoff_maps: regexp:patterns: line 2: "},
    {"destination_backoff_maps = regexp:patterns\n",
        "regexp:patterns: line 3: value \"soon\": time \"soon\": expected"},
};

START_TEST(problems_are_told)
{
	struct conf_report report = {0};
	FILE *f;

	fixture_open(bad[_i].settings);
	ck_assert(
	    (f = fopen("rates", "w")) && fputs("google.com 0/1m\n", f) >= 0 && fclose(f) == 0);
	ck_assert((f = fopen("patterns", "w")) &&
	          fputs("/^421/ 5m\n/(/ 5m\n/^450/ soon\n", f) >= 0 && fclose(f) == 0);
	check_tables(fx.service.conf, &fx.params, &report);
	ck_assert_uint_ge(report.problems, 1);
	ck_assert_msg(
	    strstr(str_text(&report.text), bad[_i].problem) != NULL, "%s", str_text(&report.text));
	conf_report_fini(&report);
	fixture_close();
}
END_TEST

START_TEST(no_problems)
{
	struct conf_report report = {0};

	fixture_open(BACKOFFS "mx_rate_maps = inline:{ {a.test = none} }, static:1/s\n");
	check_tables(fx.service.conf, &fx.params, &report);
	ck_assert_msg(report.problems == 0, "%s", str_text(&report.text));
	conf_report_fini(&report);
	fixture_close();
}
END_TEST

/* Thousands that share a limit do not all wake up whenever it lets one of them begin. */
START_TEST(waiting_in_line)
{
	char name[32];
	int64_t soon;
	const char *key;
	size_t woken = 0;
	void *value;

	fixture_open("destination_rate_maps = regexp:{{/./ 20/1s share=all}}\n");
	fixture_serve("smtp");
	fixture_start();
	fx.answer = answer_sent;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "d%d.test", i);
		fixture_note(id, 1, "smtp", name);
	}
	fixture_turn();
	soon = loop_now_ms(fx.q.loop) + 500;
	for (size_t at = 0; map_next(fx.q.dests, &at, &key, &value);) {
		const struct dest *dest = value;

		ck_assert(dest->todo_count == 0 || timer_armed(&dest->wake));
		woken += dest->todo_count > 0 && dest->wake.node.key <= soon;
	}
	ck_assert_uint_ge(woken, 8);
	ck_assert_uint_le(woken, 12);
	for (int i = 0; i < 100; i++)
		fixture_pass(50);
	ck_assert_uint_ge(fx.count, 95);
	fixture_pass(1000);
	fixture_pass(1000);
	ck_assert_uint_eq(fx.count, 100);
	fixture_close();
}
END_TEST

/* Standing in line costs nothing of the rate, and each gets its share of it. */
START_TEST(line_keeps_the_rate)
{
	static const char *const names[] = {"a.test", "b.test", "c.test"};
	size_t served[ARRAY_LEN(names)] = {0}, most;
	int64_t begin;

	fixture_open("destination_rate_maps = regexp:{{/./ 20/1s share=all}}\n");
	fixture_serve("smtp");
	fixture_start();
	fx.answer = answer_sent;
	for (int i = 0; i < 600; i++)
		fixture_note(id, 1, "smtp", names[i / 200]);
	fixture_turn();
	begin = loop_now_ms(fx.q.loop);
	for (int i = 0; i < 1500; i++)
		fixture_pass(1);
	for (size_t i = 0; i < fx.count; i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			served[k] += strcmp(fx.jobs[i].request.nexthop, names[k]) == 0;
	/* a step of time that comes late costs a little */
	most = (size_t)(loop_now_ms(fx.q.loop) - begin) / 50 + 1;
	ck_assert_uint_ge(most, 100);
	ck_assert_msg(fx.count <= most && fx.count >= most * 9 / 10, "%zu of %zu", fx.count, most);
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		ck_assert_msg(
		    served[k] > fx.count / 3 - 8, "%s: %zu of %zu", names[k], served[k], fx.count);
	fixture_close();
}
END_TEST

TCase *limits_tcase(void)
{
	TCase *tc = tcase_create("limits");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, by_destination);
	tcase_add_test(tc, one_bucket_for_several);
	tcase_add_test(tc, by_transport);
	tcase_add_test(tc, by_provider);
	tcase_add_test(tc, not_for_other_agents);
	tcase_add_test(tc, bad_value_is_no_limit);
	tcase_add_test(tc, a_long_pause_defers);
	tcase_add_test(tc, a_short_pause_waits);
	tcase_add_test(tc, a_flush_ends_pauses);
	tcase_add_test(tc, a_whole_provider);
	tcase_add_test(tc, other_answers_do_not_matter);
	tcase_add_loop_test(tc, problems_are_told, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, no_problems);
	tcase_add_test(tc, waiting_in_line);
	tcase_add_test(tc, line_keeps_the_rate);
	return tc;
}
