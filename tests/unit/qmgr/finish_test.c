/* SPDX-License-Identifier: ISC */
/* The end of a message: removed, deferred, returned, gone. */
#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys/clock.h"

static char id[QUEUE_ID_MAX];

static bool exists(const char *dir)
{
	char path[256];

	queue_path(fx.q.queue, dir, id, path, sizeof(path));
	return access(path, F_OK) == 0;
}

static void open_all(const char *settings)
{
	fixture_open(settings);
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_bounce();
	fixture_start();
}

START_TEST(sent_is_removed)
{
	open_all("");
	fixture_note(id, 3, "smtp", "a.test");
	fixture_turn();
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fixture_active(), 0);
	ck_assert(fixture_logged("from=<sender@example.test>, size=14, nrcpt=3 (queue active)"));
	ck_assert(fixture_logged(": removed"));
	fixture_close();
}
END_TEST

static const struct {
	int64_t age_s, delay_s;
} backoffs[] = {{0, 300}, {100, 300}, {1000, 1000}, {3999, 3999}, {10000, 4000}, {-5000, 300}};

START_TEST(back_off)
{
	int64_t now, delay;

	open_all("queue_run_delay = 30000s\n");
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	fixture_pass(backoffs[_i].age_s * 1000); /* or the clock is set back */
	now = clock_wall_us() / 1000000;
	jobs_answer(NULL, OUTCOME_DEFERRED, NULL);
	ck_assert_int_eq(fx.moved, 1);
	delay = (int64_t)fx.retry_at - now;
	ck_assert_msg(delay >= backoffs[_i].delay_s - 1 && delay <= backoffs[_i].delay_s + 2,
	    "%lld instead of %lld", (long long)delay, (long long)backoffs[_i].delay_s);
	ck_assert(exists("deferred"));
	fixture_close();
}
END_TEST

static const struct {
	const char *sender, *line;
} expiries[] = {
    {"sender@example.test", "from=<sender@example.test>, status=expired, returned to sender"},
    {"", "from=<>, status=expired, returned to sender"},
};

START_TEST(expires)
{
	open_all("maximal_queue_lifetime = 2h\nbounce_queue_lifetime = 1h\n");
	fixture_deferred(id, expiries[_i].sender, 0, "smtp", "a.test");
	scan_deferred(&fx.q, false);
	fixture_turn();
	fx.answer = answer_deferred;
	jobs_answer(NULL, OUTCOME_DEFERRED, NULL);
	ck_assert_int_eq(fx.moved, 1);
	fixture_pass(3000 * 1000);
	fixture_pass(3300 * 1000);
	ck_assert(fixture_logged("status=expired") == (_i == 1));
	fixture_pass(4500 * 1000);
	ck_assert(fixture_logged(expiries[_i].line));
	ck_assert_int_eq(fx.appended, 1);
	ck_assert_int_eq(fx.flushed, 1);
	ck_assert(!exists("deferred") && !exists("active"));
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(forced_expiry)
{
	char path[256];

	open_all("");
	fixture_deferred(id, "sender@example.test", 0, "smtp", "a.test");
	queue_path(fx.q.queue, "deferred", id, path, sizeof(path));
	ck_assert_int_eq(chmod(path, 0710), 0);
	scan_deferred(&fx.q, false);
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("4.7.0 message is administratively expired"), 1);
	ck_assert_uint_eq(jobs_waiting(NULL), 1);
	jobs_answer(NULL, OUTCOME_DEFERRED, NULL);
	ck_assert(
	    fixture_logged("from=<sender@example.test>, status=force-expired, returned to sender"));
	ck_assert_int_eq(fx.flushed, 1);
	ck_assert(!exists("active"));
	fixture_close();
}
END_TEST

