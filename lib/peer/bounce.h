/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_BOUNCE_H
#define LIB_PEER_BOUNCE_H

#include "lib/ipc/frame.h"
#include "lib/peer/deliver.h"

/*
 * qmgr -> bounce(8) over private/bounce, private/defer and private/trace (one program, three
 * services): many requests on one connection, one answer each, matched by frame id.
 *
 * BOUNCE_APPEND  adds records to the message's log (bounce/ID, defer/ID or trace/ID), synced.
 * BOUNCE_FLUSH   makes the notice from the log and enqueues it, then removes the log. A null
 *                sender gets none (double bounce goes to postmaster when notify_classes says so).
 * BOUNCE_MOVE    (defer only) moves the message to its own file in `dir` with retry_at; may be
 *                combined with records to append. The answer has the new location.
 * BOUNCE_WARN    like FLUSH for the delayed-mail warning; the log stays.
 * BOUNCE_FORGET  removes the log.
 */
enum {
	BOUNCE_APPEND = 1,
	BOUNCE_FLUSH = 2,
	BOUNCE_MOVE = 3,
	BOUNCE_WARN = 4,
	BOUNCE_FORGET = 5,
	BOUNCE_ANSWER = 100
};

struct bounce_record {
	const char *address, *orig, *orcpt;
	uint32_t index, notify;
	const char *dsn, *action, *reason, *diag, *mta;
};

struct bounce_request {
	struct deliver_request message; /* id, location, envelope; rcpts unused */
	const char *move_dir;
	uint64_t retry_at;
	struct frame_list records; /* struct bounce_record */
};

struct bounce_answer {
	uint32_t status; /* 0 done, 1 message gone, 2 failed (logged there; ask again later) */
	uint32_t lane, epoch;
	uint64_t offset;
	const char *dir;
};
extern const struct frame_table bounce_request_table, bounce_answer_table, bounce_record_table,
    bounce_notice_table;

/*
 * The log file itself, written by bounce, read by bounce, showq and postqueue -j: a sequence of
 * frames of type BOUNCE_APPEND holding one bounce_record each; every batch ends in an empty frame
 * of type BOUNCE_END. A torn tail ends the reading; the next append cuts it off first. Between
 * batches a BOUNCE_NOTICE says that a notice of all records before it is about to be made.
 * `service` is "bounce", "defer" or "trace": the folder's name.
 */
enum { BOUNCE_END = 6, BOUNCE_NOTICE = 7 };

struct bounce_log;
/* NULL when there is none (or none that can be read: that is logged). */
struct bounce_log *bounce_log_open(const struct queue *queue, const char *service, const char *id);
bool bounce_log_next(struct bounce_log *log, struct arena *arena, struct bounce_record *out);
void bounce_log_close(struct bounce_log **log);

/*
 * A notice, before it is put into the queue, so that who comes after a crash can tell whether it is
 * there, and again with `made` when it is. `reader` and `index` are whose it is, in bounce's own
 * terms.
 */
struct bounce_notice {
	uint32_t reader, index, made;
	const char *id;
	size_t records; /* not in the file: how many records stand before it */
};
/* As bounce_log_next, which passes notices by, for notices, which passes records by. */
bool bounce_log_next_notice(struct bounce_log *log, struct arena *arena, struct bounce_notice *out);

/*
 * Takes the log for oneself, until *fd_out is closed: nobody adds to it, nobody else makes notices
 * of it. Waits max_ms at most. 0: taken; 1: there is none; -1 with err.
 */
int bounce_log_take(const struct queue *queue, const char *service, const char *id, int max_ms,
    int *fd_out, struct err *err);
/* Writes a notice down in a log that was taken. Not synced: it is for the death of processes. */
int bounce_log_put_notice(int fd, const struct bounce_notice *notice, struct err *err);

/* Pure: the next record at data[*at..len); moves on. False at the end or where the rest is torn. */
bool bounce_log_parse(
    const void *data, size_t len, size_t *at, struct arena *arena, struct bounce_record *out);

/* Adds records and makes them durable, the file's name included. 0, or -1 with err: none counts. */
int bounce_log_append(const struct queue *queue, const char *service, const char *id,
    const struct bounce_record *records, size_t count, struct err *err);
/* No log is no error. Not synced: a log that comes back is only told twice. */
int bounce_log_remove(
    const struct queue *queue, const char *service, const char *id, struct err *err);

#endif
