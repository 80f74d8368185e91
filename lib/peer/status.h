/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_STATUS_H
#define LIB_PEER_STATUS_H

#include "lib/ipc/frame.h"

/*
 * The outcome for one recipient, from the agent that tried to the bounce log. Never re-parsed from
 * text: the enhanced status (RFC 3463) is separate from the words.
 */
enum outcome {
	OUTCOME_SENT = 1, /* delivered; the agent has marked it in the queue */
	OUTCOME_DEFERRED = 2,
	OUTCOME_BOUNCED = 3,
	OUTCOME_SKIPPED = 4,  /* was not in our hands: finished or held by another process */
	OUTCOME_EXPANDED = 5, /* local aliasing replaced it; marked */
};

struct rcpt_result {
	uint32_t index;     /* recipient's place in the record */
	uint32_t outcome;   /* enum outcome */
	const char *dsn;    /* "2.0.0" */
	const char *action; /* RFC 3464: "delivered", "relayed", "failed", "delayed", "expanded" */
	const char *reason; /* as logged behind status=... without parentheses */
	const char *diag;   /* "smtp; 550 5.1.1 ..." or "x-unix; ..." or "" */
	const char *mta;    /* remote host name for Remote-MTA, or "" */
};
extern const struct frame_table rcpt_result_table;

#endif
