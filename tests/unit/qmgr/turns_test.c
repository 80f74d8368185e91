/* SPDX-License-Identifier: ISC */
/* Destinations that compete for few agents. The service "small" has three processes. */
#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

#include <stdio.h>
#include <string.h>

static size_t served(const char *nexthop)
{
	size_t n = 0;

	for (size_t i = 0; i < fx.count; i++)
		n += strcmp(fx.jobs[i].request.nexthop, nexthop) == 0;
	return n;
}

static void put(int count, const char *nexthop)
{
	char id[QUEUE_ID_MAX];

	while (count-- > 0)
		fixture_note(id, 1, "small", nexthop);
}

/* The oldest request under way is answered. */
static void answer_one(size_t *next)
{
	ck_assert_uint_lt(*next, fx.count);
	job_answer(&fx.jobs[(*next)++], OUTCOME_SENT, NULL);
	fixture_turn();
}

static const int dest_counts[] = {2, 3, 4, 7};

START_TEST(all_get_their_share)
{
	int dests = dest_counts[_i];
	size_t next = 0;
	char name[16];

	fixture_open("");
	fixture_serve("small");
	fixture_start();
	for (int d = 0; d < dests; d++) {
		snprintf(name, sizeof(name), "d%d", d);
		put(40, name);
	}
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting(NULL), 3);
	for (int i = 0; i < 10 * dests; i++)
		answer_one(&next);
	for (int d = 0; d < dests; d++) {
		snprintf(name, sizeof(name), "d%d", d);
		ck_assert_msg(served(name) >= 9 && served(name) <= 13, "%s: %zu of %zu", name,
		    served(name), fx.count);
	}
	fixture_close();
}
END_TEST

START_TEST(five_thousand_do_not_delay_another)
{
	size_t next = 0;

	fixture_open("");
	fixture_serve("small");
	fixture_start();
	put(5000, "big");
	fixture_turn();
	answer_one(&next);
	put(1, "other");
	fixture_turn();
	answer_one(&next);
	answer_one(&next);
	ck_assert_uint_eq(served("other"), 1);
	fixture_close();
}
END_TEST

/* What a dead destination's mail did not get is no turn of the mail that comes later. */
START_TEST(deferred_mail_has_had_no_turns)
{
	char id[QUEUE_ID_MAX];
	size_t before;

	fixture_open("one_initial_destination_concurrency = 1\n");
	fixture_serve("one");
	fixture_serve("retry");
	fixture_bounce();
	fixture_start();
	for (int i = 0; i < 60; i++)
		fixture_note(id, 1, "one", "a.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("a.test"), 1);
	job_answer(&fx.jobs[0], OUTCOME_SKIPPED, "connect to a: refused");
	fx.answer = answer_deferred;
	fixture_turn();
	ck_assert_int_eq(fx.moved, 59);
	fx.answer = NULL;
	dests_revive(&fx.q);
	before = served("a.test");
	for (int i = 0; i < 40; i++)
		fixture_note(id, 1, "one", "b.test");
	fixture_note(id, 1, "one", "a.test");
	fixture_turn();
	for (int i = 0; i < 4; i++)
		jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(served("a.test") - before, 1);
	fixture_close();
}
END_TEST

TCase *turns_tcase(void)
{
	TCase *tc = tcase_create("turns");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, all_get_their_share, 0, (int)ARRAY_LEN(dest_counts));
	tcase_add_test(tc, five_thousand_do_not_delay_another);
	tcase_add_test(tc, deferred_mail_has_had_no_turns);
	return tc;
}
