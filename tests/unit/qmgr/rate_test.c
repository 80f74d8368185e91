/* SPDX-License-Identifier: ISC */
/* Pauses between deliveries, to a destination and by a transport. */
#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

static char id[QUEUE_ID_MAX];

static void open_all(const char *settings)
{
	fixture_open(settings);
	fixture_serve("smtp");
	fixture_start();
}

START_TEST(destination_rate_delay)
{
	open_all("smtp_destination_rate_delay = 10s\n");
	fx.answer = answer_sent;
	for (int i = 0; i < 4; i++) {
		fixture_note(id, 1, "smtp", "a.test");
		fixture_note(id, 1, "smtp", "b.test");
	}
	fixture_turn();
	for (size_t n = 1; n < 4; n++) {
		ck_assert_uint_eq(fx.count, 2 * n);
		fixture_pass(9000);
		ck_assert_uint_eq(fx.count, 2 * n);
		fixture_pass(1500);
	}
	ck_assert_uint_eq(fx.count, 8);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

START_TEST(pause_begins_at_the_end)
{
	open_all("default_destination_rate_delay = 10s\n");
	fixture_note(id, 1, "smtp", "a.test");
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	fixture_pass(60000);
	ck_assert_uint_eq(fx.count, 1); /* one at a time */
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fx.count, 1);
	fixture_pass(10500);
	ck_assert_uint_eq(fx.count, 2);
	fixture_close();
}
END_TEST

START_TEST(transport_rate_delay)
{
	open_all("smtp_transport_rate_delay = 20s\n");
	fixture_serve("local");
	for (int i = 0; i < 3; i++) {
		fixture_note(id, 1, "smtp", i % 2 ? "a.test" : "b.test");
		fixture_note(id, 1, "local", "mx.example.test");
	}
	fixture_turn();
	ck_assert_uint_eq(fx.count, 1 + 2); /* local has another limit: 2 at once */
	fixture_pass(19000);
	ck_assert_uint_eq(fx.count, 1 + 2);
	fixture_pass(1500);
	ck_assert_uint_eq(fx.count, 2 + 2);
	fixture_pass(20500);
	ck_assert_uint_eq(fx.count, 3 + 2);
	fixture_close();
}
END_TEST

/* What can only be deferred does not wait for its turn. */
START_TEST(resting_mail_does_not_wait)
{
	const char *suspended = "4.4.1 delivery temporarily suspended: refused";

	open_all("smtp_destination_rate_delay = 1000s\n");
	fixture_serve("retry");
	for (int i = 0; i < 5; i++)
		fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting(NULL), 1);
	jobs_answer(NULL, OUTCOME_SKIPPED, "refused");
	ck_assert_uint_eq(jobs_waiting(suspended), 4);
	fixture_close();
}
END_TEST

TCase *rate_tcase(void)
{
	TCase *tc = tcase_create("rate");

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, destination_rate_delay);
	tcase_add_test(tc, pause_begins_at_the_end);
	tcase_add_test(tc, transport_rate_delay);
	tcase_add_test(tc, resting_mail_does_not_wait);
	return tc;
}
