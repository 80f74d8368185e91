/* SPDX-License-Identifier: ISC */
/* Recipients in memory: how many, and when more are read. Also transports that defer. */
#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/clock.h"

static char id[QUEUE_ID_MAX];

/* Ten recipients a delivery, 40 in memory. */
#define FORTY                                 \
	"qmgr_message_recipient_limit = 40\n" \
	"smtp_recipient_limit = 40\n"         \
	"smtp_destination_recipient_limit = 10\n"

static void begin(const char *settings, size_t rcpts)
{
	char text[400];

	snprintf(text, sizeof(text), FORTY "%s", settings);
	fixture_open(text);
	fixture_serve("smtp");
	fixture_start();
	fixture_note(id, rcpts, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_eq(fx.q.rcpts_loaded, 40);
	ck_assert_uint_eq(jobs_waiting(NULL), 4);
}

static void answer(size_t job)
{
	job_answer(&fx.jobs[job], OUTCOME_SENT, NULL);
	fixture_turn();
}

START_TEST(the_slowest_holds_up_nobody)
{
	begin("default_recipient_refill_limit = 10\n", 200);
	for (size_t i = 1; i < fx.count; i++) {
		answer(i);
		ck_assert_uint_le(fx.q.rcpts_loaded, 40);
	}
	ck_assert_uint_eq(fx.count, 20); /* all but the first are done */
	ck_assert_uint_eq(fx.q.rcpts_loaded, 10);
	answer(0);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(refill_limit)
{
	begin("smtp_recipient_refill_limit = 30\n", 200);
	answer(0);
	answer(1);
	ck_assert_uint_eq(fx.q.rcpts_loaded, 20);
	answer(2);
	ck_assert_uint_eq(fx.q.rcpts_loaded, 40);
	fixture_close();
}
END_TEST

START_TEST(refill_delay)
{
	begin("smtp_recipient_refill_limit = 1000\nsmtp_recipient_refill_delay = 20s\n", 200);
	answer(0);
	ck_assert_uint_eq(fx.q.rcpts_loaded, 30);
	fixture_pass(19000);
	ck_assert_uint_eq(fx.q.rcpts_loaded, 30);
	fixture_pass(1500);
	ck_assert_uint_eq(fx.q.rcpts_loaded, 40);
	fixture_close();
}
END_TEST

/* When nothing of it is left in memory there is no reason to wait. */
START_TEST(all_done)
{
	begin("smtp_recipient_refill_limit = 1000\n", 200);
	for (size_t i = 0; i < 4; i++)
		answer(i);
	ck_assert_uint_eq(fx.q.rcpts_loaded, 40);
	fixture_close();
}
END_TEST

/* An agent found it damaged, which is looked into later: nothing of it is read on before. */
START_TEST(not_while_in_doubt)
{
	begin("smtp_recipient_refill_limit = 1000\n", 200);
	fx.damaged = "envelope is damaged";
	for (size_t i = 0; i < 4; i++)
		job_answer(&fx.jobs[i], OUTCOME_SKIPPED, NULL);
	fixture_turn();
	ck_assert(fixture_logged("not found damaged: envelope is damaged"));
	fx.damaged = NULL;
	fixture_pass(6000);
	ck_assert_uint_eq(jobs_waiting(NULL), 0);
	fixture_pass(56000);
	ck_assert_uint_eq(jobs_waiting(NULL), 4);
	fx.answer = answer_sent;
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fixture_active(), 0);
	ck_assert_uint_eq(fx.count, 4 + 20);
	fixture_close();
}
END_TEST

static const struct {
	const char *settings;
	size_t loaded; /* of one message of 50 recipients, and of a second one */
} limits[] = {
    {"qmgr_message_recipient_limit = 30\nsmtp_recipient_limit = 0\n", 40},
    {"qmgr_message_recipient_limit = 1\nsmtp_recipient_limit = 0\n", 20},
    {"qmgr_message_recipient_limit = 1\nsmtp_recipient_limit = 0\n"
     "qmgr_message_recipient_minimum = 3\n",
        6},
    {"qmgr_message_recipient_limit = 1\nsmtp_recipient_limit = 45\n"
     "smtp_recipient_refill_limit = 5\n",
        55},
    {"qmgr_message_recipient_limit = 100\nsmtp_recipient_limit = 0\n", 100},
};

START_TEST(limit_and_minimum)
{
	fixture_open(limits[_i].settings);
	fixture_serve("smtp");
	fixture_start();
	for (int i = 0; i < 2; i++) {
		fixture_message(id, "sender@example.test", 50, "smtp", "a.test");
		scan_new_mail(&fx.q);
		fixture_turn();
	}
	ck_assert_uint_eq(fx.q.rcpts_loaded, limits[_i].loaded);
	fx.answer = answer_sent;
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

static const struct {
	int extra;
	size_t loaded;
} extras[] = {{0, 60}, {40, 70}};

/* A message that passes another has some room of its own. */
START_TEST(extra_limit)
{
	char settings[500];

	snprintf(settings, sizeof(settings),
	    "one_destination_recipient_limit = 1\nqmgr_message_recipient_limit = 50\n"
	    "one_recipient_limit = 50\none_recipient_refill_limit = 5\n"
	    "one_delivery_slot_cost = 2\none_delivery_slot_discount = 100\n"
	    "default_extra_recipient_limit = %d\n",
	    extras[_i].extra);
	fixture_open(settings);
	fixture_serve("one");
	fixture_start();
	fixture_message(id, "sender@example.test", 400, "one", "a.test");
	scan_new_mail(&fx.q);
	fixture_turn();
	ck_assert_uint_eq(fx.q.rcpts_loaded, 50);
	fixture_message(id, "sender@example.test", 60, "one", "b.test");
	scan_new_mail(&fx.q);
	fixture_turn();
	ck_assert_uint_eq(fx.q.rcpts_loaded, 60);
	for (size_t i = 0; i < 2; i++)
		answer(i);
	ck_assert_str_eq(fx.jobs[2].request.id, id);
	ck_assert_uint_eq(fx.q.rcpts_loaded, extras[_i].loaded - 2);
	fixture_close();
}
END_TEST

START_TEST(deferred_transports)
{
	const char *why = "4.3.2 deferred transport";

	fixture_open("defer_transports = uucp smtp\n");
	fixture_serve("smtp");
	fixture_serve("small");
	fixture_serve("retry");
	fixture_bounce();
	fixture_start();
	fixture_note(id, 1, "small", "a.test");
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("a.test"), 1);
	ck_assert_uint_eq(jobs_waiting(why), 1);
	jobs_answer(why, OUTCOME_DEFERRED, NULL);
	ck_assert_int_eq(fx.moved, 1);
	scan_deferred(&fx.q, true); /* a flush */
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("a.test"), 2);
	fixture_close();
}
END_TEST

