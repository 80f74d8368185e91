/* SPDX-License-Identifier: ISC */
#ifndef QMGR_FEEDBACK_H
#define QMGR_FEEDBACK_H

#include <stdbool.h>

#include "lib/conf/conf.h"

/*
 * How many deliveries a destination gets at once. The window grows when a series of deliveries that
 * found the destination alive has given one whole unit of positive feedback, and shrinks at the
 * beginning of each unit of negative feedback. Failures in a row are also counted in cohorts (as
 * many as the window is wide); enough of them and the destination counts as dead.
 */
struct feedback_rules {
	struct conf_feedback positive, negative;
	int limit;        /* of the window; 0: none */
	int initial;      /* window of a destination that nothing is known of */
	int cohort_limit; /* 0: never dead */
};

struct feedback {
	int window;
	double success, failure; /* parts of a unit */
	double failed_cohorts;
};

void feedback_init(struct feedback *f, const struct feedback_rules *rules);
/* busy: deliveries under way, that one included which has just ended. */
void feedback_good(struct feedback *f, const struct feedback_rules *rules, int busy);
/* True: now it is dead. The window stays at least 1. */
bool feedback_bad(struct feedback *f, const struct feedback_rules *rules);
/* The feedback of one delivery at this window. */
double feedback_value(const struct conf_feedback *rule, int window);

#endif
