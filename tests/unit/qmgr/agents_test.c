/* SPDX-License-Identifier: ISC */
/* Agents that die, talk nonsense, are not there, or are held too long. */
#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

#include <stdio.h>
#include <string.h>

static char id[QUEUE_ID_MAX];

static void die(struct job *job)
{
	job_drop(job);
}

static void talk(struct job *job)
{
	static const char text[] = "220 hello there, who are you?\r\n";

	job_say(job, text, sizeof(text) - 1);
}

static void talk_more(struct job *job)
{
	static const char huge[12] = "\xff\xff\xff\x7f\2\0\0\0\1\0\0";

	job_say(job, huge, sizeof(huge));
}

static void wrong_type(struct job *job)
{
	static const char frame[12] = "\x08\0\0\0\x63\0\0\0\1\0\0";

	job_say(job, frame, sizeof(frame));
}

/* An answer in good form that cannot be one to this request. */
static void say_result(struct job *job, uint32_t id_off, uint32_t index_off, size_t count,
    uint32_t outcome, const char *dsn)
{
	struct rcpt_result results[4];
	struct deliver_result result = {
	    .rcpts = {results, count}, .dead_dsn = "", .dead_reason = "", .damaged = ""};
	struct str frame = {0};

	for (size_t i = 0; i < count; i++)
		results[i] = (struct rcpt_result){.index = (uint32_t)i + index_off,
		    .outcome = outcome,
		    .dsn = dsn,
		    .action = "",
		    .reason = "because",
		    .diag = "",
		    .mta = ""};
	frame_encode(&frame, DELIVER_RESULT, job->id + id_off, &deliver_result_table, &result);
	job_say(job, frame.data, frame.len);
	str_fini(&frame);
}

static void other_request(struct job *job)
{
	say_result(job, 1, 0, 3, OUTCOME_SENT, "2.0.0");
}

static void other_recipients(struct job *job)
{
	say_result(job, 0, 7, 3, OUTCOME_SENT, "2.0.0");
}

static void too_few(struct job *job)
{
	say_result(job, 0, 0, 2, OUTCOME_SENT, "2.0.0");
}

static void too_many(struct job *job)
{
	say_result(job, 0, 0, 4, OUTCOME_SENT, "2.0.0");
}

static void strange_outcome(struct job *job)
{
	say_result(job, 0, 0, 3, 77, "2.0.0");
}

static void strange_status(struct job *job)
{
	say_result(job, 0, 0, 3, OUTCOME_BOUNCED, "5.1.1 or so");
}

static void (*const faults[])(struct job *) = {die, talk, talk_more, wrong_type, other_request,
    other_recipients, too_few, too_many, strange_outcome, strange_status};

