/* SPDX-License-Identifier: ISC */
#ifndef LIB_QUEUE_STORE_H
#define LIB_QUEUE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/conf/conf.h"
#include "lib/queue/envelope.h"
#include "lib/queue/id.h"

/*
 * The queue on disk, as all programs use it: one writer, one reader, two homes (doc/queue.md).
 * A message is one record; its home is a lane of the journal or a file of its own. All paths are
 * relative to the queue directory, which is the working directory of every daemon.
 */

/* Where a record is. */
struct location {
	int32_t lane; /* >= 0: journal/NN, at `offset` under `epoch`; -1: a file */
	uint32_t epoch;
	uint64_t offset; /* of the record header; 0 in a file */
	char dir[12];    /* files: "incoming", "active", "deferred", "hold", "corrupt" */
};

struct queue_params {
	int journal_lane_count;        /* lanes are made when needed, up to this */
	int64_t journal_lane_size;     /* bytes, preallocated */
	int64_t journal_message_limit; /* larger records rest in files from the start */
	const char *hash_queue_names;
	int hash_queue_depth;
};
extern const struct conf_table queue_params;

/* The process's view of the queue: open lanes, shared counters. Not shared across fork. */
struct queue;
/* -1 with err when the directories are missing or unusable. The params must outlive the queue. */
int queue_open(
    const struct queue_params *params, bool long_ids, struct queue **queue_out, struct err *err);
void queue_close(struct queue **queue);
/* Gives back what is kept for the next message; for who will wait for long. */
void queue_trim(struct queue *queue);
/* Makes room that the last message missed; between two sessions, for it syncs. */
void queue_tend(struct queue *queue);

/* A new queue id for a message that begins to arrive now. */
void queue_new_id(struct queue *queue, char out[QUEUE_ID_MAX]);

/* ---- writing ---------------------------------------------------------------------------- */

/*
 * A message on its way in. Content is given as it goes over the wire: lines end in CRLF, not
 * dot-stuffed; it is held in memory up to journal_message_limit and spills to a file beyond.
 * The envelope is given at commit and must hold the id that queue_new_id made. Flags about the
 * content (ENV_DOT_LINES, ENV_LONG_LINES, ENV_HIGH_BYTES) are the writer's: it looks at the bytes.
 */
struct queue_writer;
struct queue_writer *queue_writer_new(struct queue *queue, const char *id);
/* -1 with err (ENOSPC, EFBIG, ...); the writer then only accepts abort. */
int queue_writer_put(struct queue_writer *w, const void *data, size_t len, struct err *err);
uint64_t queue_writer_size(const struct queue_writer *w); /* content bytes so far */
/*
 * Makes the message durable in the journal or as incoming/ID (hold/ID when `hold`). Only after 0
 * may a 250 be given. Frees the writer in both cases. env->flags and sizes are completed from what
 * was written.
 */
int queue_writer_commit(struct queue_writer **w, struct envelope *env, bool hold,
    struct location *loc_out, struct err *err);
/*
 * A message that becomes a file keeps its temporary name beside its own, until
 * queue_drop_second_name: by that one queue_has_had finds out, when nobody else could tell any
 * more, that it was there.
 */
void queue_writer_keep_second_name(struct queue_writer *w);
void queue_drop_second_name(const char *id);
void queue_writer_abort(struct queue_writer **w); /* NULL allowed; leaves nothing behind */

/* ---- reading ---------------------------------------------------------------------------- */

enum record_state { RECORD_LIVE = 'L', RECORD_DONE = 'D', RECORD_MOVED = 'M' };
/* What the sender has been told, for once and all. */
enum record_told { RECORD_REPORTED = 'R', RECORD_WARNED = 'W' };

/* An open record. fd is valid until close; content is fd at content_at, content_len bytes. */
struct message {
	struct location loc;
	int fd;
	bool owns_fd;
	uint8_t state; /* enum record_state as of opening */
	bool warned;   /* the sender has been told that it is delayed */
	bool reported; /* the sender has the report of the first attempt (sendmail -v) */
	uint32_t mode; /* of a file, as of opening; 0 in the journal */
	int64_t mtime; /* of a file: when it is to be tried again */
	uint64_t content_at, content_len;
	uint64_t status_at;  /* file offset of the first recipient's status byte */
	struct envelope env; /* without recipients; texts in arena */
	/* The encoded envelope is seen through a window, so that its size does not matter. */
	uint64_t env_at; /* file offset */
	size_t env_len, rcpts_at;
	char *buf; /* what is on the heap; the window is a part of it */
	char *window;
	size_t window_at, window_len;
	uint8_t statuses[256]; /* of the recipients from statuses_at on */
	size_t statuses_at, statuses_len;
	struct arena arena;
};

enum {
	MESSAGE_ENVELOPE = 1 << 0, /* read and check the envelope */
	MESSAGE_CONTENT = 1 << 1,  /* check the content's checksum too */
	MESSAGE_RCPTS = 1 << 3,    /* message_next_rcpt only, from where it has been before */
	MESSAGE_NAME = 1 << 2,     /* queue_scan_dir: names alone, not even retry_at */
	MESSAGE_LOOK = 1 << 3,     /* only to be read: not to be taken in hand or marked */
};

/*
 * Opens the record of queue id `id` at loc. 0; 1 when it is gone (recycled, moved, renamed,
 * finished: not an error); -1 with err when it is there but damaged or unreadable.
 */
