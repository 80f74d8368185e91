/* SPDX-License-Identifier: ISC */
#ifndef LIB_AUTH_BOUND_H
#define LIB_AUTH_BOUND_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "lib/base/err.h"

/*
 * A time limit for calls into a library that waits for servers without any. When the time is over,
 * the sockets that were opened since are shut down: what is read from them ends, and the library
 * fails as it does when the server went away. It is done again each second, for those that try
 * anew.
 */
enum { BOUND_FDS = 256 }; /* higher descriptors are not looked at */

struct bound {
	timer_t timer;
	int seconds;
	uint64_t before[BOUND_FDS / 64]; /* a bit for each descriptor that is somebody else's */
	volatile sig_atomic_t over;
};

/* Takes the signal SIGRTMIN for the process; *bound must stay where it is. -1 with err. */
int bound_init(struct bound *bound, int seconds, struct err *err);
void bound_fini(struct bound *bound);

/* From here to bound_end the time runs; not nested. */
void bound_begin(struct bound *bound);
/* Was the time over before the end? */
bool bound_end(struct bound *bound);

#endif
