/* SPDX-License-Identifier: ISC */
#ifndef SMTP_UNREACHABLE_H
#define SMTP_UNREACHABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/sys/net.h"

/*
 * Addresses that did not answer, known to all processes that deliver: a server that is a black hole
 * costs each attempt a whole time limit, so it is tried last for a while, and then by one process
 * at a time. What is known is advice in shared memory (a file of data_directory): to lose or to
 * damage it costs time only. An attempt that has taken suspiciously long counts before it ends.
 */
struct unreachable;

/*
 * path is the file; where it cannot be used, this process knows for itself. first_s is how long an
 * address is avoided after its first failure, doubled with each further one up to 16 times; 0: no
 * memory at all. grace_ms: an attempt that takes longer makes others avoid the address. Never NULL.
 */
struct unreachable *unreachable_open(const char *path, int first_s, int grace_ms);
void unreachable_close(struct unreachable **u);

/* Should other addresses be tried first? */
bool unreachable_is_suspect(const struct unreachable *u, const struct net_addr *addr);

/* Around an attempt. reached: it answered, whatever it said. */
void unreachable_begin(struct unreachable *u, const struct net_addr *addr);
void unreachable_end(struct unreachable *u, const struct net_addr *addr, bool reached);

#endif
