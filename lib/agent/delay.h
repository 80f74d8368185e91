/* SPDX-License-Identifier: ISC */
#ifndef LIB_AGENT_DELAY_H
#define LIB_AGENT_DELAY_H

#include <stddef.h>
#include <stdint.h>

/*
 * A delay in Postfix's way: seconds with two significant digits, at most two decimals, no trailing
 * zeros: "0", "0.05", "1.2", "37", "4211". Negative values (a clock set back) print as "0".
 */
enum { DELAY_TEXT_MAX = 24 };
void delay_text(char out[DELAY_TEXT_MAX], int64_t microseconds);

/* The four parts of delays=a/b/c/d and their sum; see agent_sent. */
struct delay_times {
	int64_t arrival_us, active_us, handoff_us, conn_us, sent_us, done_us;
};
void delay_print(char *out, size_t size, const struct delay_times *t);

#endif
