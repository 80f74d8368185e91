/* SPDX-License-Identifier: ISC */
/* The window's arithmetic alone, and what main.cf may say about it. */
#include "qmgr/feedback.h"

#include <string.h>

#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

static const struct {
	const char *text;
	double value;
	int form; /* -1: refused */
} texts[] = {
    {"1", 1, CONF_FEEDBACK_CONSTANT},
    {"0", 0, CONF_FEEDBACK_CONSTANT},
    {".5", .5, CONF_FEEDBACK_CONSTANT},
    {"1/4", .25, CONF_FEEDBACK_CONSTANT},
    {"3 / 4", .75, CONF_FEEDBACK_CONSTANT},
    {"1/concurrency", 1, CONF_FEEDBACK_CONCURRENCY},
    {"0.5 / concurrency", .5, CONF_FEEDBACK_CONCURRENCY},
    {"1/sqrt_concurrency", 1, CONF_FEEDBACK_SQRT},
    {"", 0, -1},
    {"1.5", 0, -1},
    {"-1", 0, -1},
    {"4/1", 0, -1},
    {"1/0", 0, -1},
    {"1/", 0, -1},
    {"/concurrency", 0, -1},
    {"2/concurrency", 0, -1},
    {"1/concurrencyx", 0, -1},
    {"1/4/concurrency", 0, -1},
    {"1.2.3", 0, -1},
    {".", 0, -1},
    {"1e0", 0, -1},
    {"nan", 0, -1},
    {"0x1", 0, -1},
    {"00000000000000000000000000000000000001", 0, -1},
};

START_TEST(texts_of_feedback)
{
	struct conf_feedback value;
	struct err err;
	int rc = conf_kind_feedback.parse(NULL, NULL, texts[_i].text, &value, &err);

	ck_assert_int_eq(rc, texts[_i].form < 0 ? -1 : 0);
	if (rc == 0) {
		ck_assert_double_eq_tol(value.value, texts[_i].value, 1e-9);
		ck_assert_int_eq((int)value.form, texts[_i].form);
	} else {
		ck_assert_ptr_nonnull(strstr(err.text, "number/concurrency"));
	}
}
END_TEST

/* The window after so many good and then so many bad deliveries, all agents busy. */
static const struct {
	enum conf_feedback_form form;
	double value;
	int initial, limit, good, bad, window;
} courses[] = {
    {CONF_FEEDBACK_CONSTANT, 1, 5, 20, 5, 0, 10},
    {CONF_FEEDBACK_CONSTANT, 1, 5, 20, 50, 0, 20},
    {CONF_FEEDBACK_CONSTANT, 1, 5, 20, 5, 3, 7},
    {CONF_FEEDBACK_CONSTANT, 1, 2, 0, 100, 0, 102},
    {CONF_FEEDBACK_CONSTANT, .25, 5, 20, 3, 0, 5},
    {CONF_FEEDBACK_CONSTANT, .25, 5, 20, 4, 0, 6},
    /* down at the beginning of a series of four, up at its end */
    {CONF_FEEDBACK_CONSTANT, .25, 5, 20, 0, 1, 4},
    {CONF_FEEDBACK_CONSTANT, .25, 5, 20, 0, 4, 4},
    {CONF_FEEDBACK_CONSTANT, .25, 5, 20, 0, 5, 3},
    {CONF_FEEDBACK_CONCURRENCY, 1, 5, 20, 4, 0, 5},
    {CONF_FEEDBACK_CONCURRENCY, 1, 5, 20, 5, 0, 6},
    {CONF_FEEDBACK_CONCURRENCY, 1, 5, 20, 10, 0, 6},
    {CONF_FEEDBACK_CONCURRENCY, 1, 5, 20, 11, 0, 7},
    {CONF_FEEDBACK_CONCURRENCY, 1, 10, 20, 10, 0, 11},
    {CONF_FEEDBACK_SQRT, 1, 4, 20, 2, 0, 5},
    {CONF_FEEDBACK_SQRT, 1, 9, 20, 3, 0, 10},
    {CONF_FEEDBACK_CONSTANT, 0, 5, 20, 100, 100, 5},
    {CONF_FEEDBACK_CONSTANT, 1, 5, 20, 0, 100, 1},
};

START_TEST(window)
{
	struct conf_feedback rule = {courses[_i].value, courses[_i].form};
	struct feedback_rules rules = {.positive = rule,
	    .negative = rule,
	    .limit = courses[_i].limit,
	    .initial = courses[_i].initial};
	struct feedback f;

	feedback_init(&f, &rules);
	for (int i = 0; i < courses[_i].good; i++)
		feedback_good(&f, &rules, f.window);
	for (int i = 0; i < courses[_i].bad; i++)
		ck_assert(!feedback_bad(&f, &rules));
	ck_assert_int_eq(f.window, courses[_i].window);
}
END_TEST