int message_open(struct queue *queue, const struct location *loc, const char *id, int what,
    struct message *m, struct err *err);
/*
 * Opens the one record of an open file, wherever that is and whatever its name and state (postcat).
 * The descriptor stays the caller's. 0; 1: it is no record; -1 with err: damaged.
 */
int message_open_fd(int fd, struct message *m, struct err *err);
void message_close(struct message *m);
/*
 * Is what message_open and the others say about the record (it is to be set aside), or about the
 * system (descriptors, the disk, permissions: the record may be sound and is to be tried again)?
 */
bool message_is_damaged(const struct err *err);
/* Finds a message by id wherever it is (commands). As message_open. */
int message_find(struct queue *queue, const char *id, int what, struct message *m, struct err *err);

/* The next recipient with its status; *cursor starts at 0 and counts recipients. 1, 0 end, -1. */
struct rcpt_cursor {
	size_t index, at;
};
int message_next_rcpt(struct message *m, struct rcpt_cursor *cursor, struct arena *arena,
    struct recipient *out, struct err *err);

/* ---- delivery: locks and marks ------------------------------------------------------------ */

/*
 * Takes recipients [first, first+count) in hand: waits for no one (1: another process has one of
 * them). status_out gets the count status bytes as they are now. Locks end with message_close or
 * message_release.
 */
int message_take(
    struct message *m, uint32_t first, uint32_t count, uint8_t *status_out, struct err *err);
void message_release(struct message *m, uint32_t first, uint32_t count);
/* Marks one recipient in place. Not synced: a power failure may undo it, a process's death not. */
int message_mark(struct message *m, uint32_t index, enum rcpt_status status, struct err *err);

/* The sender has been told, of the delay or the first attempt. Not synced. 0; 1: the message is
 * gone; -1. */
int message_mark_told(struct queue *queue, const struct location *loc, const char *id,
    enum record_told told, struct err *err);

/* All recipients are finished: the record is marked done (journal) or the file is removed. */
int message_finish(
    struct queue *queue, const struct location *loc, const char *id, struct err *err);

/*
 * Moves the message to the directory `dir` ("deferred", "hold", "active", "incoming", "corrupt"):
 * a file is renamed; a journal record becomes a file of its own (written, synced, named), then is
 * marked moved. retry_at (seconds since 1970) becomes the file's mtime: when to look at it again.
 * loc is updated. 1 when the message is gone.
 */
int message_move(struct queue *queue, struct location *loc, const char *id, const char *dir,
    int64_t retry_at, struct err *err);

/*
 * A crash between a move and its mark leaves a message in both homes; the file counts. If there is
 * one, the journal record at loc is marked moved: 0. 1: no file, the record is the message.
 */
int message_settle(
    struct queue *queue, const struct location *loc, const char *id, struct err *err);

/* ---- scanning ----------------------------------------------------------------------------- */

/*
 * What a scan finds. Return false from the callback to stop. The callback must not write messages
 * (queue_writer_commit, message_move): a lane is locked while it is read.
 */
struct scan_item {
	struct location loc;
	const char *id;
	int64_t retry_at; /* files: mtime (0: damaged, and asked for more than names); journal: 0 */
	const struct message
	    *m; /* open, envelope read; NULL when damaged (err says why) or not asked for */
	const struct err *err;
};
typedef bool queue_scan_fn(void *arg, const struct scan_item *item);

/*
 * The journal: all live records of all lanes (lanes are locked one at a time while read). Damaged
 * records are copied to corrupt/, reported in the log, and marked done.
 */
int queue_scan_journal(
    struct queue *queue, int what, queue_scan_fn *fn, void *arg, struct err *err);
/*
 * Is there a message of this id, or what is left of one that is finished: a record in a lane that
 * has not begun anew since, a second name of its file? 1 yes, 0 no, -1 with err.
 */
int queue_has_had(struct queue *queue, const char *id, struct err *err);
/* One directory, hashed sub-directories included. what = 0: names only, no file is opened. */
int queue_scan_dir(
    struct queue *queue, const char *dir, int what, queue_scan_fn *fn, void *arg, struct err *err);

/*
 * A part of a directory: slice 0 are the files in the directory itself, slice n > 0 those in its
 * n-th possible hash directory. QUEUE_SLICES of them make up queue_scan_dir. Names only.
 */
enum { QUEUE_SLICES = 1 + 62 };
int queue_scan_slice(
    struct queue *queue, const char *dir, int slice, queue_scan_fn *fn, void *arg, struct err *err);

/* Path of a queue file by directory and id, with hashing: "deferred/3/3F0ED1A2B3C". */
void queue_path(const struct queue *queue, const char *dir, const char *id, char *out, size_t size);

/* How many levels of hash directories `dir` has; 0: none. For files that are named by no id. */
int queue_hash_depth(const struct queue *queue, const char *dir);

/* Does hash_queue_names name it? Its files then are in sub-directories. */
bool queue_dir_is_hashed(const struct queue *queue, const char *dir);

/* Free space: is there room for `need` more bytes and a few inodes? false with err (code ENOSPC).
 */
bool queue_has_room(int64_t need, struct err *err);

/* Names of all queue directories with their modes, for init, check and set-permissions. */
struct queue_dir {
	const char *name;
	unsigned mode;
	bool owned_by_root, setgid_group;
};
extern const struct queue_dir queue_dirs[];
extern const size_t queue_dir_count;

#endif
