/* SPDX-License-Identifier: ISC */
#ifndef QMGR_JUMPS_H
#define QMGR_JUMPS_H

#include <stdint.h>

/*
 * Whoever sets the clock forward, by a time server after a start with a wrong clock or by hand,
 * makes all mail look old at once; it must not be returned for that. The wall clock is compared
 * with the monotonic one: what it gains on it at a stroke did not pass, and does not count for the
 * age of mail that came before. (A computer that sleeps stops the monotonic clock: the time asleep
 * does not count either.) Only expiry asks here; a restart forgets.
 */
struct jumps {
	int64_t skew_us;   /* wall clock minus monotonic clock at the last look */
	int64_t ahead_us;  /* how far the clock has been set forward in all; set back it shrinks */
	uint64_t until_us; /* mail that came up to then, by the clock of that time, looks too old */
};

void jumps_init(struct jumps *jumps, int64_t wall_us, int64_t mono_ms);
/* To be called often: a jump is told from drift by its size (a minute). */
void jumps_look(struct jumps *jumps, int64_t wall_us, int64_t mono_ms);
/* Microseconds that have passed since arrival; negative when the clock was set back meanwhile. */
int64_t jumps_age_us(const struct jumps *jumps, uint64_t arrival_us, int64_t wall_us);

#endif