START_TEST(bounces)
{
	open_all("");
	fixture_note(id, 3, "smtp", "a.test");
	fixture_turn();
	jobs_answer(NULL, OUTCOME_BOUNCED, NULL);
	ck_assert_int_eq(fx.appended, 3);
	ck_assert_int_eq(fx.flushed, 1);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

/* What bounces while others are being written down goes with the next request: few syncs. */
START_TEST(bounces_together)
{
	open_all("smtp_destination_recipient_limit = 10\n");
	fixture_note(id, 50, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting(NULL), 5);
	jobs_answer(NULL, OUTCOME_BOUNCED, NULL);
	ck_assert_int_eq(fx.appended, 50);
	ck_assert_int_le(fx.append_requests, 5);
	ck_assert_int_eq(fx.flushed, 1);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

/* bounce(8) dies with some of them in hand: all of them are written down in the end, and marked. */
START_TEST(bounces_survive)
{
	open_all("smtp_destination_recipient_limit = 10\nqueue_run_delay = 30000s\n"
	         "minimal_backoff_time = 1s\n");
	fx.bounce_fails = true;
	fixture_note(id, 30, "smtp", "a.test");
	fixture_turn();
	jobs_answer(NULL, OUTCOME_BOUNCED, NULL);
	ck_assert_int_eq(fx.appended, 0);
	ck_assert_uint_eq(fixture_active(), 1);
	fx.bounce_fails = false;
	fixture_pass(5000);
	ck_assert_int_eq(fx.moved, 1); /* tried again later */
	scan_deferred(&fx.q, true);
	fixture_turn();
	jobs_answer(NULL, OUTCOME_BOUNCED, NULL);
	ck_assert_int_eq(fx.appended, 30);
	ck_assert_int_eq(fx.flushed, 1);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

/* A full disk: bounce(8) answers, but cannot write. */
START_TEST(bounce_cannot_write)
{
	open_all("maximal_queue_lifetime = 0\nqueue_run_delay = 30000s\n");
	fx.bounce_fails = true;
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	jobs_answer(NULL, OUTCOME_DEFERRED, NULL);
	fixture_pass(5000);
	fixture_pass(5000);
	ck_assert_uint_eq(fixture_active(), 1);
	fx.bounce_fails = false;
	fixture_pass(5000);
	ck_assert_int_eq(fx.moved, 1);
	ck_assert_uint_eq(fixture_active(), 0);
	ck_assert(exists("deferred"));
	fixture_close();
}
END_TEST

START_TEST(operator_removes_it)
{
	struct mail *mail;
	struct err err;

	open_all("");
	fixture_note(id, 60, "smtp", "a.test");
	fixture_turn();
	mail = map_get(fx.q.mails, id);
	ck_assert_int_eq(message_finish(fx.q.queue, &mail->loc, id, &err), 0);
	jobs_answer(NULL, OUTCOME_SKIPPED, NULL);
	fixture_pass(11000);
	/* a lane's record stays readable; nothing of it is offered again once it is done */
	jobs_answer(NULL, OUTCOME_SKIPPED, NULL);
	fixture_pass(11000);
	ck_assert(!fixture_logged("warning"));
	fixture_close();
}
END_TEST

START_TEST(operator_removes_the_file)
{
	char path[256];

	open_all("");
	fixture_deferred(id, "sender@example.test", 0, "smtp", "a.test");
	scan_deferred(&fx.q, false);
	fixture_turn();
	queue_path(fx.q.queue, "active", id, path, sizeof(path));
	ck_assert_int_eq(unlink(path), 0);
	jobs_answer(NULL, OUTCOME_DEFERRED, NULL);
	ck_assert_uint_eq(fixture_active(), 0);
	ck_assert(!exists("deferred") && !exists("defer"));
	fixture_close();
}
END_TEST

START_TEST(skipped_is_looked_at_again)
{
	open_all("");
	fixture_note(id, 2, "smtp", "a.test");
	fixture_turn();
	jobs_answer(NULL, OUTCOME_SKIPPED, NULL);
	ck_assert_uint_eq(jobs_waiting(NULL), 0);
	fixture_pass(11000);
	ck_assert_uint_eq(jobs_waiting(NULL), 1);
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fixture_active(), 0);
	ck_assert(fixture_logged(": removed"));
	fixture_close();
}
END_TEST

TCase *finish_tcase(void)
{
	TCase *tc = tcase_create("finish");

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, sent_is_removed);
	tcase_add_loop_test(tc, back_off, 0, (int)ARRAY_LEN(backoffs));
	tcase_add_loop_test(tc, expires, 0, (int)ARRAY_LEN(expiries));
	tcase_add_test(tc, forced_expiry);
	tcase_add_test(tc, bounces);
	tcase_add_test(tc, bounces_together);
	tcase_add_test(tc, bounces_survive);
	tcase_add_test(tc, bounce_cannot_write);
	tcase_add_test(tc, operator_removes_it);
	tcase_add_test(tc, operator_removes_the_file);
	tcase_add_test(tc, skipped_is_looked_at_again);
	return tc;
}
