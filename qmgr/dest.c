/* SPDX-License-Identifier: ISC */
/*
 * Destinations: per (transport, nexthop) a queue of bundles, a window of parallel deliveries that
 * grows with success and shrinks with failure, and a rest when it seems dead. Destinations of a
 * transport that have work and room take turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/conf/master_cf.h"
#include "lib/service/service.h"
#include "qmgr/qmgr.h"

enum { IDLE_DEST_MS = 10000, UNLIMITED_AGENTS = 1000 };

/* The process limit of the service in master.cf, so that no request waits on a full service. */
size_t agent_limit(struct qmgr *q, const char *name)
{
	const struct master_cf_entry *entry;
	struct master_cf cf = {0};
	size_t limit = (size_t)q->core->default_process_limit;

	if (master_cf_load(conf_etc(service_conf(q->service)), &cf, NULL) < 0)
		return limit;
	entry = master_cf_find(&cf, name, "unix");
	if (entry && entry->max_procs >= 0)
		limit = entry->max_procs ? (size_t)entry->max_procs : UNLIMITED_AGENTS;
	master_cf_fini(&cf);
	return limit;
}

static void transport_revive(struct timer *timer)
{
	struct transport *t = CONTAINER_OF(timer, struct transport, timer);

	t->dead = false;
	transport_run(t);
}

struct transport *transport_get(struct qmgr *q, const char *name)
{
	struct conf *conf = service_conf(q->service);
	struct transport *t;
	char path[128];

	LIST_EACH (node, &q->transports) {
		t = LIST_ITEM(node, struct transport, link);
		if (strcmp(t->name, name) == 0)
			return t;
	}
	t = alloc_zero(1, sizeof(*t));
	t->qmgr = q;
	snprintf(t->name, sizeof(t->name), "%s", name);
	snprintf(path, sizeof(path), "private/%s", t->name);
	list_init(&t->ready);
	t->timer.expired = transport_revive;
	t->concurrency_limit = conf_family_int(conf, &qmgr_family_concurrency, t->name);
	t->recipient_limit = conf_family_int(conf, &qmgr_family_recipients, t->name);
	t->initial_window = conf_family_int(conf, &qmgr_family_initial, t->name);
	t->cohort_limit = conf_family_int(conf, &qmgr_family_cohorts, t->name);
	if (t->concurrency_limit && t->initial_window > t->concurrency_limit)
		t->initial_window = t->concurrency_limit;
	pool_init(&t->pool, q, path, agent_limit(q, t->name), deliver_answered);
	list_push(&q->transports, &t->link);
	return t;
}

static void dest_revive(struct dest *dest)
{
	if (!dest->dead_reason)
		return;
	free((void *)(uintptr_t)dest->dead_reason);
	free((void *)(uintptr_t)dest->dead_dsn);
	dest->dead_reason = dest->dead_dsn = NULL;
	dest->failed_cohorts = 0;
	dest->window = dest->transport->initial_window;
	qmgr_kick(dest->transport->qmgr);
}

static void dest_timer(struct timer *timer)
{
	struct dest *dest = CONTAINER_OF(timer, struct dest, timer);

	dest_revive(dest);
	dest_free_if_idle(dest);
}

void dests_revive(struct qmgr *q)
{
	const char *key;
	void *value;

	for (size_t cursor = 0; map_next(q->dests, &cursor, &key, &value);)
		dest_revive(value);
	LIST_EACH (node, &q->transports) {
		struct transport *t = LIST_ITEM(node, struct transport, link);

		timer_cancel(q->loop, &t->timer);
		t->dead = false;
	}
	qmgr_kick(q);
}

static struct dest *dest_get(struct transport *t, const char *nexthop, const char *rcpt)
{
	struct qmgr *q = t->qmgr;
	/* one recipient a delivery: the recipient is the destination (local mailboxes) */
	char *key = t->recipient_limit == 1 ? alloc_printf("%s %s %s", t->name, nexthop, rcpt)
	                                    : alloc_printf("%s %s", t->name, nexthop);
	struct dest *dest = map_get(q->dests, key);

	if (dest) {
		free(key);
		return dest;
	}
	dest = alloc_zero(1, sizeof(*dest));
	dest->transport = t;
	dest->key = key;
	dest->nexthop = alloc_strdup(nexthop);
	dest->window = t->initial_window;
	list_init(&dest->todo);
	list_init(&dest->ready);
	dest->timer.expired = dest_timer;
	map_put(q->dests, key, dest);
	return dest;
}

/* An unused destination is remembered for a while, with its window and its kept sessions. */
void dest_free_if_idle(struct dest *dest)
{
	struct qmgr *q = dest->transport->qmgr;

	if (dest->busy || !list_empty(&dest->todo) || dest->dead_reason)
		return;
	if (loop_now_ms(q->loop) - dest->last_used_ms < IDLE_DEST_MS) {
		if (!timer_armed(&dest->timer))
			timer_start(q->loop, &dest->timer, IDLE_DEST_MS + 100);
		return;
	}
	LIST_EACH (node, &dest->transport->pool.idle) {
		struct channel *channel = LIST_ITEM(node, struct channel, link);

		if (channel->kept == dest)
			channel->kept = NULL;
	}
	timer_cancel(q->loop, &dest->timer);
	list_remove(&dest->ready);
	map_remove(q->dests, dest->key);
	free((void *)(uintptr_t)dest->key);
	free((void *)(uintptr_t)dest->nexthop);
	free(dest);
}

static bool dest_has_turn(const struct dest *dest)
{
	const struct transport *t = dest->transport;

	/* what cannot be delivered goes to retry(8) and needs no room in the window */
	return !list_empty(&dest->todo) &&
	       (t->concurrency_limit == 0 || dest->busy < dest->window || dest->dead_reason ||
	           t->dead);
}

