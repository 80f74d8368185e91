/* SPDX-License-Identifier: ISC */
/* Rates and back-offs as they are written, and buckets over time. */
#include "qmgr/rate.h"

#include <math.h>

#include "lib/base/attr.h"
#include "qmgr/backoff.h"
#include "tests/unit/qmgr/suite.h"

static const struct {
	const char *text;
	int64_t count, period_ms, burst;
	const char *share;
} rates[] = {
    {"10/1m", 10, 60000, 1, ""},
    {"10/m", 10, 60000, 1, ""},
    {"10/60", 10, 60000, 1, ""},
    {"1/s", 1, 1000, 1, ""},
    {"  1000000/30d  ", 1000000, 2592000000, 1, ""},
    {"5/2h burst=50", 5, 7200000, 50, ""},
    {"5/h, BURST=2, share=big one", 0, 0, 0, NULL},
    {"5/h, BURST=2, share=big", 5, 3600000, 2, "big"},
    {"none", 0, 0, 1, ""},
    {"None", 0, 0, 1, ""},
    /* what is wrong */
    {"", 0, 0, 0, NULL},
    {"10", 0, 0, 0, NULL},
    {"0/m", 0, 0, 0, NULL},
    {"-1/m", 0, 0, 0, NULL},
    {"1000001/m", 0, 0, 0, NULL},
    {"99999999999999999999/m", 0, 0, 0, NULL},
    {"10/", 0, 0, 0, NULL},
    {"/m", 0, 0, 0, NULL},
    {"10/0s", 0, 0, 0, NULL},
    {"10/31d", 0, 0, 0, NULL},
    {"10/99999999999999999999s", 0, 0, 0, NULL},
    {"10/1x", 0, 0, 0, NULL},
    {"10/1min", 0, 0, 0, NULL},
    {"10 / 1m", 0, 0, 0, NULL},
    {"10/m burst", 0, 0, 0, NULL},
    {"10/m burst=", 0, 0, 0, NULL},
    {"10/m burst=0", 0, 0, 0, NULL},
    {"10/m burst=1 burst=2", 0, 0, 0, NULL},
    {"10/m share=", 0, 0, 0, NULL},
    {"10/m bust=3", 0, 0, 0, NULL},
    {"none burst=3", 0, 0, 0, NULL},
};

START_TEST(rate_texts)
{
	struct rate rate;
	struct err err = {0};
	int rc = rate_parse(rates[_i].text, &rate, &err);

	if (!rates[_i].share) {
		ck_assert_msg(rc == -1 && err.text[0], "%s", rates[_i].text);
		return;
	}
	ck_assert_msg(rc == 0, "%s: %s", rates[_i].text, err.text);
	ck_assert_int_eq(rate.count, rates[_i].count);
	ck_assert_int_eq(rate.period_ms, rates[_i].period_ms);
	ck_assert_int_eq(rate.burst, rates[_i].burst);
	ck_assert_str_eq(rate.share, rates[_i].share);
}
END_TEST

/* How many deliveries may start within ms, one who is always ready, and when the last of them. */
static int run(const struct rate *rate, struct tokens *b, int64_t from, int64_t ms, int64_t *last)
{
	int n = 0;

	for (int64_t now = from; now < from + ms;) {
		int64_t opens = tokens_opens(b, rate, now);

		if (opens <= now) {
			tokens_take(b, rate, now);
			*last = now;
			n++;
		} else {
			now = opens;
		}
	}
	return n;
}

START_TEST(a_rate_is_kept)
{
	const struct rate even = {.count = 10, .period_ms = 60000, .burst = 1},
	                  burst = {.count = 10, .period_ms = 60000, .burst = 5},
	                  fast = {.count = 7000, .period_ms = 1000, .burst = 1},
	                  slow = {.count = 1, .period_ms = 2592000000, .burst = 1};
	int64_t last = 0;
	struct tokens b;

	tokens_init(&b, &even, 1000);
	ck_assert_int_eq(run(&even, &b, 1000, 60000, &last), 10);
	ck_assert_int_eq(last, 55000);
	/* what was not used is not saved up beyond the burst */
	ck_assert_int_eq(run(&even, &b, 600000, 12000, &last), 2);
	tokens_init(&b, &burst, 0);
	ck_assert_int_eq(run(&burst, &b, 0, 1000, &last), 5);
	ck_assert_int_eq(run(&burst, &b, 1000, 60000, &last), 10);
	tokens_init(&b, &slow, 0);
	ck_assert_int_eq(run(&slow, &b, 0, 3 * 2592000000, &last), 3);
	tokens_init(&b, &fast, 0);
	ck_assert_int_eq((run(&fast, &b, 0, 1000, &last) + 50) / 100, 70);
}
END_TEST

