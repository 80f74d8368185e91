/* SPDX-License-Identifier: ISC */
#include "master/throttle.h"

#include "lib/base/attr.h"

enum { EVENT_LOOP_PROBATION_MS = 5000 };

int throttle_failed(struct throttle *t, int max_s)
{
	t->pause_s = t->pause_s > 0 ? t->pause_s * 2 : 1;
	t->pause_s = MAX(1, MIN(t->pause_s, max_s));
	return t->pause_s;
}

void throttle_succeeded(struct throttle *t)
{
	t->pause_s = 0;
}

enum verdict throttle_judge(const struct ending *ending)
{
	bool quick = ending->event_loop && ending->lived_ms < EVENT_LOOP_PROBATION_MS;

	if (ending->normal)
		return VERDICT_GOOD;
	if (ending->uses == 0 || quick)
		return VERDICT_FAILED;
	return VERDICT_NEITHER;
}
