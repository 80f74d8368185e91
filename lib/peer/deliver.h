/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_DELIVER_H
#define LIB_PEER_DELIVER_H

#include "lib/ipc/frame.h"
#include "lib/peer/status.h"
#include "lib/queue/store.h"

/*
 * qmgr -> delivery agent, over private/<transport>: one request frame, one result frame, again and
 * again on one connection (D6). The agent serves until qmgr closes. The agent takes the recipients
 * in hand (message_take), delivers, marks those that are done, logs one line per recipient
 * ("to=<>, ..., status="), and answers. Deferred and bounced recipients are left unmarked: qmgr
 * sees to the bounce log first and marks then.
 */
enum { DELIVER_REQUEST = 1, DELIVER_RESULT = 2 };

enum {
	DELIVER_KEEP = 1 << 0,   /* more mail for this nexthop is likely: keep the session open */
	DELIVER_WARNED = 1 << 1, /* the sender was warned of a delay and is to be told of its end */
	DELIVER_TELL_RELAY = 1 << 2, /* say in the result which host was spoken to */
};

struct deliver_rcpt {
	uint32_t index;
	const char *address, *orig, *orcpt;
	uint32_t notify;
};

struct deliver_request {
	const char *id;
	/* struct location */
	uint32_t lane; /* UINT32_MAX: a file */
	uint32_t epoch;
	uint64_t offset;
	const char *dir;
	/* what the agent needs of the envelope */
	const char *nexthop;
	const char *sender;
	uint32_t env_flags; /* ENV_* */
	uint32_t flags;     /* DELIVER_* */
	uint64_t content_len;
	uint64_t arrival_us; /* for delay= and a of delays= */
	uint64_t queued_us;
	uint64_t active_us; /* when it entered the active queue: b of delays= */
	const char *envid, *ret;
	const char *client_name, *client_addr, *client_port, *helo, *protocol;
	const char *sasl_method, *sasl_username;
	const char *message_id;
	struct frame_list rcpts; /* struct deliver_rcpt */
	const char *verp;        /* delimiters, or ""; for bounce(8): an agent's sender has them */
};
extern const struct frame_table deliver_request_table;

struct deliver_result {
	struct frame_list rcpts; /* struct rcpt_result, one per recipient of the request */
	uint32_t
	    reusable_ms; /* the agent still has a session to this nexthop for so long; 0: none */
	uint32_t last;   /* the agent ends after this request: close and take another */
	/* the whole destination is in trouble (no connection at all): reason for qmgr; "" none */
	const char *dead_dsn, *dead_reason;
	const char
	    *damaged;      /* the record cannot be delivered: why; qmgr sets it aside. "" : fine */
	const char *relay; /* DELIVER_TELL_RELAY: name of the host that was reached; "": none */
};
extern const struct frame_table deliver_result_table;

void deliver_location(const struct deliver_request *request, struct location *loc_out);
void deliver_set_location(struct deliver_request *request, const struct location *loc);

/* The agent's side, shared by smtp, local, error and their like, is lib/agent/agent.h. */

#endif