START_TEST(three_tries_then_deferred)
{
	fixture_open("");
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_bounce();
	fixture_start();
	fixture_note(id, 3, "smtp", "a.test");
	fixture_note(id, 1, "smtp", "b.test");
	fixture_turn();
	for (int i = 0; i < 3; i++) {
		size_t k = fx.count - 1;

		while (!fx.jobs[k].agent || strcmp(fx.jobs[k].request.nexthop, "a.test") != 0)
			ck_assert_uint_gt(k--, 0);
		faults[_i](&fx.jobs[k]);
	}
	ck_assert_uint_eq(jobs_waiting("a.test"), 0);
	ck_assert_uint_eq(jobs_waiting("b.test"), 1);
	ck_assert_uint_eq(jobs_waiting("4.3.0 unknown mail transport error"), 1);
	jobs_answer(NULL, OUTCOME_DEFERRED, NULL);
	ck_assert_int_eq(fx.moved, 2);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(no_answer)
{
	fixture_open("daemon_timeout = 100s\n");
	fixture_serve("smtp");
	fixture_start();
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	fixture_pass(90000);
	ck_assert_uint_eq(fx.count, 1);
	fixture_pass(16000);
	ck_assert(fixture_logged(
	    "warning: private/smtp: no answer for 100 seconds: the request is given to another"));
	ck_assert_uint_eq(fx.count, 2);
	ck_assert_str_eq(fx.jobs[1].request.id, fx.jobs[0].request.id);
	/* the first one still has it in hand */
	job_answer(&fx.jobs[1], OUTCOME_SKIPPED, NULL);
	fixture_turn();
	fixture_pass(11000);
	ck_assert_uint_eq(fx.count, 3);
	job_answer(&fx.jobs[2], OUTCOME_SENT, NULL);
	fixture_turn();
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(bounce_does_not_answer)
{
	fixture_open("qmgr_ipc_timeout = 20s\n");
	fixture_serve("smtp");
	fixture_start();
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	fixture_bounce();
	fx.paused = true; /* bounce(8) is there, and stopped */
	job_answer(&fx.jobs[0], OUTCOME_BOUNCED, NULL);
	fixture_turn();
	fixture_pass(26000);
	ck_assert(fixture_logged("warning: private/bounce: no answer for 20 seconds"));
	fx.paused = false;
	fixture_pass(6000);
	ck_assert_int_ge(fx.appended, 1);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(retry_dies_too)
{
	fixture_open("");
	fixture_serve("retry");
	fixture_bounce();
	fixture_start();
	fixture_note(id, 2, "retry", "4.0.0 later");
	fixture_turn();
	for (int i = 0; i < 3; i++)
		die(&fx.jobs[i]);
	ck_assert_int_eq(fx.moved, 1);
	ck_assert_str_eq(fx.last_reason, "unknown mail transport error");
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(connection_that_just_closed)
{
	struct transport *t;

	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	fixture_unserve("smtp");
	fixture_serve("smtp");
	fixture_note(id, 1, "smtp", "a.test");
	t = transport_get(&fx.q, "smtp");
	transport_run(t); /* before the loop has seen the end */
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("a.test"), 1);
	fixture_close();
}
END_TEST

START_TEST(no_such_transport)
{
	fixture_open("");
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_start();
	for (int i = 0; i < 30; i++)
		fixture_note(id, 1, "nosuch", i % 2 ? "a.test" : "b.test");
	fixture_note(id, 1, "smtp", "c.test");
	fixture_turn();
	ck_assert(fixture_logged("warning: connect to transport private/nosuch: No such file"));
	ck_assert_uint_ge(jobs_waiting("4.3.0 mail transport unavailable"), 5);
	ck_assert_uint_eq(jobs_waiting("c.test"), 1);
	ck_assert_ptr_null(
	    strstr(strstr(str_text(&fx.log), "transport private/nosuch") + 24, "private/nosuch"));
	fixture_serve("nosuch");
	fixture_pass(61000);
	fixture_note(id, 1, "nosuch", "a.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("a.test"), 1);
	fixture_close();
}
END_TEST

START_TEST(impossible_transport_names)
{
	char name[200];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	fixture_open("");
	fixture_serve("retry");
	fixture_start();
	fixture_note(id, 1, name, "a.test");
	fixture_note(id, 1, "../public/qmgr", "a.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("4.3.5 mail transport unavailable"), 2);
	fixture_close();
}
END_TEST

START_TEST(retry_is_not_there)
{
	fixture_open("");
	fixture_start();
	fixture_note(id, 1, "nosuch", "a.test");
	fixture_turn();
	ck_assert_uint_eq(fixture_active(), 1);
	fixture_serve("retry");
	fixture_pass(61000);
	ck_assert_uint_eq(jobs_waiting("4.3.0 mail transport unavailable"), 1);
	fixture_close();
}
END_TEST

START_TEST(bounce_is_away_for_a_while)
{
	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	fixture_note(id, 3, "smtp", "a.test");
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	jobs_answer(NULL, OUTCOME_BOUNCED, NULL);
	fixture_pass(6000);
	fixture_pass(6000);
	ck_assert_uint_eq(fixture_active(), 2);
	fixture_bounce();
	fixture_pass(6000);
	ck_assert_int_eq(fx.appended, 4);
	ck_assert_int_eq(fx.flushed, 2);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(idle_agents_are_let_go)
{
	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	fx.answer = answer_sent;
	for (int i = 0; i < 5; i++)
		fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_gt(agents_connected(), 0);
	fixture_pass(5000);
	ck_assert_uint_gt(agents_connected(), 0);
	fixture_pass(6000);
	fixture_pass(5000);
	ck_assert_uint_eq(agents_connected(), 0);
	ck_assert_uint_eq(map_count(fx.q.dests), 0);
	fixture_close();
}
END_TEST

static uint32_t flags_of_last(void)
{
	return fx.jobs[fx.count - 1].request.flags;
}

START_TEST(sessions_are_kept_for_more_mail)
{
	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	fx.answer = answer_sent;
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_eq(flags_of_last(), 0);
	fixture_note(id, 1, "smtp", "a.test"); /* the last one ended just now */
	fixture_turn();
	ck_assert_uint_eq(flags_of_last(), DELIVER_KEEP);
	fixture_pass(3000);
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_eq(flags_of_last(), 0);
	fixture_close();
}
END_TEST

START_TEST(an_agent_that_does_not_read_holds_up_nobody)
{
	char pad[1001];

	memset(pad, 'x', sizeof(pad) - 1);
	pad[sizeof(pad) - 1] = '\0';
	fixture_open("smtp_destination_recipient_limit = 0\n");
	fixture_serve("smtp");
	fixture_start();
	fx.pad = pad;
	fx.paused = true;
	fixture_note(id, 1000, "smtp", "a.test"); /* a megabyte */
	fixture_turn();
	fx.pad = NULL;
	fx.paused = false;
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("a.test"), 1);
	ck_assert_uint_eq(fx.jobs[0].request.rcpts.count, 1000);
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

TCase *agents_tcase(void)
{
	TCase *tc = tcase_create("agents");

	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, three_tries_then_deferred, 0, (int)ARRAY_LEN(faults));
	tcase_add_test(tc, no_answer);
	tcase_add_test(tc, bounce_does_not_answer);
	tcase_add_test(tc, retry_dies_too);
	tcase_add_test(tc, connection_that_just_closed);
	tcase_add_test(tc, no_such_transport);
	tcase_add_test(tc, impossible_transport_names);
	tcase_add_test(tc, retry_is_not_there);
	tcase_add_test(tc, bounce_is_away_for_a_while);
	tcase_add_test(tc, idle_agents_are_let_go);
	tcase_add_test(tc, sessions_are_kept_for_more_mail);
	tcase_add_test(tc, an_agent_that_does_not_read_holds_up_nobody);
	return tc;
}
