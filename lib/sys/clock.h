/* SPDX-License-Identifier: ISC */
#ifndef LIB_SYS_CLOCK_H
#define LIB_SYS_CLOCK_H

#include <stdint.h>

/* Time in one place, so that a test can turn the clock (clock_offset_for_tests). */
int64_t clock_mono_ms(void); /* never set back; for deadlines */
int64_t clock_mono_us(void); /* the same, finer; to measure with */
int64_t clock_wall_us(void); /* microseconds since 1970; for arrival times, queue ids, logs */
/* Seconds of a parameter as milliseconds, within an int. */
static inline int clock_ms_of(int seconds)
{
	return (seconds < 2000000 ? seconds : 2000000) * 1000;
}
void clock_offset_for_tests(int64_t ms); /* added to both from now on */

#endif
