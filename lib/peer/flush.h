/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_FLUSH_H
#define LIB_PEER_FLUSH_H

#include "lib/ipc/frame.h"
#include "lib/queue/store.h"

/*
 * flush(8), over public/$flush_service_name: which deferred messages wait for which site, so that
 * ETRN and "postqueue -s" need not look through the queue. One answer to each request.
 *
 * FLUSH_ADD        message `id` waits for `site`.
 * FLUSH_SEND_SITE  what waits for `site` is to be tried now; "@site": for its subdomains too.
 * FLUSH_SEND_FILE  message `id` is to be tried now, if it is deferred.
 * FLUSH_REFRESH    what a wake-up does: logs that nobody read for fast_flush_refresh_time are sent,
 *                  empty ones of fast_flush_purge_time removed.
 * FLUSH_PURGE      sends all logs, whatever their age.
 * FLUSH_ENABLE     makes the (empty) log of an eligible site.
 *
 * Anybody who reaches the socket may ask for the two SEND requests; the others are believed of
 * processes with the mail system's or root's user id.
 */
enum {
	FLUSH_ADD = 1,
	FLUSH_SEND_SITE = 2,
	FLUSH_SEND_FILE = 3,
	FLUSH_REFRESH = 4,
	FLUSH_PURGE = 5,
	FLUSH_ENABLE = 6,
	FLUSH_ANSWER = 100
};
enum { FLUSH_SITE_MAX = 255 };

enum flush_status {
	FLUSH_OK,
	FLUSH_FAILED, /* logged there */
	FLUSH_BAD,    /* no such request, site or id can be */
	FLUSH_DENIED, /* not one of fast_flush_domains, or not for this caller */
};

struct flush_request {
	const char *site, *id;
};
struct flush_answer {
	uint32_t status; /* enum flush_status */
};
extern const struct frame_table flush_request_table, flush_answer_table;

/* Asks the service; waits up to timeout_ms for each step. 0, or -1 with err: nobody answered. */
int flush_ask(const char *service, uint16_t type, const struct flush_request *request,
    int timeout_ms, enum flush_status *status_out, struct err *err);

/*
 * The log of a site, flush/<site> with letters in lower case and all but letters and digits as '_',
 * hashed by its first characters when hash_queue_names says so: a queue id a line. defer(8) adds to
 * it by itself, without asking anybody. There are no locks: an add is one write, and who takes a
 * log renames it first; who added looks afterwards whether it still has its name.
 */

/* false: not a site's name (empty, too long). */
bool flush_log_path(const struct queue *queue, const char *site, char *out, size_t size);

/*
 * Adds an id. Now and then the log is rid of doubles and of what is not deferred any more, so that
 * it stays within a small multiple of the mail that waits. 0, or -1 with err.
 */
int flush_log_add(const struct queue *queue, const char *site, const char *id, struct err *err);

/* Is called once for each id of a log, in order; false: cannot go on (the rest stays). */
typedef bool flush_log_fn(void *arg, const char *id);
/* Makes an empty log when there is none. */
int flush_log_enable(const struct queue *queue, const char *site, struct err *err);

/*
 * Takes the log at `path`: gives its ids to fn and leaves an empty one in its place. No log is no
 * error. 0, or -1 with err; what fn did not take is in the log again.
 */
int flush_log_take(const char *path, flush_log_fn *fn, void *arg, struct err *err);
/* Takes away what a process that died left of a log it was taking. */
int flush_log_take_rest(const char *path, flush_log_fn *fn, void *arg, struct err *err);
bool flush_log_is_rest(const char *name); /* the name of such a left-over */

#endif
