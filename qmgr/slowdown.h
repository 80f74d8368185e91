/* SPDX-License-Identifier: ISC */
#ifndef QMGR_SLOWDOWN_H
#define QMGR_SLOWDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/peer/deliver.h"
#include "qmgr/backoff.h"

/*
 * destination_backoff_maps: answers after which a whole destination, or all destinations of a mail
 * provider, are left alone for a while. A pause of minimal_backoff_time or more makes the
 * destination rest (its mail is deferred); during a shorter one its mail waits where it is.
 *
 * Also what is known about the hosts behind next hops: agents say which one they spoke to.
 */
struct conf_report;
struct dest;
struct qmgr;
struct qmgr_params;

struct slowdowns {
	struct table_chain *chain; /* NULL: off */
	struct map *hosts;         /* next hop -> the host that was last spoken to */
	struct map *providers;     /* provider -> struct provider */
};

/* What a destination's gate keeps. */
struct slowdown {
	int64_t until_ms; /* nothing starts before; 0: no pause */
	bool rests;       /* it is a rest of the destination */
	char *reason;
	int concurrency; /* afterwards; 0: nothing to do */
};

void slowdowns_init(struct slowdowns *s, const struct qmgr_params *params);
/* Must agents tell the host? */
bool slowdowns_need_hosts(const struct qmgr *q);
/* The host that was last spoken to for this next hop; NULL: not known. */
const char *slowdowns_host(const struct slowdowns *s, const char *nexthop);
void slowdowns_learn(struct slowdowns *s, const char *nexthop, const char *host);

/* A result came: does it ask for a pause? */
void slowdown_look(struct dest *dest, const struct deliver_result *result);
/* A destination was made: its provider may be in a pause. */
void slowdown_inherit(struct dest *dest);
/* The pause is over: what follows has less concurrency. */
void slowdown_ended(struct dest *dest);
/* Forgets it, and that of its provider (flush). */
void slowdown_forget(struct dest *dest);
/* Forgets the pauses of providers that are over. */
void slowdowns_sweep(struct slowdowns *s, int64_t now_ms);

#endif
