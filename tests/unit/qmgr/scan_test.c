/* SPDX-License-Identifier: ISC */
/* Mail that is found on disk, and the limits of the active queue. */
#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/queue/record.h"
#include "lib/sys/clock.h"

static char id[QUEUE_ID_MAX];

static void open_all(const char *settings)
{
	fixture_open(settings);
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_bounce();
}

START_TEST(found_at_the_start)
{
	open_all("");
	for (int i = 0; i < 300; i++)
		fixture_message(id, "sender@example.test", 1, "smtp", "a.test");
	fx.answer = answer_sent;
	fixture_start();
	ck_assert_uint_eq(fx.count, 300);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

static const char *const active_limits[] = {"1", "2", "10"};

START_TEST(turned_away_and_found_later)
{
	char settings[100];

	snprintf(settings, sizeof(settings), "qmgr_message_active_limit = %s\n", active_limits[_i]);
	open_all(settings);
	fixture_start();
	for (int i = 0; i < 30; i++)
		fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_int_eq((int)fixture_active(), fx.params.active_limit);
	fx.answer = answer_sent;
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fx.count, 30);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(flush_tries_all_once)
{
	int64_t later = clock_wall_us() / 1000000 + 2000;

	open_all("qmgr_message_active_limit = 10\n");
	for (int i = 0; i < 60; i++)
		fixture_deferred(id, "sender@example.test", later, "smtp", "a.test");
	fixture_start();
	ck_assert_uint_eq(fx.count, 0);
	fx.answer = answer_deferred;
	scan_deferred(&fx.q, true);
	fixture_turn();
	ck_assert_uint_eq(fx.count, 60);
	ck_assert_int_eq(fx.moved, 60);
	fixture_pass(301000); /* the next run: not due yet, or the flush has set a time */
	ck_assert_uint_le(fx.count, 120);
	fixture_close();
}
END_TEST

/* A flush is at its last part: what is released now, elsewhere, is not left for the next run. */
START_TEST(asked_for_during_a_flush)
{
	open_all("");
	fixture_start();
	fx.q.scan_all = true;
	fx.q.scan_slices = 1;
	fx.q.scan_slice = QUEUE_SLICES - 1;
	fixture_deferred(id, "sender@example.test", 0, "smtp", "a.test");
	scan_deferred(&fx.q, false);
	fixture_turn();
	ck_assert_uint_eq(fx.count, 1);
	ck_assert(!fx.q.scan_all);
	fixture_close();
}
END_TEST

START_TEST(deferred_mail_leaves_room)
{
	open_all("qmgr_message_active_limit = 10\n");
	for (int i = 0; i < 60; i++)
		fixture_deferred(id, "sender@example.test", 0, "smtp", "a.test");
	fixture_start();
	ck_assert_uint_eq(fixture_active(), 8);
	fixture_note(id, 1, "smtp", "b.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("b.test"), 1);
	fx.answer = answer_sent;
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fx.count, 61);
	fixture_close();
}
END_TEST

static const struct {
	int64_t ahead_s;
	size_t taken;
} times[] = {{-10, 1}, {5, 0}, {4000, 0}, {864000, 1}}; /* the last: the clock was set back */

START_TEST(due_or_not)
{
	open_all("");
	fixture_deferred(id, "sender@example.test", clock_wall_us() / 1000000 + times[_i].ahead_s,
	    "smtp", "a.test");
	fixture_start();
	ck_assert_uint_eq(fx.count, times[_i].taken);
	fixture_close();
}
END_TEST

START_TEST(fifty_thousand_recipients)
{
	size_t most = 0, rcpts = 0;

	open_all("journal_message_limit = 100000\n");
	fixture_message(id, "sender@example.test", 50000, "smtp", "a.test");
	fixture_start();
	while (jobs_waiting(NULL) > 0) {
		most = fx.q.rcpts_loaded > most ? fx.q.rcpts_loaded : most;
		jobs_answer(NULL, OUTCOME_SENT, NULL);
	}
	for (size_t i = 0; i < fx.count; i++)
		rcpts += fx.jobs[i].request.rcpts.count;
	ck_assert_uint_eq(rcpts, 50000);
	ck_assert_uint_eq(most, 20000); /* qmgr_message_recipient_limit, and the transport's */
	ck_assert_uint_eq(fixture_active(), 0);
	ck_assert_uint_eq(fx.q.rcpts_loaded, 0);
	fixture_close();
}
END_TEST

START_TEST(recipient_limit)
{
	open_all("qmgr_message_recipient_limit = 100\nsmtp_recipient_limit = 0\n");
	fixture_start();
	for (int i = 0; i < 50; i++)
		fixture_note(id, 50, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_le(fx.q.rcpts_loaded, 100 + 50 * 10);
	fx.answer = answer_sent;
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(two_homes)
{
	struct location loc;
	struct err err;
	char path[32];
	int fd;

	open_all("");
	loc = fixture_message(id, "sender@example.test", 1, "smtp", "a.test");
	ck_assert_int_ge(loc.lane, 0);
	snprintf(path, sizeof(path), "journal/%02d", loc.lane);
	fd = open(path, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	{
		struct location moved = loc;

		ck_assert_int_eq(message_move(fx.q.queue, &moved, id, "deferred",
		                     clock_wall_us() / 1000000 + 1000, &err),
		    0);
	}
	ck_assert_int_eq((int)pwrite(fd, "L", 1, (off_t)(loc.offset + RECORD_STATE_AT)), 1);
	close(fd);
	fx.answer = answer_sent;
	fixture_start();
	ck_assert_uint_eq(fx.count, 0); /* the file counts, and is not due */
	fixture_pass(1100000);
	ck_assert_uint_eq(fx.count, 1);
	fixture_pass(1100000);
	ck_assert_uint_eq(fx.count, 1);
	fixture_close();
}
END_TEST

START_TEST(no_descriptors)
{
	struct rlimit old, few;
	char path[256];

	open_all("");
	fixture_deferred(
	    id, "sender@example.test", clock_wall_us() / 1000000 + 1000, "smtp", "a.test");
	fixture_start();
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	{
		struct location loc = {.lane = -1, .dir = "deferred"};

		ck_assert(!mail_activate(&fx.q, &loc, id, URGENT_NOT));
	}
	setrlimit(RLIMIT_NOFILE, &old);
	queue_path(fx.q.queue, "deferred", id, path, sizeof(path));
	ck_assert_int_eq(access(path, F_OK), 0);
	fixture_close();
}
END_TEST

START_TEST(damaged_file_is_set_aside)
{
	char path[256];
	int fd;

	open_all("");
	fixture_deferred(id, "sender@example.test", 0, "smtp", "a.test");
	queue_path(fx.q.queue, "deferred", id, path, sizeof(path));
	fd = open(path, O_WRONLY);
	ck_assert_int_eq((int)pwrite(fd, "X", 1, 130), 1);
	close(fd);
	fixture_start();
	ck_assert(fixture_logged("moved to the corrupt queue"));
	queue_path(fx.q.queue, "corrupt", id, path, sizeof(path));
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

TCase *scan_tcase(void)
{
	TCase *tc = tcase_create("scan");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, found_at_the_start);
	tcase_add_loop_test(tc, turned_away_and_found_later, 0, (int)ARRAY_LEN(active_limits));
	tcase_add_test(tc, flush_tries_all_once);
	tcase_add_test(tc, asked_for_during_a_flush);
	tcase_add_test(tc, deferred_mail_leaves_room);
	tcase_add_loop_test(tc, due_or_not, 0, (int)ARRAY_LEN(times));
	tcase_add_test(tc, fifty_thousand_recipients);
	tcase_add_test(tc, recipient_limit);
	tcase_add_test(tc, two_homes);
	tcase_add_test(tc, no_descriptors);
	tcase_add_test(tc, damaged_file_is_set_aside);
	return tc;
}
