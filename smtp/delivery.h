/* SPDX-License-Identifier: ISC */
#ifndef SMTP_DELIVERY_H
#define SMTP_DELIVERY_H

#include "smtp/rewrite.h"
#include "smtp/session.h"
#include "smtp/smtp.h"

/*
 * One request of the queue manager on its way through servers: which recipients are left, and what
 * became of the others. A recipient leaves by delivery_sent or by a trouble that is final: a hard
 * one, or a soft one when no other server is behind this one.
 */
struct delivery {
	struct smtp_client *client;
	struct agent_job *job;
	bool *left;     /* by recipient: nothing is decided yet */
	bool *accepted; /* by recipient: RCPT TO was answered well in the present transaction */
	size_t left_count, accepted_count;
	bool keep;                /* sessions may be found open and left open */
	bool final;               /* no other server would be tried after this one */
	bool more;                /* some are left only because the server takes so many at once */
	bool dot_sent;            /* the end of the message went out: its fate is the server's */
	int64_t conn_us, sent_us; /* for delays= */
	struct trouble last;      /* why the recipients that are left were not delivered so far */
};

/* The agent_fn of this program; arg is the struct smtp_client. */
void delivery_run(struct agent_job *job, void *arg);

void delivery_sent(struct delivery *d, const struct session *s, size_t i);
/* One recipient, or all that are left. s may be NULL: relay=none. */
void delivery_trouble(
    struct delivery *d, const struct session *s, size_t i, const struct trouble *t);
void delivery_trouble_all(struct delivery *d, const struct session *s, const struct trouble *t);

/* Hands all that are left to another transport's agent (best_mx_transport); settles each. */
void delivery_pass(struct delivery *d, const char *transport);

/* One transaction on an open session; then the session is kept, or ends. */
void delivery_use(struct delivery *d, struct session *s);

/* ---- servers.c ---------------------------------------------------------------------------- */

/* Goes to the servers of nexthop and smtp_fallback_relay, in order, until all are settled. */
void servers_try_all(struct delivery *d);

/* ---- transaction.c ------------------------------------------------------------------------ */

/*
 * MAIL, RCPT for all that are left (or as many as the server takes at once: d->more), DATA,
 * content. false: the session is dead and *lost says why; what is left was not touched (when
 * !d->dot_sent, the message has certainly not been taken). last_use: no other transaction will
 * follow on this session.
 */
bool transaction_run(struct delivery *d, struct session *s, bool last_use, struct trouble *lost);

/* ---- content.c ---------------------------------------------------------------------------- */

/* How the content goes out. */
struct content_plan {
	struct rewrite_plan rewrite;
	bool bdat; /* in one chunk, as it is stored (RFC 3030); no DATA before it */
};
/* Can it go by BDAT, and does `wish` (enum smtp_bdat) want that? */
bool content_suits_bdat(const struct session *s, const struct agent_job *job,
    const struct smtp_params *params, const struct content_plan *plan, int wish);

/*
 * The content, dot-stuffed and folded where needed, the final dot, and QUIT when `quit`; flushed.
 * CHAT_OK or what went wrong; *unreadable_out: the queue file, not the server.
 */
enum chat_result content_send(struct session *s, const struct agent_job *job,
    const struct smtp_params *params, const struct content_plan *plan, bool quit,
    bool *unreadable_out);

/* Breaks lines longer than limit with CR LF SPACE. Pure, incremental; zero the state but limit. */
struct fold {
	size_t limit;
	size_t column;
	bool held_cr; /* seen, not known yet whether a line end */
	bool broke;   /* some line was broken */
};
void fold_put(struct fold *f, struct str *out, const char *data, size_t len);

#endif
