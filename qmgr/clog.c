/* SPDX-License-Identifier: ISC */
#include "qmgr/clog.h"

#include "lib/base/log.h"
#include "qmgr/qmgr.h"

static double share(const struct clog *clog)
{
	return clog->messages ? (double)clog->queued / (double)clog->messages : 1;
}

enum clog_cause clog_cause(const struct clog *clog)
{
	if (clog->limit > 0 && clog->limit <= clog->busy + 1)
		return CLOG_LIMIT;
	if ((double)clog->window > (double)clog->active_limit * share(clog))
		return CLOG_ACTIVE;
	return clog->others > 0 ? CLOG_SHARED : CLOG_SLOW;
}

static void advise(const struct clog *clog)
{
	switch (clog_cause(clog)) {
	case CLOG_LIMIT:
		log_warn("it has as many deliveries at once as %s_destination_concurrency_limit = "
		         "%zu allows",
		    clog->transport, clog->limit);
		break;
	case CLOG_ACTIVE:
		log_warn("it could use more of the active queue than qmgr_message_active_limit = "
		         "%zu allows",
		    clog->active_limit);
		break;
	case CLOG_SHARED:
		log_warn("a transport of its own in master.cf would keep %s out of the way of "
		         "other mail",
		    clog->nexthop);
		break;
	case CLOG_SLOW:
		log_warn("shorter time limits for connections of transport %s, or longer "
		         "minimal_backoff_time and maximal_backoff_time, spend less on hosts that "
		         "do not answer; a higher process limit in master.cf does more at once",
		    clog->transport);
		break;
	}
}

void clog_warn(const struct clog *clog)
{
	log_warn("mail for %s is using up %zu of %zu active queue entries", clog->nexthop,
	    clog->queued, clog->messages);
	if (share(clog) < 0.9)
		log_warn("other mail may be slow because of it");
	advise(clog);
	log_warn("a flush of the whole queue makes this worse; qmgr_clog_warn_time = 0 ends these "
	         "warnings");
}

static size_t other_dests(const struct dest *dest)
{
	const char *key;
	size_t n = 0;
	void *value;

	for (size_t cursor = 0; map_next(dest->transport->qmgr->dests, &cursor, &key, &value);) {
		const struct dest *other = value;

		n += other != dest && other->transport == dest->transport;
	}
	return n;
}

void clog_look(struct dest *dest)
{
	const struct transport *t = dest->transport;
	const struct qmgr_params *p = t->qmgr->params;
	size_t queued = dest->todo_count + (size_t)dest->busy;
	int64_t now = loop_now_ms(t->qmgr->loop);

	if (!clog_is(queued, (size_t)p->active_limit) || p->clog_warn_time == 0 || t->is_retry ||
	    now < dest->clog_next_ms)
		return;
	dest->clog_next_ms = now + (int64_t)p->clog_warn_time * 1000;
	clog_warn(&(struct clog){.transport = t->name,
	    .nexthop = dest->nexthop,
	    .queued = queued,
	    .messages = map_count(t->qmgr->mails),
	    .active_limit = (size_t)p->active_limit,
	    .busy = (size_t)dest->busy,
	    .window = (size_t)dest->feedback.window,
	    .limit = (size_t)t->set.feedback.limit,
	    .others = other_dests(dest)});
}
