/* SPDX-License-Identifier: ISC */
#ifndef QMGR_SCHED_H
#define QMGR_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/heap.h"
#include "lib/base/list.h"
#include "lib/event/loop.h"
#include "qmgr/feedback.h"
#include "qmgr/gate.h"
#include "qmgr/pool.h"
#include "qmgr/slots.h"

/*
 * Who gets the next delivery. What one message has to do by one transport is a task; its recipients
 * for one destination are bundled into entries, one delivery each. An entry waits at its
 * destination under a key, the smallest first; a destination that has entries, room in its window
 * and an open gate waits at its transport under the key of its first entry. So the next entry is
 * found in O(log n), whatever the number of messages and destinations that cannot go on.
 *
 * Keys are rounds. A new task's first entry at a destination gets the round after the last one
 * there, or after the present one: messages to one destination go in the order in which they came,
 * and destinations with long queues do not hold up the others. Further entries of the task at that
 * destination follow in the same round, so that a task's destinations take turns. A task that
 * passes another gets keys right before those of the other.
 */
enum {
	TRANSPORT_NAME_MAX = 64,
	KEY_STEP = 1 << 8,  /* a task's entries at one destination */
	KEY_ROUND = 1 << 26 /* tasks of one round, in the order in which they came */
};

struct mail;
struct task;
struct dest;
struct bucket;
struct transport;

/* One recipient of a mail in memory; texts behind it. */
struct rcpt {
	struct rcpt *next; /* of its entry */
	uint32_t index, notify;
	const char *address, *orig, *orcpt;
	char text[];
};

/* A bundle: recipients of one mail for one destination; one delivery request. */
struct entry {
	struct heap_node place; /* in bucket->entries while it waits */
	struct list link;       /* in task->waiting */
	struct task *task;
	struct dest *dest;
	struct bucket *bucket; /* NULL: at an agent, or not placed yet */
	struct rcpt *first, *last;
	int64_t key;
	uint32_t count;
	uint32_t request_id; /* of the request under way */
	uint16_t ordinal;    /* among the entries of its task and destination */
	uint16_t tries;
};

/* What one mail has to do by one transport. */
struct task {
	struct task *next; /* of the mail */
	struct mail *mail;
	struct transport *transport;
	struct list waiting;     /* struct entry, in the order of the recipients */
	struct list unread;      /* in transport->unread while the mail has more on disk */
	struct passing *passing; /* how it passed another; NULL: it did not */
	int64_t key;             /* of its first entry */
	int64_t credit;          /* see slots.h */
	uint32_t left;           /* entries that wait */
	uint32_t entries;        /* these, and those at agents */
	uint32_t rcpts;          /* in them */
	uint8_t class;           /* of its entries' buckets */
	bool placed;             /* has waited before: what is read later has the same rank */
};

/* A task in front of another, until all of it has been given out. */
struct passing {
	struct list link; /* in transport->passing */
	struct task *task, *passed;
	uint32_t need, taken; /* slots that were paid for, and used */
	size_t extra;         /* recipients it may have in memory beyond the limit */
};

/* Entries of one size class that wait for one destination. */
struct bucket {
	struct heap_node ready; /* in transport->classes[] while the destination is ready */
	struct bucket *next;    /* of the destination */
	struct dest *dest;
	struct heap entries;
	int class;
};

struct dest {
	struct heap_node ready; /* in transport->ready while it has work, room and an open gate */
	struct transport *transport;
	const char *nexthop; /* given to the agent */
	const char *key;     /* in qmgr->dests */
	struct bucket *buckets;
	struct entry *newest;     /* the one last made, while it waits */
	int64_t last_round;       /* given to a task */
	size_t todo_count;        /* entries that wait */
	struct feedback feedback; /* and the window: deliveries that may be under way */
	int busy;                 /* that are */
	struct list kept;         /* idle channels that hold a session to it */
	int64_t last_used_ms, last_done_ms;
	int64_t clog_next_ms;               /* no warning before */
	const char *dead_reason, *dead_dsn; /* while it rests; allocated */
	struct timer timer;                 /* end of the rest, or of an idle destination's life */
	struct gate_dest gate;
	struct timer wake; /* the gate opens */
};

/* What main.cf says of a transport: <transport>_X, or else default_X. */
struct transport_settings {
	struct feedback_rules feedback;
	struct slot_rules slots;
	int recipient_limit;                  /* in one delivery */
	int rate_delay, transport_rate_delay; /* seconds */
	int memory_limit, extra_limit;        /* recipients in memory */
	int refill_limit, refill_delay;       /* recipients, seconds */
};

