/* SPDX-License-Identifier: ISC */
#include "qmgr/rate.h"

#include <math.h>
#include <string.h>

#include "lib/base/attr.h"
#include "qmgr/spec.h"

enum { TIMER_MS = 5 };

#define EXPECTED "expected N/period, such as 20/1m, with burst=N and share=name at will, or none"

static int parse_count(struct slice text, struct rate *out, struct err *err)
{
	uint64_t n;

	if (!num_u64(text.data, text.len, RATE_COUNT_MAX, &n) || n == 0)
		return err_set(err, 0, "count \"%.*s\": expected 1 to %d", SLICE_ARG(text),
		    (int)RATE_COUNT_MAX);
	out->count = (int64_t)n;
	return 0;
}

static int parse_period(struct slice text, struct rate *out, struct err *err)
{
	int64_t seconds;

	if (!spec_seconds(text, RATE_PERIOD_MAX_S, &seconds))
		return err_set(err, 0, "period \"%.*s\": expected 1s to %dd, such as 10s, 1m, h",
		    SLICE_ARG(text), RATE_PERIOD_MAX_S / 86400);
	out->period_ms = seconds * 1000;
	return 0;
}

static int parse_burst(struct slice value, void *into, struct err *err)
{
	struct rate *out = into;
	uint64_t n;

	if (!num_u64(value.data, value.len, RATE_COUNT_MAX, &n) || n == 0)
		return err_set(
		    err, 0, "burst=%.*s: expected 1 to %d", SLICE_ARG(value), (int)RATE_COUNT_MAX);
	out->burst = (int64_t)n;
	return 0;
}

static int parse_share(struct slice value, void *into, struct err *err)
{
	struct rate *out = into;

	if (value.len == 0 || value.len >= sizeof(out->share))
		return err_set(err, 0, "share=%.*s: expected a name of 1 to %zu characters",
		    SLICE_ARG(value), sizeof(out->share) - 1);
	memcpy(out->share, value.data, value.len);
	out->share[value.len] = '\0';
	return 0;
}

static const struct spec_option options[] = {
    {"burst", parse_burst},
    {"share", parse_share},
};

int rate_parse(const char *text, struct rate *out, struct err *err)
{
	struct slice rest = slice_text(text), word;
	const char *slash;

	*out = (struct rate){.burst = 1};
	if (!spec_word(&rest, &word))
		return err_set(err, 0, EXPECTED);
	if (slice_eq_nocase(word, "none"))
		return spec_word(&rest, &word) ? err_set(err, 0, EXPECTED) : 0;
	slash = memchr(word.data, '/', word.len);
	if (!slash)
		return err_set(err, 0, EXPECTED);
	if (parse_count(slice_of(word.data, (size_t)(slash - word.data)), out, err) < 0 ||
	    parse_period(
	        slice_of(slash + 1, word.len - (size_t)(slash + 1 - word.data)), out, err) < 0)
		return -1;
	return spec_options(rest, options, ARRAY_LEN(options), out, err);
}

/* ---- buckets -------------------------------------------------------------------------------- */

void tokens_init(struct tokens *tokens, const struct rate *rate, int64_t now_ms)
{
	*tokens = (struct tokens){.level = (double)rate->burst, .at_ms = now_ms};
}

double tokens_left(const struct tokens *tokens, const struct rate *rate, int64_t now_ms)
{
	double per_ms = (double)rate->count / (double)MAX(rate->period_ms, 1);
	double level = tokens->level + (double)MAX(now_ms - tokens->at_ms, 0) * per_ms;
	/* who wakes up each millisecond, or a little later, still keeps a high rate */
	double most = MAX((double)rate->burst, per_ms * TIMER_MS);

	return MIN(level, most);
}

int64_t tokens_opens(const struct tokens *tokens, const struct rate *rate, int64_t now_ms)
{
	double missing = 1 - tokens_left(tokens, rate, now_ms);
	double wait = missing * (double)rate->period_ms / (double)MAX(rate->count, 1);

	/* a thousandth of a millisecond may be rounding */
	return rate->count == 0 || wait <= 0.001 ? now_ms : now_ms + (int64_t)ceil(wait - 0.001);
}

void tokens_take(struct tokens *tokens, const struct rate *rate, int64_t now_ms)
{
	double left = tokens_left(tokens, rate, now_ms) - 1;

	*tokens = (struct tokens){.level = MAX(left, -(double)rate->count), .at_ms = now_ms};
}