static void make_ready(struct dest *dest)
{
	if (dest_has_turn(dest) && list_empty(&dest->ready))
		list_push(&dest->transport->ready, &dest->ready);
}

void dest_ready_again(struct dest *dest)
{
	make_ready(dest);
	dest_free_if_idle(dest);
}

/* A name that no service of master.cf can have. */
static bool is_impossible(const char *transport)
{
	return strlen(transport) >= TRANSPORT_NAME_MAX || !*transport || strchr(transport, '/');
}

void dest_assign(struct mail *mail, struct rcpt *rcpt, const char *transport, const char *nexthop)
{
	struct transport *t;
	struct dest *dest;
	struct entry *last;
	size_t limit;

	if (is_impossible(transport)) {
		log_warn("%s: impossible transport name \"%.100s\"", mail->id, transport);
		transport = "retry";
		nexthop = "4.3.5 mail transport unavailable";
	}
	t = transport_get(mail->qmgr, transport);
	dest = dest_get(t, nexthop, rcpt->address);
	last = list_empty(&dest->todo) ? NULL : LIST_ITEM(dest->todo.prev, struct entry, link);
	limit = t->recipient_limit ? (size_t)t->recipient_limit : SIZE_MAX;
	if (!last || last->mail != mail || last->count >= limit) {
		last = alloc_zero(1, sizeof(*last));
		last->dest = dest;
		last->mail = mail;
		list_push(&dest->todo, &last->link);
	}
	if (last->count == last->cap) {
		last->cap = last->cap ? last->cap * 2 : 1;
		last->rcpts = alloc_array(last->rcpts, last->cap, sizeof(struct rcpt *));
	}
	last->rcpts[last->count++] = rcpt;
	make_ready(dest);
}

/* The service cannot be reached: what waits for it is deferred by retry(8). */
static void transport_dies(struct transport *t, const struct err *err)
{
	log_warn("connect to transport %s: %s", t->pool.path,
	    err->code ? strerror(err->code) : err->text);
	t->dead = true;
	timer_start(
	    t->qmgr->loop, &t->timer, (int64_t)t->qmgr->params->transport_retry_time * 1000);
}

void entry_to_retry(struct entry *entry, const char *dsn, const char *reason)
{
	char nexthop[1024];
	struct mail *mail = entry->mail;

	snprintf(nexthop, sizeof(nexthop), "%s %s", dsn, reason);
	for (size_t i = 0; i < entry->count; i++)
		dest_assign(mail, entry->rcpts[i], "retry", nexthop);
	qmgr_kick(mail->qmgr);
	entry_free(entry);
}

static struct entry *pop_entry(struct dest *dest)
{
	struct entry *entry = LIST_ITEM(dest->todo.next, struct entry, link);

	list_remove(&entry->link);
	return entry;
}

/* 0: handed on; 1: no agent free now, or none to be reached. */
static int serve_dest(struct dest *dest)
{
	struct transport *t = dest->transport;
	bool is_retry = strcmp(t->name, "retry") == 0;
	struct channel *channel;
	struct entry *entry;
	bool unreachable, fresh;
	struct err err = {0};

	if (dest->dead_reason && !is_retry) {
		char text[700];

		snprintf(
		    text, sizeof(text), "delivery temporarily suspended: %s", dest->dead_reason);
		entry_to_retry(pop_entry(dest), dest->dead_dsn, text);
		return 0;
	}
	if (t->dead && !is_retry) {
		entry_to_retry(pop_entry(dest), "4.3.0", "mail transport unavailable");
		return 0;
	}
	if (t->dead)
		return 1;
	channel = pool_take(&t->pool, dest, &unreachable, &err);
	if (!channel && unreachable)
		transport_dies(t, &err);
	if (!channel)
		return unreachable && !is_retry ? 0 : 1;
	entry = pop_entry(dest);
	dest->busy++;
	dest->last_used_ms = loop_now_ms(t->qmgr->loop);
	fresh = channel->fresh;
	if (entry_deliver(entry, channel))
		return 0;
	dest->busy--;
	if (fresh) /* or it had ended while idle: no fault, the next one is taken */
		entry_unanswered(entry);
	else
		list_push_front(&dest->todo, &entry->link);
	return 0;
}

void transport_run(struct transport *t)
{
	while (!list_empty(&t->ready)) {
		struct dest *dest = LIST_ITEM(t->ready.next, struct dest, ready);

		if (dest_has_turn(dest) && serve_dest(dest) == 1)
			return; /* it stays the first in line */
		list_remove(&dest->ready);
		make_ready(dest); /* at the end: the others' turn */
		if (list_empty(&dest->ready))
			dest_free_if_idle(dest);
	}
}

/* ---- feedback ------------------------------------------------------------------------------ */

void dest_succeeded(struct dest *dest)
{
	const struct transport *t = dest->transport;

	dest->failed_cohorts = 0;
	if ((t->concurrency_limit == 0 || dest->window < t->concurrency_limit) &&
	    dest->window < dest->busy + t->initial_window)
		dest->window++;
}

void dest_failed(struct dest *dest, const char *dsn, const char *reason)
{
	const struct transport *t = dest->transport;
	struct qmgr *q = t->qmgr;

	dest->failed_cohorts += 1.0 / dest->window;
	if (dest->window > 1)
		dest->window--;
	if (t->cohort_limit == 0 || dest->failed_cohorts < t->cohort_limit || dest->dead_reason)
		return;
	dest->dead_dsn = alloc_strdup(dsn);
	dest->dead_reason = alloc_strdup(reason);
	timer_start(q->loop, &dest->timer, (int64_t)q->params->minimal_backoff * 1000);
	make_ready(dest);
}
