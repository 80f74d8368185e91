/* SPDX-License-Identifier: ISC */
#ifndef QMGR_CLOG_H
#define QMGR_CLOG_H

#include <stddef.h>
#include <stdint.h>

/*
 * qmgr_clog_warn_time: a destination that fills the active queue is told of in the log, with what
 * an operator may do about it.
 */
struct clog {
	const char *transport, *nexthop;
	size_t queued;       /* deliveries of this destination, under way and waiting */
	size_t messages;     /* in the active queue */
	size_t active_limit; /* messages that it has room for */
	size_t busy;         /* deliveries under way */
	size_t window;       /* that may be under way by what was learnt */
	size_t limit;        /* that may be under way at most; 0: any number */
	size_t others;       /* destinations of the same transport */
};

/* Does it fill more than its share (a fifth) of the active queue? */
static inline int clog_is(size_t queued, size_t active_limit)
{
	return queued > active_limit / 5;
}

/* What stands in its way, the likeliest first. */
enum clog_cause { CLOG_LIMIT, CLOG_ACTIVE, CLOG_SHARED, CLOG_SLOW };
enum clog_cause clog_cause(const struct clog *clog);

void clog_warn(const struct clog *clog);

/* A destination has got more to do: warns when it is too much, each qmgr_clog_warn_time. */
struct dest;
void clog_look(struct dest *dest);

#endif
