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
	DELIVER_KEEP = 1 << 0, /* more mail for this nexthop is likely: keep the session open */
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
	uint32_t env_flags;    /* ENV_* */
	uint32_t flags;        /* DELIVER_* */
	uint64_t content_len;
	uint64_t arrival_us;   /* for delay= and a of delays= */
	uint64_t queued_us;
	uint64_t active_us;    /* when it entered the active queue: b of delays= */
	const char *envid, *ret;
	const char *client_name, *client_addr, *client_port, *helo, *protocol;
	const char *sasl_method, *sasl_username;
	const char *message_id;
	struct frame_list rcpts; /* struct deliver_rcpt */
};
extern const struct frame_table deliver_request_table;

struct deliver_result {
	struct frame_list rcpts; /* struct rcpt_result, one per recipient of the request */
	uint32_t reusable_ms;    /* the agent still has a session to this nexthop for so long; 0: none */
	uint32_t last;           /* the agent ends after this request: close and take another */
	/* the whole destination is in trouble (no connection at all): reason for qmgr; "" none */
	const char *dead_dsn, *dead_reason;
};
extern const struct frame_table deliver_result_table;

void deliver_location(const struct deliver_request *request, struct location *loc_out);
void deliver_set_location(struct deliver_request *request, const struct location *loc);

/* ---- the agent's side, shared by smtp, local, error, ... ---------------------------------- */

struct service;
/*
 * What an agent does with one request. `m` is open (envelope not read, content position known) and
 * the recipients are in hand: todo[i] says whether recipient i of the request is still to do.
 * Fill results[i] (zeroed before; texts from `arena`) for each todo recipient, and the rest of
 * *result. Recipients with OUTCOME_SENT or EXPANDED must have been marked by agent_sent.
 */
struct agent_job {
	struct queue *queue;
	const struct deliver_request *request;
	const struct deliver_rcpt *rcpts;
	size_t rcpt_count;
	struct message *m;
	const bool *todo;
	struct rcpt_result *results;
	struct deliver_result *result;
	struct arena *arena;
	int64_t start_us; /* when the agent got the request: end of b of delays= */
};
typedef void agent_fn(struct service *service, struct agent_job *job, void *arg);

/*
 * Serves one connection of qmgr until it closes or max_use is reached. While it waits for the next
 * request, `idle` (may be NULL) is called when idle_fd is readable or after *idle_ms milliseconds,
 * so that an agent can end a kept session in time.
 */
struct agent_idle {
	int fd;         /* -1: none */
	int64_t at_ms;  /* clock_mono_ms; 0: none */
	void (*expired)(void *arg);
};
void agent_serve(struct service *service, struct queue *queue, int fd, agent_fn *fn, void *arg,
    struct agent_idle *idle);

/*
 * Marks recipient i of the job in the queue and logs its line; conn/setup times are wall-clock
 * microseconds: conn_us = when connection set-up began, sent_us = when transmission began (0: not reached),
 * for delays=a/b/c/d. relay is "none", "local", "host[addr]:port".
 */
void agent_sent(struct agent_job *job, size_t i, const char *relay, const char *dsn,
    const char *reason, int64_t conn_us, int64_t sent_us);
/* Likewise for a recipient that was not delivered: fills results[i] and logs; marks nothing. */
void agent_failed(struct agent_job *job, size_t i, enum outcome outcome, const char *relay,
    const char *dsn, const char *reason, const char *diag, const char *mta, int64_t conn_us,
    int64_t sent_us);

#endif
