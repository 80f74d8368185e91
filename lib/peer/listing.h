/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_LISTING_H
#define LIB_PEER_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/queue/store.h"
#include "lib/sys/crew.h"

/*
 * What is in the queue, message by message, read from the disk: for showq and the commands. Nobody
 * is asked; records in the journal are read where they are, as qmgr would after a restart, and are
 * shown as active. The queue changes meanwhile, so that a message on the move may be seen twice or
 * not at all. What cannot be read is logged and passed over.
 */
struct listing_message {
	const char *queue; /* "maildrop", "incoming", "active", "deferred", "hold" */
	const char *id;
	struct location loc; /* of queue records; lane -1 and dir "maildrop" otherwise */
	int64_t arrival;     /* seconds since 1970 */
	uint64_t size;       /* bytes of header and body */
	bool expired;        /* its expiry was asked for */
	const char *sender;  /* quoted as in a header; "" is the null sender */
	uint32_t rcpts;      /* all of them, done or not */
};

/* What is read of a message; the rest is cheaper. */
enum {
	LISTING_RCPTS = 1 << 0,   /* recipients that are not done */
	LISTING_REASONS = 1 << 1, /* and why they wait */
	LISTING_RAW = 1 << 2,     /* addresses as they are, not quoted */
};

/* Texts are valid during the call. False from begin or end stops the reading. */
struct listing_reader {
	unsigned queues; /* enum where_queue, a set */
	unsigned what;
	bool (*begin)(void *arg, const struct listing_message *m);
	void (*rcpt)(void *arg, const char *address, const char *reason); /* reason may be "" */
	bool (*end)(void *arg);                                           /* may be NULL */
	void *arg;
	/*
	 * For whoever writes what it reads: a large directory is shared out among processes.
	 * `share` is called before that (with the crew: what is collected must go out now, and
	 * whole messages under crew_lock from now on), in each process when its part is done (the
	 * same again), and with NULL when all is done. NULL: everything is read by the caller's
	 * process, in order.
	 */
	void (*share)(void *arg, struct crew *crew);
};

/*
 * In the order maildrop, journal, active, incoming, deferred, hold. The callbacks must not write
 * messages: a lane of the journal is locked while it is read. 0; -1 when a directory could not be
 * read (logged; the others were).
 */
int listing_read(struct queue *queue, const struct listing_reader *reader);

#endif