START_TEST(no_wider_than_used)
{
	struct feedback_rules rules = {
	    .positive = {1, CONF_FEEDBACK_CONSTANT}, .limit = 20, .initial = 2};
	struct feedback f;

	feedback_init(&f, &rules);
	for (int i = 0; i < 50; i++)
		feedback_good(&f, &rules, 1);
	ck_assert_int_eq(f.window, 3);
}
END_TEST

/* How many failures in a row make it dead. */
static const struct {
	enum conf_feedback_form form;
	double value;
	int initial, cohorts, failures;
} deaths[] = {
    {CONF_FEEDBACK_CONSTANT, 1, 5, 1, 4}, /* 1/5 + 1/4 + 1/3 + 1/2 */
    {CONF_FEEDBACK_CONSTANT, 1, 1, 1, 1},
    {CONF_FEEDBACK_CONSTANT, 0, 5, 1, 5},
    {CONF_FEEDBACK_CONSTANT, 0, 10, 1, 10},
    {CONF_FEEDBACK_CONSTANT, 0, 5, 3, 15},
    {CONF_FEEDBACK_CONSTANT, 1, 1, 10, 10},
    {CONF_FEEDBACK_CONCURRENCY, 1, 2, 1, 2},
};

START_TEST(death)
{
	struct feedback_rules rules = {.negative = {deaths[_i].value, deaths[_i].form},
	    .positive = {1, CONF_FEEDBACK_CONSTANT},
	    .limit = 20,
	    .initial = deaths[_i].initial,
	    .cohort_limit = deaths[_i].cohorts};
	struct feedback f;

	feedback_init(&f, &rules);
	for (int i = 1; i < deaths[_i].failures; i++)
		ck_assert(!feedback_bad(&f, &rules));
	ck_assert(feedback_bad(&f, &rules));
	feedback_init(&f, &rules);
	for (int i = 1; i < deaths[_i].failures; i++)
		ck_assert(!feedback_bad(&f, &rules));
	feedback_good(&f, &rules, 1); /* one that went well: from the beginning */
	ck_assert_double_eq(f.failed_cohorts, 0);
}
END_TEST

/* Each setting, and a transport's own, reaches the destination. */
static const struct {
	const char *settings;
	size_t at_start, after_five;
} settings[] = {
    {"", 5, 10},
    {"initial_destination_concurrency = 2\n", 2, 4},
    {"smtp_initial_destination_concurrency = 3\n", 3, 6},
    {"default_destination_concurrency_limit = 4\n", 4, 4},
    {"smtp_destination_concurrency_limit = 7\n", 5, 7},
    {"default_destination_concurrency_positive_feedback = 1/concurrency\n", 5, 6},
    {"smtp_destination_concurrency_positive_feedback = 0\n", 5, 5},
    {"smtp_destination_concurrency_positive_feedback = 0.4\n", 5, 7},
    {"local_destination_concurrency_positive_feedback = 0\n", 5, 10},
};

START_TEST(settings_reach_destinations)
{
	char id[QUEUE_ID_MAX];

	fixture_open(settings[_i].settings);
	fixture_serve("smtp");
	fixture_start();
	for (int i = 0; i < 40; i++)
		fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting(NULL), settings[_i].at_start);
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(jobs_waiting(NULL), settings[_i].after_five);
	fixture_close();
}
END_TEST

START_TEST(negative_feedback_of_a_transport)
{
	char id[QUEUE_ID_MAX];

	fixture_open("smtp_destination_concurrency_negative_feedback = 1/concurrency\n"
	             "smtp_destination_concurrency_failed_cohort_limit = 10\n"
	             "destination_concurrency_feedback_debug = yes\n");
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_start();
	for (int i = 0; i < 40; i++)
		fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	jobs_answer(NULL, OUTCOME_SKIPPED, "refused");
	ck_assert_uint_eq(jobs_waiting("a.test"), 3); /* 5 - 1/5, 4 - 4/4 */
	ck_assert(fixture_logged("qmgr_queue_throttle: queue a.test: limit 20 window 4 success 0 "
	                         "failure 0.8 fail_cohorts 0.2"));
	fixture_close();
}
END_TEST

TCase *feedback_tcase(void)
{
	TCase *tc = tcase_create("feedback");

	tcase_add_loop_test(tc, texts_of_feedback, 0, (int)ARRAY_LEN(texts));
	tcase_add_loop_test(tc, window, 0, (int)ARRAY_LEN(courses));
	tcase_add_test(tc, no_wider_than_used);
	tcase_add_loop_test(tc, death, 0, (int)ARRAY_LEN(deaths));
	tcase_add_loop_test(tc, settings_reach_destinations, 0, (int)ARRAY_LEN(settings));
	tcase_add_test(tc, negative_feedback_of_a_transport);
	return tc;
}
