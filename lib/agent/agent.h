/* SPDX-License-Identifier: ISC */
#ifndef LIB_AGENT_AGENT_H
#define LIB_AGENT_AGENT_H

#include "lib/peer/deliver.h"

/*
 * What all delivery agents share: qmgr's connection served request by request, recipients taken in
 * hand and marked, the log line of each delivery. See lib/peer/deliver.h for the conversation.
 */
struct service;
struct table_chain;

/*
 * What an agent does with one request. `m` is open (envelope not read, content position known) and
 * the recipients are in hand: todo[i] says whether recipient i of the request is still to do.
 * Fill results[i] (zeroed before; texts from `arena`) for each todo recipient, and the rest of
 * *result. Recipients with OUTCOME_SENT or EXPANDED must have been marked by agent_sent.
 */
struct agent_job {
	struct service *service;
	struct queue *queue;
	const struct deliver_request *request;
	const struct deliver_rcpt *rcpts;
	size_t rcpt_count;
	struct message *m;
	const bool *todo;
	struct rcpt_result *results;
	struct deliver_result *result;
	struct arena *arena;
	struct table_chain *status_filter; /* as of agent_serve */
	int64_t start_us;                  /* when the agent got the request: end of b of delays= */
};
typedef void agent_fn(struct agent_job *job, void *arg);

/*
 * Serves one connection of qmgr until it closes or max_use is reached. While it waits for the next
 * request, `idle` (may be NULL) is called when idle_fd is readable or after *idle_ms milliseconds,
 * so that an agent can end a kept session in time.
 */
struct agent_idle {
	int fd;        /* -1: none */
	int64_t at_ms; /* clock_mono_ms; 0: none */
	void (*expired)(void *arg);
};
/*
 * status_filter is <agent>_delivery_status_filter: for each outcome it is asked for "dsn text", and
 * may give another such line of the same class (2, or 4 and 5). NULL or empty: none.
 */
void agent_serve(struct service *service, struct queue *queue, int fd, agent_fn *fn, void *arg,
    struct agent_idle *idle, struct table_chain *status_filter);

/*
 * Marks recipient i of the job in the queue and logs its line. Times are wall-clock microseconds
 * for delays=a/b/c/d: conn_us, when connection set-up began (0: there is none, as in local
 * delivery); sent_us, when the connection was ready (0: never). relay is "none", "local",
 * "host[addr]:port".
 */
void agent_sent(struct agent_job *job, size_t i, const char *relay, const char *dsn,
    const char *reason, int64_t conn_us, int64_t sent_us);
/*
 * The same, with what a success notice says (RFC 3464): action "delivered", "relayed", "expanded";
 * diag and mta as in struct rcpt_result. next_tells: the next hop speaks DSN and will tell the
 * sender itself (RFC 3461 5.2.2).
 */
struct agent_success {
	const char *action, *dsn, *reason, *diag, *mta;
	bool next_tells;
};
void agent_sent_as(struct agent_job *job, size_t i, const char *relay,
    const struct agent_success *success, int64_t conn_us, int64_t sent_us);
/*
 * Is the message one that is only to be verified (sendmail -bv)? Then an agent goes as far as it
 * can without delivering anything; agent_sent and agent_failed record what they are told for the
 * report, and the recipient is done either way.
 */
bool agent_only_verifies(const struct agent_job *job);
/* Likewise for a recipient that was not delivered: fills results[i] and logs; marks nothing. */
void agent_failed(struct agent_job *job, size_t i, enum outcome outcome, const char *relay,
    const char *dsn, const char *reason, const char *diag, const char *mta, int64_t conn_us,
    int64_t sent_us);

#endif