struct transport {
	struct list link; /* in qmgr->transports */
	struct qmgr *qmgr;
	char name[TRANSPORT_NAME_MAX];
	bool is_retry;
	bool defers; /* one of defer_transports */
	struct transport_settings set;
	struct pool pool;
	struct heap ready;                 /* struct dest */
	struct heap classes[SLOT_CLASSES]; /* struct bucket, of ready destinations */
	uint64_t filled;                   /* a bit for each class that has any */
	int64_t round;                     /* of the task served last */
	uint32_t round_tasks;              /* that came since it began */
	struct task *current;              /* that is it, or one that passed it */
	struct list passing;
	size_t rcpts, extra_left; /* recipients in memory; what is left of extra_limit */
	struct list unread;       /* struct task, the oldest first */
	struct timer refill;
	bool dead; /* the service cannot be reached, until the timer fires */
	struct timer timer;
	struct gate_transport gate;
	struct timer wake; /* the gate opens */
};

/* ---- transport.c: services, and the loop that serves them -------------------------------- */
struct transport *transport_get(struct qmgr *q, const char *name);
void transport_run(struct transport *t);    /* hands out what there is room for */
void transport_revive(struct transport *t); /* it may be reachable again (flush) */
/* The process limit of a service, from master.cf. */
size_t agent_limit(struct qmgr *q, const char *name);
/* Is it served by smtp(8) or lmtp(8)? */
bool transport_speaks_smtp(struct qmgr *q, const char *name);

/* ---- dest.c: destinations ----------------------------------------------------------------- */
struct dest *dest_get(struct transport *t, const char *nexthop, const char *rcpt);
void dest_free_if_idle(struct dest *dest);
/* Something about it changed: it takes its place in line, or leaves it. */
void dest_refresh(struct dest *dest);
/* As dest_refresh, and its transport runs soon. Its gate may have opened. */
void dest_look_again(struct dest *dest);
/* Has it work, room in its window and an open gate? */
bool dest_has_turn(struct dest *dest);
/* All that waits for it can only be deferred. */
bool dest_is_hopeless(const struct dest *dest);
struct entry *dest_first(const struct dest *dest); /* NULL: nothing waits */
/* An entry waits, and no longer. The caller refreshes. */
void dest_put(struct entry *entry);
void dest_take(struct entry *entry);
/* A delivery ended: the window grows or shrinks, enough failures and it rests. NULL: no answer. */
void dest_ended(struct dest *dest, const struct deliver_result *result);
/* Its mail goes to retry(8) with this reason for so long; nothing when it rests longer already. */
void dest_rest(struct dest *dest, const char *dsn, const char *reason, int64_t ms);
void dest_revive(struct dest *dest);
/* Ends all rests, of destinations and transports (flush). */
void dests_revive(struct qmgr *q);

/* ---- task.c: entries and tasks --------------------------------------------------------------- */
struct rcpt *rcpt_new(
    uint32_t index, uint32_t notify, const char *address, const char *orig, const char *orcpt);
/* Adds the recipient, which it takes over, to what the mail has to do; tasks_place makes it wait.
 */
void task_assign(struct mail *mail, struct rcpt *rcpt, const char *transport, const char *nexthop);
void tasks_place(struct mail *mail);
/* The mail has been read to its end: its tasks wait for no more. */
void tasks_read(struct mail *mail);
void tasks_free(struct mail *mail); /* no entry is left */
/* At most so many deliveries are left of it; at least, with large bundles. */
size_t task_most(const struct task *task);
size_t task_least(const struct task *task);
void task_set_class(struct task *task, int class); /* moves all that waits */
/* The entry goes to an agent; comes back as the next one; is done with, and its recipients. */
void entry_take(struct entry *entry);
void entry_put_back(struct entry *entry);
void entry_free(struct entry *entry);
/* Gives a waiting entry, or one that came back, to retry(8) with a reason; frees it. */
void entry_to_retry(struct entry *entry, const char *dsn, const char *reason);

/* ---- choose.c: the next entry ------------------------------------------------------------- */
/* NULL: nothing can be delivered now. may_pass: an agent is free, so it is being chosen for good.
 */
struct entry *choose_entry(struct transport *t, bool may_pass);
void passing_end(struct task *task);    /* all of it has been given out */
void passing_forget(struct task *task); /* it is about to be freed, passed or passing */

/* ---- refill.c: recipients in memory -------------------------------------------------------- */
/* How many recipients the mail may have read now, at least one. first: nothing of it is known. */
size_t refill_room(const struct mail *mail, bool first);
/* Reads on in the oldest message that has more on disk, when there is room for a batch. */
void refill_run(struct transport *t);
void refill_expired(struct timer *timer); /* transport->refill */

#endif