START_TEST(debts)
{
	const struct rate rate = {.count = 4, .period_ms = 4000, .burst = 2};
	struct tokens b;

	tokens_init(&b, &rate, 0);
	for (int i = 0; i < 5; i++)
		tokens_take(&b, &rate, 0);
	ck_assert(fabs(tokens_left(&b, &rate, 0) + 3) < 0.001);
	ck_assert_int_eq(tokens_opens(&b, &rate, 0), 4000);
	for (int i = 0; i < 100; i++)
		tokens_take(&b, &rate, 0);
	ck_assert(fabs(tokens_left(&b, &rate, 0) + 4) < 0.001);
	ck_assert_int_eq(tokens_opens(&b, &rate, -50), -50 + 5000);
}
END_TEST

static const struct {
	const char *text;
	int64_t ms;
	int concurrency, scope;
} backoffs[] = {
    {"5m", 300000, 1, BACKOFF_DESTINATION},
    {"90", 90000, 1, BACKOFF_DESTINATION},
    {"1d concurrency=3 scope=mx", 86400000, 3, BACKOFF_MX},
    {"10s, scope=destination", 10000, 1, BACKOFF_DESTINATION},
    {"", 0, 0, 0},
    {"2d", 0, 0, 0},
    {"0", 0, 0, 0},
    {"5m scope=all", 0, 0, 0},
    {"5m concurrency=0", 0, 0, 0},
    {"5m concurrency=x", 0, 0, 0},
    {"5m 3", 0, 0, 0},
    {"DEFER", 0, 0, 0},
};

START_TEST(backoff_texts)
{
	struct backoff backoff;
	struct err err = {0};
	int rc = backoff_parse(backoffs[_i].text, &backoff, &err);

	ck_assert_msg(rc == (backoffs[_i].ms ? 0 : -1), "%s: %s", backoffs[_i].text, err.text);
	if (rc < 0)
		return;
	ck_assert_int_eq(backoff.ms, backoffs[_i].ms);
	ck_assert_int_eq(backoff.concurrency, backoffs[_i].concurrency);
	ck_assert_int_eq(backoff.scope, backoffs[_i].scope);
}
END_TEST

static const struct {
	const char *host, *provider;
} providers[] = {
    {"aspmx.l.google.com", "google.com"},
    {"MX.Example.ORG.", "example.org"},
    {"example-com.mail.protection.outlook.com", "outlook.com"},
    {"mail.firm.co.uk", "firm.co.uk"},
    {"a.b.c.com.au", "c.com.au"},
    {"mx.bt.de", "bt.de"},
    {"co.uk", "co.uk"},
    {"mx.co.uk", "mx.co.uk"},
    {"localhost", "localhost"},
    {"192.0.2.7", "192.0.2.7"},
    {"2001:db8::1", "2001:db8::1"},
    {"", ""},
    {"...", ""},
    {".com", ".com"},
    {"a..com", "a..com"},
};

START_TEST(who_runs_a_host)
{
	char out[PROVIDER_MAX];

	backoff_provider(providers[_i].host, out);
	ck_assert_str_eq(out, providers[_i].provider);
}
END_TEST

static const struct {
	struct rcpt_result result;
	const char *answer;
} answers[] = {
    {{.outcome = OUTCOME_DEFERRED, .diag = "smtp; 421 4.7.0 slow down", .reason = "host x said"},
        "421 4.7.0 slow down"},
    {{.outcome = OUTCOME_DEFERRED, .diag = "", .reason = "lost connection"}, "lost connection"},
    {{.outcome = OUTCOME_BOUNCED, .diag = "smtp; 550 5.7.1 no"}, "550 5.7.1 no"},
    {{.outcome = OUTCOME_DEFERRED, .diag = "", .reason = ""}, NULL},
    {{.outcome = OUTCOME_SENT, .diag = "smtp; 250 ok"}, NULL},
    {{.outcome = OUTCOME_SKIPPED}, NULL},
};

START_TEST(what_is_looked_up)
{
	const char *answer = backoff_answer(&answers[_i].result);

	if (answers[_i].answer)
		ck_assert_str_eq(answer, answers[_i].answer);
	else
		ck_assert_ptr_null(answer);
}
END_TEST

TCase *bucket_tcase(void)
{
	TCase *tc = tcase_create("bucket");

	tcase_add_loop_test(tc, rate_texts, 0, ARRAY_LEN(rates));
	tcase_add_test(tc, a_rate_is_kept);
	tcase_add_test(tc, debts);
	tcase_add_loop_test(tc, backoff_texts, 0, ARRAY_LEN(backoffs));
	tcase_add_loop_test(tc, who_runs_a_host, 0, ARRAY_LEN(providers));
	tcase_add_loop_test(tc, what_is_looked_up, 0, ARRAY_LEN(answers));
	return tc;
}
