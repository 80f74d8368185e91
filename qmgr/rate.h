/* SPDX-License-Identifier: ISC */
#ifndef QMGR_RATE_H
#define QMGR_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

/*
 * Rates as an operator writes them, and token buckets that keep them. Pure: times come from the
 * caller, in milliseconds of a clock that is never set back.
 *
 *   rate   = count "/" period *( blank option ) | "none"
 *   period = [number] unit | number             unit: s m h d, of which there is 1 without a
 *                                               number; seconds without a unit
 *   option = "burst=" number | "share=" name
 *
 * A bucket holds at most `burst` tokens, each delivery takes one, and `count` of them come back in
 * each period, evenly. With the default burst of 1 deliveries are spread over the period.
 */
enum { RATE_COUNT_MAX = 1000000, RATE_PERIOD_MAX_S = 30 * 86400, RATE_SHARE_MAX = 64 };

struct rate {
	int64_t count; /* 0: no limit ("none") */
	int64_t period_ms;
	int64_t burst;
	char share[RATE_SHARE_MAX]; /* name of the bucket; "": the key that was looked up */
};

/* -1 with err saying what was expected. */
int rate_parse(const char *text, struct rate *out, struct err *err);

struct tokens {
	double level; /* at the time at_ms; below 0 when more went than could be foreseen */
	int64_t at_ms;
};

void tokens_init(struct tokens *tokens, const struct rate *rate, int64_t now_ms); /* full */
double tokens_left(const struct tokens *tokens, const struct rate *rate, int64_t now_ms);
/* When is there a token: now_ms or later. */
int64_t tokens_opens(const struct tokens *tokens, const struct rate *rate, int64_t now_ms);
/* Takes a token, even one that is not there: debts of up to a period's count are kept. */
void tokens_take(struct tokens *tokens, const struct rate *rate, int64_t now_ms);

#endif
