/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_POSTSUPER_POSTSUPER_H
#define COMMANDS_POSTSUPER_POSTSUPER_H

#include "lib/base/map.h"
#include "lib/queue/store.h"
#include "lib/queue/where.h"
#include "lib/service/command.h"

/* postsuper(1): the types that its modules share. Queues are sets of enum where_queue. */

/* Queues that hold messages in the queue's form. New mail in the journal is incoming and active. */
enum { IN_QUEUE = WHERE_ALL & ~WHERE_MAILDROP };

/* The operations, in the order in which they are summed up. */
enum op { OP_REQUEUE, OP_DELETE, OP_EXPIRE, OP_EXPIRE_RELEASE, OP_HOLD, OP_RELEASE, OP_COUNT };

struct postsuper {
	struct command command;
	struct queue_params queue_params;
	struct queue *queue;
	bool named;          /* queues were, on the command line */
	unsigned queues;     /* these */
	struct map *journal; /* id -> struct location; NULL: not read yet */
	bool quiet;          /* "ALL": the sum is said, as Postfix does, and not each message */
	bool dry_run;        /* --dry-run: only say what would be done */
	bool json;           /* -j: an object for each message, to standard output */
	bool wait;           /* --wait: until the disk's space is given back, too */
	pid_t pid;           /* wipe.c's */
	unsigned long done[OP_COUNT];
	unsigned long done_release; /* by OP_EXPIRE_RELEASE */
};

/*
 * What an operation does to one message. OP_DONE; OP_GONE: it is not there any more (look again);
 * OP_NOTHING: it was like that before; -1 with err: it is there and it cannot be done.
 */
enum { OP_DONE, OP_GONE, OP_NOTHING };
typedef int op_fn(struct postsuper *p, struct location *loc, const char *id, struct err *err);

struct op_kind {
	int letter;
	op_fn *fn;
	unsigned queues;  /* where it can be done at all */
	unsigned usually; /* where it is, when no queues are named */
	const char *summary, *name;
};
extern const struct op_kind op_kinds[OP_COUNT];
/* In which queues it is to be done now. */
unsigned op_queues(const struct postsuper *p, enum op op);

/* bounce, defer and trace logs of a message that is gone. */
void remove_logs(struct postsuper *p, const char *id);
op_fn op_requeue; /* requeue.c */

/* Where a message of these queues is. fresh: the journal is read again. */
bool find_message(
    struct postsuper *p, unsigned queues, const char *id, bool fresh, struct location *out);
/* One id, or all messages of the queues. */
void apply_to_id(struct postsuper *p, enum op op, unsigned queues, const char *id);
void apply_to_all(struct postsuper *p, enum op op, unsigned queues);

/*
 * What is selected: by an expression (where), by ids (keys of a map), or, with neither, all of it.
 * With --dry-run and -j it is shown.
 */
void apply_to_selected(struct postsuper *p, enum op op, struct where *where, struct map *ids);

/*
 * Deletes all messages of a hashed directory at once; what they leave on the disk goes after that,
 * and for many in the background. The number of messages; 0 when the directory is not hashed.
 */
unsigned long wipe_hashed(struct postsuper *p, const char *dir);
/* Finishes what a wipe_hashed that was interrupted has left. */
void wipe_leftovers(struct postsuper *p, const char *dir);

/* -s: files in their places; -p: what crashes left behind. dirs is NULL-terminated. */
void structure_check(struct postsuper *p, const char *const *dirs);
void structure_purge(struct postsuper *p, const char *const *dirs);

#endif
