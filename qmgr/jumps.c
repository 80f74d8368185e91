/* SPDX-License-Identifier: ISC */
#include "qmgr/jumps.h"

#include "lib/base/attr.h"

#define JUMP_US (60 * INT64_C(1000000))

static int64_t skew(int64_t wall_us, int64_t mono_ms)
{
	return wall_us - mono_ms * 1000;
}

void jumps_init(struct jumps *jumps, int64_t wall_us, int64_t mono_ms)
{
	*jumps = (struct jumps){.skew_us = skew(wall_us, mono_ms)};
}

void jumps_look(struct jumps *jumps, int64_t wall_us, int64_t mono_ms)
{
	int64_t now = skew(wall_us, mono_ms), gain = now - jumps->skew_us;

	jumps->skew_us = now;
	if (gain < JUMP_US && gain > -JUMP_US)
		return;
	if (gain > 0 && wall_us > gain)
		jumps->until_us = (uint64_t)(wall_us - gain);
	jumps->ahead_us = MAX(jumps->ahead_us + gain, 0);
}

int64_t jumps_age_us(const struct jumps *jumps, uint64_t arrival_us, int64_t wall_us)
{
	int64_t age = wall_us - (int64_t)arrival_us;

	return arrival_us <= jumps->until_us ? age - jumps->ahead_us : age;
}