/* The next delivery goes to who has a session, not to who was idle last. */
START_TEST(sessions_are_preferred)
{
	const struct fake_agent *a, *b;

	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	fixture_note(id, 1, "smtp", "a.test");
	fixture_note(id, 1, "smtp", "b.test");
	fixture_turn();
	a = fx.jobs[0].agent;
	b = fx.jobs[1].agent;
	ck_assert(a != b);
	fx.reusable_ms = 5000;
	answer(0);
	answer(1);
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_ptr_eq(fx.jobs[2].agent, a);
	fixture_note(id, 1, "smtp", "c.test"); /* b's session is not taken from it */
	fixture_turn();
	ck_assert(fx.jobs[3].agent != a && fx.jobs[3].agent != b);
	fixture_note(id, 1, "smtp", "b.test");
	fixture_turn();
	ck_assert_ptr_eq(fx.jobs[4].agent, b);
	answer(4);
	fixture_pass(6000); /* the session has ended by itself */
	fixture_note(id, 1, "smtp", "d.test");
	fixture_turn();
	ck_assert_ptr_eq(fx.jobs[5].agent, b);
	fixture_close();
}
END_TEST

TCase *refill_tcase(void)
{
	TCase *tc = tcase_create("refill");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, the_slowest_holds_up_nobody);
	tcase_add_test(tc, refill_limit);
	tcase_add_test(tc, refill_delay);
	tcase_add_test(tc, all_done);
	tcase_add_test(tc, not_while_in_doubt);
	tcase_add_loop_test(tc, limit_and_minimum, 0, (int)ARRAY_LEN(limits));
	tcase_add_loop_test(tc, extra_limit, 0, (int)ARRAY_LEN(extras));
	tcase_add_test(tc, deferred_transports);
	tcase_add_test(tc, sessions_are_preferred);
	return tc;
}
