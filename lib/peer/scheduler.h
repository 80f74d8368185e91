/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_SCHEDULER_H
#define LIB_PEER_SCHEDULER_H

#include "lib/ipc/frame.h"

/*
 * The state of the scheduler, for people who watch it: postqueue(1) -> qmgr over public/qmgr. One
 * SCHEDULER_ASK, empty; then one SCHEDULER_TOTAL, for each transport in use a SCHEDULER_TRANSPORT
 * and a SCHEDULER_DEST for each of its destinations, and SCHEDULER_END. The answer is a snapshot.
 *
 * Whoever may connect to public/qmgr may ask: root, the mail owner, and set-gid commands (which ask
 * authorized_mailq_users first). The answer shows domains and what their servers said, as mailq
 * does, and no mail addresses.
 */
enum {
	SCHEDULER_ASK = 20,
	SCHEDULER_TOTAL = 21,
	SCHEDULER_TRANSPORT = 22,
	SCHEDULER_DEST = 23,
	SCHEDULER_END = 24
};

struct scheduler_total {
	uint32_t messages, message_limit;
	uint32_t recipients, recipient_limit;
	uint32_t waiting_outside; /* 1: new mail waits for room */
};
extern const struct frame_table scheduler_total_table;

/* A token bucket; times in milliseconds. */
struct scheduler_rate {
	const char *name; /* "mx google.com" */
	uint64_t count, period_ms, burst;
	uint64_t tokens_milli; /* thousandths of a token */
	uint64_t opens_ms;     /* until there is a token; 0: there is one */
};

struct scheduler_transport {
	const char *name;
	uint32_t busy;         /* deliveries under way */
	uint32_t agents;       /* connections to agents */
	uint32_t agent_limit;  /* 0: none */
	uint32_t unreachable;  /* 1: the service cannot be reached */
	uint64_t opens_ms;     /* until a delivery may start; 0: now */
	uint64_t destinations; /* how many follow */
	struct frame_list rates;
};
extern const struct frame_table scheduler_transport_table;

struct scheduler_dest {
	const char *transport, *nexthop;
	const char *host;      /* that mail was last given to; "": not known or not asked for */
	uint32_t busy, window; /* deliveries under way, and that may be at once */
	uint32_t window_limit; /* 0: none */
	uint64_t deliveries, messages, recipients; /* that wait */
	uint64_t rest_ms;                          /* dead for so long; 0: not */
	const char *rest_reason;
	uint64_t pause_ms; /* destination_backoff_maps: nothing starts for so long */
	const char *pause_reason;
	uint64_t opens_ms; /* until a delivery may start; 0: now */
	struct frame_list rates;
};
extern const struct frame_table scheduler_dest_table;

/*
 * Asks and calls `got` with the type and the struct of each part of the answer. 0; -1 with err:
 * nobody there (err->code is set), a malformed or a broken answer.
 */
int scheduler_ask(const char *socket, int timeout_ms,
    void (*got)(uint16_t type, const void *value, void *arg), void *arg, struct err *err);

#endif
