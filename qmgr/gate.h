/* SPDX-License-Identifier: ISC */
#ifndef QMGR_GATE_H
#define QMGR_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/peer/deliver.h"
#include "qmgr/rate_maps.h"
#include "qmgr/slowdown.h"

/*
 * When may the next delivery start? A destination's window says how many may be under way at once;
 * the gate says from which moment on one more may begin. The scheduler asks right before each
 * start, tells of each start and of each result. All times are those of loop_now_ms.
 *
 * While an answer lies in the future, the scheduler sleeps until then and asks again (dest->wake,
 * transport->wake); no mail is moved or deferred meanwhile. What becomes possible earlier is told
 * by dest_look_again. What shall be deferred instead is said by dest_rest.
 */
struct dest;
struct transport;

enum { GATE_OPEN = 0 };
#define GATE_SHUT INT64_MAX /* until somebody looks again */

/* What the gate remembers, zeroed when its owner is made. */
struct gate_dest {
	int64_t next_ms; /* rate delay: nothing starts before */
	bool is_network; /* limits and pauses apply: mail leaves this host by SMTP or LMTP */
	bool host_known;
	struct rate_limit *rate, *mx; /* NULL: none */
	struct slowdown slowdown;
};
struct gate_transport {
	int64_t next_ms;
	bool is_network;
	struct rate_limit *rate;
};

/* The owner has been made, complete but for its gate; or is about to be freed. */
void gate_made(struct dest *dest);
void gate_gone(struct dest *dest);
void gate_transport_made(struct transport *t);
/* Until then the gate knows something that must not be forgotten; 0: it knows nothing. */
int64_t gate_remembers(const struct dest *dest);
/* A rest of the destination has ended, its window is as at first. */
void gate_revived(struct dest *dest);

/* From when on may a delivery start: GATE_OPEN or a time that has come: now. Changes nothing. */
int64_t gate_transport_opens(const struct transport *t);
int64_t gate_dest_opens(const struct dest *dest);
/* When the destination, which may not begin before `opens`, wakes up to look again. */
int64_t gate_dest_wakes(const struct dest *dest, int64_t opens);

/* A delivery starts now. (Those that go to retry(8) instead are not told.) */
void gate_started(struct dest *dest);

/*
 * A delivery ended. result->rcpts are struct rcpt_result with outcome, dsn and reason each;
 * result->dead_reason tells of a destination that could not be spoken to. NULL: the agent died.
 * Called after the window has had its feedback and dest->busy is one less.
 */
void gate_ended(struct dest *dest, const struct deliver_result *result);

/* The operator flushes the queue: what has been learnt from failures is forgotten. */
void gate_forget(struct dest *dest);

#endif
