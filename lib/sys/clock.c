/* SPDX-License-Identifier: ISC */
#include "lib/sys/clock.h"

#include <time.h>

static int64_t offset_ms; /* zero but in tests */

int64_t clock_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (int64_t)1000 + ts.tv_nsec / 1000000 + offset_ms;
}

int64_t clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (int64_t)1000000 + ts.tv_nsec / 1000 + offset_ms * 1000;
}

int64_t clock_wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * (int64_t)1000000 + ts.tv_nsec / 1000 + offset_ms * 1000;
}

void clock_offset_for_tests(int64_t ms)
{
	offset_ms = ms;
}
