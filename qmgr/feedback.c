/* SPDX-License-Identifier: ISC */
#include "qmgr/feedback.h"

#include <math.h>

/* Ten tenths are one, whatever the machine makes of them. */
#define NEARLY 1e-9

void feedback_init(struct feedback *f, const struct feedback_rules *rules)
{
	*f = (struct feedback){.window = rules->initial};
}

double feedback_value(const struct conf_feedback *rule, int window)
{
	switch (rule->form) {
	case CONF_FEEDBACK_CONCURRENCY:
		return rule->value / window;
	case CONF_FEEDBACK_SQRT:
		return rule->value / sqrt(window);
	default:
		return rule->value;
	}
}

void feedback_good(struct feedback *f, const struct feedback_rules *rules, int busy)
{
	f->failed_cohorts = 0;
	/* a window wider than what is used would take long to shrink when it must */
	if (f->window >= busy + rules->initial || (rules->limit && f->window >= rules->limit))
		return;
	f->success += feedback_value(&rules->positive, f->window);
	while (f->success >= 1 - NEARLY) {
		f->window++;
		f->success -= 1;
		f->failure = 0;
	}
	if (f->success < 0)
		f->success = 0;
	if (rules->limit && f->window > rules->limit)
		f->window = rules->limit;
}

bool feedback_bad(struct feedback *f, const struct feedback_rules *rules)
{
	f->failed_cohorts += 1.0 / f->window;
	if (rules->cohort_limit && f->failed_cohorts >= rules->cohort_limit - NEARLY)
		return true;
	f->failure -= feedback_value(&rules->negative, f->window);
	while (f->failure < -NEARLY) {
		f->window--;
		f->failure += 1;
		f->success = 0;
	}
	if (f->window < 1)
		f->window = 1;
	return false;
}
