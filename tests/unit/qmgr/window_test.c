/* SPDX-License-Identifier: ISC */
/* How many deliveries a destination gets, and its rest when it seems dead. */
#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

#include <stdio.h>
#include <string.h>

static char id[QUEUE_ID_MAX];

static void many(int count, const char *transport, const char *nexthop)
{
	while (count-- > 0)
		fixture_note(id, 1, transport, nexthop);
	fixture_turn();
}

START_TEST(grows_to_the_limit)
{
	size_t widest = 0;

	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	many(200, "smtp", "a.test");
	ck_assert_uint_eq(jobs_waiting(NULL), 5);
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(jobs_waiting(NULL), 10);
	while (jobs_waiting(NULL) > 0) {
		widest = jobs_waiting(NULL) > widest ? jobs_waiting(NULL) : widest;
		jobs_answer(NULL, OUTCOME_SENT, NULL);
	}
	ck_assert_uint_eq(widest, 20);
	ck_assert_uint_eq(fx.count, 200);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(no_limit)
{
	fixture_open("smtp_destination_concurrency_limit = 0\n");
	fixture_serve("smtp");
	fixture_start();
	many(60, "smtp", "a.test");
	ck_assert_uint_eq(jobs_waiting(NULL), 60);
	fixture_close();
}
END_TEST

START_TEST(dead_destination_rests)
{
	const char *suspended = "4.4.1 delivery temporarily suspended: connect to a: refused";

	fixture_open("default_destination_recipient_limit = 50\nminimal_backoff_time = 100s\n");
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_start();
	many(20, "smtp", "a.test");
	fixture_note(id, 1, "smtp", "b.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("a.test"), 5);
	/* four failures use up a window of five; the fifth delivery is still under way */
	for (int i = 0; i < 4; i++)
		job_answer(&fx.jobs[i], OUTCOME_SKIPPED, "connect to a: refused");
	fixture_turn();
	ck_assert_uint_ge(jobs_waiting(suspended), 5);
	ck_assert_uint_ge(jobs_waiting("b.test"), 1);
	fx.answer = answer_deferred;
	fixture_bounce();
	jobs_answer(suspended, OUTCOME_DEFERRED, NULL);
	ck_assert_uint_ge((size_t)fx.moved, 15);
	fx.answer = NULL;
	many(3, "smtp", "a.test");
	ck_assert_uint_eq(jobs_waiting(suspended), 3);
	fixture_pass(101000);
	many(3, "smtp", "a.test");
	ck_assert_uint_ge(jobs_waiting("a.test"), 3);
	fixture_close();
}
END_TEST

START_TEST(flush_ends_the_rest)
{
	fixture_open("");
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_start();
	many(5, "smtp", "a.test");
	for (int i = 0; i < 4; i++)
		job_answer(&fx.jobs[i], OUTCOME_SKIPPED, "refused");
	fixture_turn();
	many(1, "smtp", "a.test");
	ck_assert_uint_eq(jobs_waiting("a.test"), 1);
	dests_revive(&fx.q);
	many(1, "smtp", "a.test");
	ck_assert_uint_eq(jobs_waiting("a.test"), 2);
	fixture_close();
}
END_TEST

START_TEST(cohort_limit_zero_never_rests)
{
	fixture_open("smtp_destination_concurrency_failed_cohort_limit = 0\n");
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_start();
	many(30, "smtp", "a.test");
	for (int i = 0; i < 20; i++) {
		job_answer(&fx.jobs[i], OUTCOME_SKIPPED, "refused");
		fixture_turn();
	}
	ck_assert_uint_eq(jobs_waiting("a.test"), 1); /* the smallest window */
	ck_assert_uint_eq(jobs_waiting(NULL), 1);
	fixture_close();
}
END_TEST

START_TEST(local_family)
{
	fixture_open("");
	fixture_serve("local");
	fixture_start();
	fixture_note(id, 5, "local", "mx.example.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting(NULL), 5); /* one recipient each, five mailboxes */
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(fx.jobs[i].request.rcpts.count, 1);
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	many(6, "local", "mx.example.test");
	ck_assert_uint_eq(jobs_waiting(NULL), 2); /* one mailbox */
	fixture_close();
}
END_TEST

START_TEST(recipients_per_delivery)
{
	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	fixture_note(id, 120, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting(NULL), 3);
	ck_assert_uint_eq(fx.jobs[0].request.rcpts.count, 50);
	ck_assert_uint_eq(fx.jobs[2].request.rcpts.count, 20);
	fixture_close();
}
END_TEST

TCase *window_tcase(void)
{
	TCase *tc = tcase_create("window");

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, grows_to_the_limit);
	tcase_add_test(tc, no_limit);
	tcase_add_test(tc, dead_destination_rests);
	tcase_add_test(tc, flush_ends_the_rest);
	tcase_add_test(tc, cohort_limit_zero_never_rests);
	tcase_add_test(tc, local_family);
	tcase_add_test(tc, recipients_per_delivery);
	return tc;
}
