/* SPDX-License-Identifier: ISC */
#ifndef MASTER_THROTTLE_H
#define MASTER_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The pause before a failing thing is tried again: 1 s, then twice as long each time, up to a
 * bound. Pure: no clock, no log. An all-zero struct is ready.
 */
struct throttle {
	int pause_s; /* the last pause; 0: no failure since the last success */
};

int throttle_failed(struct throttle *t, int max_s); /* the pause, in seconds */
void throttle_succeeded(struct throttle *t);

/* How a process ended, as far as the decision goes. */
struct ending {
	bool normal;   /* exit status 0 */
	bool lasting;  /* an event loop, or what a timer wakes: all depend on this one process */
	bool ready;    /* it got as far as waiting for work */
	uint32_t uses; /* sessions, triggers, connections it had */
	int64_t lived_ms;
};

enum verdict { VERDICT_GOOD, VERDICT_FAILED, VERDICT_NEITHER };

/*
 * Is its service to be throttled (FAILED), or has it shown that it works (GOOD)? A process that
 * fails before it served anything cannot start, nor can one that ends before it is ready, or at
 * once, be it with status 0: the client that waits would have it started again for ever. One that
 * gets work at once, for that is what it was started for, must also live for a while.
 */
enum verdict throttle_judge(const struct ending *ending);

#endif
