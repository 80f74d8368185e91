/* SPDX-License-Identifier: ISC */
#ifndef QMGR_POOL_H
#define QMGR_POOL_H

#include "lib/base/err.h"
#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "lib/ipc/frame.h"

struct dest;
struct qmgr;

/* A connection to a delivery agent or to bounce(8), non-blocking, one request under way. */
struct channel {
	struct list link; /* in pool->idle, pool->keeping or pool->busy */
	struct pool *pool;
	struct watch watch;
	int fd;
	bool fresh; /* has not answered yet */
	struct str in, out;
	void *job;             /* what it is busy with... */
	int64_t since_ms;      /* ...and since when */
	struct dest *kept;     /* holds an open session to this destination... */
	struct list kept_link; /* ...is in its list while idle... */
	int64_t kept_until_ms; /* ...and does so until then */
	int64_t idle_since_ms;
};

/* All channels to one service. */
struct pool {
	struct qmgr *qmgr;
	char path[128];                  /* private/smtp */
	struct list idle, keeping, busy; /* keeping: idle, with a session; the latest first */
	size_t count, limit;
	int answer_s; /* how long an answer may take */
	/* One frame came back for the channel's job, or (frame NULL) the connection ended without.
	 */
	void (*answered)(struct channel *channel, const struct frame *frame, void *job);
};

void pool_init(struct pool *pool, struct qmgr *q, const char *path, size_t limit, int answer_s,
    void (*answered)(struct channel *, const struct frame *, void *));
/* Would pool_take find one, or try to connect? */
bool pool_available(const struct pool *pool);
/* An idle channel (one that keeps a session to `prefer` first) or a new one; NULL: none now, and
 * *unreachable_out says whether the service could not be reached. */
struct channel *pool_take(
    struct pool *pool, const struct dest *prefer, bool *unreachable_out, struct err *err);
/* The destination goes away: nobody keeps a session to it. */
void pool_forget(struct dest *dest);
/* Sends a frame on a taken channel. false: it broke (and is closed). */
bool channel_send(struct channel *channel, const struct str *frame, void *job);
/* kept: the destination it keeps a session to for so long, or NULL. */
void channel_give_back(struct channel *channel, struct dest *kept, int64_t kept_ms);
void channel_close(struct channel *channel);
/* Closes what has been idle for so long, and what has not taken or answered a request in time. */
void pool_sweep(struct pool *pool, int64_t idle_ms);

#endif
