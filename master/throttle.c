/* SPDX-License-Identifier: ISC */
#include "master/throttle.h"

#include "lib/base/attr.h"

enum { PROBATION_MS = 5000, AT_ONCE_MS = 500 };

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
	bool quick = ending->lasting && ending->lived_ms < PROBATION_MS;
	bool useless = ending->uses == 0 && (!ending->ready || ending->lived_ms < AT_ONCE_MS);

	if (ending->normal)
		return useless ? VERDICT_FAILED : VERDICT_GOOD;
	if (ending->uses == 0 || quick)
		return VERDICT_FAILED;
	return VERDICT_NEITHER;
}
