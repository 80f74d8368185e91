/* SPDX-License-Identifier: ISC */
#include "qmgr/gate.h"

#include <string.h>

#include "qmgr/qmgr.h"

static int64_t now_of(const struct transport *t)
{
	return loop_now_ms(t->qmgr->loop);
}

/* ---- life ----------------------------------------------------------------------------------- */

void gate_transport_made(struct transport *t)
{
	t->gate.is_network = !t->is_retry && transport_speaks_smtp(t->qmgr, t->name);
	if (!t->is_retry)
		t->gate.rate = rate_maps_find(&t->qmgr->rates, RATE_TRANSPORT, t->name, now_of(t));
}

void gate_made(struct dest *dest)
{
	struct transport *t = dest->transport;
	struct qmgr *q = t->qmgr;
	const char *host;

	dest->gate.is_network = t->gate.is_network;
	if (!dest->gate.is_network)
		return;
	host = slowdowns_host(&q->slowdowns, dest->nexthop);
	dest->gate.rate = rate_maps_find(&q->rates, RATE_DESTINATION, dest->nexthop, now_of(t));
	dest->gate.host_known = host != NULL;
	if (host)
		dest->gate.mx = rate_maps_find(&q->rates, RATE_MX, host, now_of(t));
	slowdown_inherit(dest);
}

void gate_gone(struct dest *dest)
{
	struct transport *t = dest->transport;

	rate_maps_release(&t->qmgr->rates, &dest->gate.rate, now_of(t));
	rate_maps_release(&t->qmgr->rates, &dest->gate.mx, now_of(t));
	slowdown_ended(dest);
}

int64_t gate_remembers(const struct dest *dest)
{
	return MAX(dest->gate.next_ms, dest->gate.slowdown.until_ms);
}

void gate_revived(struct dest *dest)
{
	slowdown_ended(dest);
}

/* ---- when ----------------------------------------------------------------------------------- */

static int64_t opens(const struct rate_limit *limit, int64_t now)
{
	return limit ? tokens_opens(&limit->tokens, &limit->rate, now) : GATE_OPEN;
}

int64_t gate_transport_opens(const struct transport *t)
{
	return MAX(t->gate.next_ms, opens(t->gate.rate, now_of(t)));
}

int64_t gate_dest_opens(const struct dest *dest)
{
	const struct gate_dest *g = &dest->gate;
	int64_t now = now_of(dest->transport), when = g->next_ms;

	/* one delivery finds out whose limit it is */
	if (g->is_network && !g->host_known && dest->busy > 0 &&
	    rate_maps_has(&dest->transport->qmgr->rates, RATE_MX))
		return GATE_SHUT;
	if (!g->slowdown.rests)
		when = MAX(when, g->slowdown.until_ms);
	when = MAX(when, opens(g->rate, now));
	return MAX(when, opens(g->mx, now));
}

int64_t gate_dest_wakes(const struct dest *dest, int64_t when)
{
	const struct gate_dest *g = &dest->gate;
	int64_t now = now_of(dest->transport);

	if (opens(g->mx, now) == when)
		return rate_limit_wakes(g->mx, dest->wake.node.key, when);
	if (opens(g->rate, now) == when)
		return rate_limit_wakes(g->rate, dest->wake.node.key, when);
	return when;
}

/* ---- what happens --------------------------------------------------------------------------- */

static void take(struct rate_limit *limit, int64_t now)
{
	if (limit)
		tokens_take(&limit->tokens, &limit->rate, now);
}

/* One delivery a rate delay, whoever it goes to. */
void gate_started(struct dest *dest)
{
	struct transport *t = dest->transport;
	int64_t now = now_of(t);

	if (t->set.transport_rate_delay > 0)
		t->gate.next_ms = now + (int64_t)t->set.transport_rate_delay * 1000;
	take(t->gate.rate, now);
	take(dest->gate.rate, now);
	take(dest->gate.mx, now);
	if (!dest->gate.slowdown.rests && dest->gate.slowdown.until_ms > 0)
		slowdown_ended(dest); /* it has begun again */
}

/* Which host it was is known after the delivery: what it took of a limit is put down then. */
static void learn(struct dest *dest, const char *host)
{
	struct qmgr *q = dest->transport->qmgr;
	int64_t now = now_of(dest->transport);
	const char *known = slowdowns_host(&q->slowdowns, dest->nexthop);
	struct rate_limit *limit;

	if (dest->gate.host_known && known && strcmp(known, host) == 0)
		return;
	slowdowns_learn(&q->slowdowns, dest->nexthop, host);
	dest->gate.host_known = true;
	limit = rate_maps_find(&q->rates, RATE_MX, host, now);
	if (limit != dest->gate.mx)
		take(limit, now);
	rate_maps_release(&q->rates, &dest->gate.mx, now);
	dest->gate.mx = limit;
}

/* The pause is between deliveries: it begins when one ends. */
void gate_ended(struct dest *dest, const struct deliver_result *result)
{
	const struct transport *t = dest->transport;

	if (t->set.rate_delay > 0)
		dest->gate.next_ms = now_of(t) + (int64_t)t->set.rate_delay * 1000;
	if (!result || !dest->gate.is_network)
		return;
	if (*result->relay)
		learn(dest, result->relay);
	slowdown_look(dest, result);
}

/* Rate delays and limits are no failures. */
void gate_forget(struct dest *dest)
{
	slowdown_forget(dest);
}
