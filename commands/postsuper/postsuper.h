/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_POSTSUPER_POSTSUPER_H
#define COMMANDS_POSTSUPER_POSTSUPER_H

#include "lib/base/map.h"
#include "lib/queue/store.h"
#include "lib/service/command.h"

/* postsuper(1): the types that its modules share. */

/* Queues, as a set. What is in the journal counts as incoming and as active. */
enum {
	IN_INCOMING = 1 << 0,
	IN_ACTIVE = 1 << 1,
	IN_DEFERRED = 1 << 2,
	IN_HOLD = 1 << 3,
	IN_ALL = (1 << 4) - 1,
};

/* The operations in the order in which they are done and summed up. */
enum op { OP_REQUEUE, OP_DELETE, OP_EXPIRE, OP_EXPIRE_RELEASE, OP_HOLD, OP_RELEASE, OP_COUNT };

struct postsuper {
	struct command command;
	struct queue_params queue_params;
	struct queue *queue;
	unsigned queues;     /* named on the command line; 0: each operation's own */
	struct map *journal; /* id -> struct location; NULL: not read yet */
	bool quiet;          /* "ALL": the sum is said, as Postfix does, and not each message */
	int done[OP_COUNT];
	int done_release; /* by OP_EXPIRE_RELEASE */
};

/*
 * What an operation does to one message. 0: done, 1: it is gone (look again), -1 with err: it is
 * there and it cannot be done.
 */
typedef int op_fn(struct postsuper *p, struct location *loc, const char *id, struct err *err);
op_fn op_requeue, op_delete, op_expire, op_expire_release, op_hold, op_release;

/* The operation on one id, or on all messages of the queues. */
void apply_to_id(struct postsuper *p, enum op op, op_fn *fn, unsigned queues, const char *id);
void apply_to_all(struct postsuper *p, enum op op, op_fn *fn, unsigned queues);

/* -s: files in their places; -p: what crashes left behind. dirs is NULL-terminated. */
void structure_check(struct postsuper *p, const char *const *dirs);
void structure_purge(struct postsuper *p, const char *const *dirs);

#endif
