/* SPDX-License-Identifier: ISC */
/*
 * Transports: one per delivery service. Their settings, their agents, and the loop that hands
 * entries to agents while the gate is open and there are entries and agents.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/conf/master_cf.h"
#include "lib/service/service.h"
#include "qmgr/qmgr.h"

enum { UNLIMITED_AGENTS = 1000 };

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

bool transport_speaks_smtp(struct qmgr *q, const char *name)
{
	const struct master_cf_entry *entry;
	struct master_cf cf = {0};
	bool answer = true;

	if (master_cf_load(conf_etc(service_conf(q->service)), &cf, NULL) < 0)
		return answer;
	entry = master_cf_find(&cf, name, "unix");
	if (entry) {
		const char *slash = strrchr(entry->command, '/');
		const char *program = slash ? slash + 1 : entry->command;

		answer = strcmp(program, "smtp") == 0 || strcmp(program, "lmtp") == 0;
	}
	master_cf_fini(&cf);
	return answer;
}

/* ---- settings ------------------------------------------------------------------------------- */

static const struct {
	const char *suffix;
	size_t offset;
} families[] = {
#define SETTING(suffix, member)                                     \
	{                                                           \
		suffix, offsetof(struct transport_settings, member) \
	}
    SETTING("_destination_concurrency_limit", feedback.limit),
    SETTING("_initial_destination_concurrency", feedback.initial),
    SETTING("_destination_concurrency_failed_cohort_limit", feedback.cohort_limit),
    SETTING("_destination_concurrency_positive_feedback", feedback.positive),
    SETTING("_destination_concurrency_negative_feedback", feedback.negative),
    SETTING("_destination_recipient_limit", recipient_limit),
    SETTING("_destination_rate_delay", rate_delay),
    SETTING("_transport_rate_delay", transport_rate_delay),
    SETTING("_delivery_slot_cost", slots.cost),
    SETTING("_delivery_slot_loan", slots.loan),
    SETTING("_delivery_slot_discount", slots.discount),
    SETTING("_minimum_delivery_slots", slots.minimum),
    SETTING("_recipient_limit", memory_limit),
    SETTING("_extra_recipient_limit", extra_limit),
    SETTING("_recipient_refill_limit", refill_limit),
    SETTING("_recipient_refill_delay", refill_delay),
#undef SETTING
};

static void load_settings(struct transport *t)
{
	struct conf *conf = service_conf(t->qmgr->service);
	struct feedback_rules *rules = &t->set.feedback;

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		conf_family_get(conf, conf_family_of(families[i].suffix), t->name,
		    (char *)&t->set + families[i].offset);
	if (t->set.rate_delay > 0) /* one after the other, or there would be no pause between */
		rules->limit = rules->initial = 1;
	if (rules->limit && rules->initial > rules->limit)
		rules->initial = rules->limit;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Whether it is dead or not decides what its destinations may do. */
static void set_dead(struct transport *t, bool dead)
{
	const char *key;
	void *value;

	if (t->dead == dead)
		return;
	t->dead = dead;
	for (size_t cursor = 0; map_next(t->qmgr->dests, &cursor, &key, &value);) {
		struct dest *dest = value;

		if (dest->transport == t)
			dest_refresh(dest);
	}
}

static void revive(struct timer *timer)
{
	struct transport *t = CONTAINER_OF(timer, struct transport, timer);

	set_dead(t, false);
	transport_run(t);
}

static void wake(struct timer *timer)
{
	transport_run(CONTAINER_OF(timer, struct transport, wake));
}

struct transport *transport_get(struct qmgr *q, const char *name)
{
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
	t->is_retry = strcmp(name, "retry") == 0;
	list_init(&t->passing);
	list_init(&t->unread);
	t->refill.expired = refill_expired;
	t->timer.expired = revive;
	t->wake.expired = wake;
	load_settings(t);
	t->extra_left = (size_t)t->set.extra_limit;
	for (size_t i = 0; i < q->params->defer_transports.count; i++)
		t->defers |= strcmp(q->params->defer_transports.items[i], name) == 0;
	pool_init(
	    &t->pool, q, path, agent_limit(q, t->name), q->core->daemon_timeout, deliver_answered);
	list_push(&q->transports, &t->link);
	gate_transport_made(t);
	return t;
}

/* The service cannot be reached: what waits for it is deferred by retry(8). */
static void transport_dies(struct transport *t, const struct err *err)
{
	log_warn("connect to transport %s: %s", t->pool.path,
	    err->code ? strerror(err->code) : err->text);
	set_dead(t, true);
	timer_start(
	    t->qmgr->loop, &t->timer, (int64_t)t->qmgr->params->transport_retry_time * 1000);
}

void transport_revive(struct transport *t)
{
	timer_cancel(t->qmgr->loop, &t->timer);
	set_dead(t, false);
}

/* ---- the turn -------------------------------------------------------------------------------- */

/* Sleeps until the gate opens. False: it is open. */
static bool sleeps(struct transport *t)
{
	int64_t now = loop_now_ms(t->qmgr->loop), opens = gate_transport_opens(t);

	if (opens <= now)
		return false;
	if (opens != GATE_SHUT)
		timer_start(t->qmgr->loop, &t->wake, opens - now);
	return true;
}

/* What can only be deferred goes to retry(8). */
static void give_up(struct entry *entry)
{
	const struct dest *dest = entry->dest;
	char text[700];

	if (dest->dead_reason) {
		snprintf(
		    text, sizeof(text), "delivery temporarily suspended: %s", dest->dead_reason);
		entry_to_retry(entry, dest->dead_dsn, text);
	} else {
		entry_to_retry(entry, "4.3.0", "mail transport unavailable");
	}
}

static void hand_over(struct entry *entry, struct channel *channel)
{
	struct dest *dest = entry->dest;
	bool fresh = channel->fresh;

	entry_take(entry);
	dest->busy++;
	dest->last_used_ms = loop_now_ms(dest->transport->qmgr->loop);
	if (entry_deliver(entry, channel)) {
		gate_started(dest);
		dest_refresh(dest);
		return;
	}
	dest->busy--;
	if (fresh) /* or it had ended while idle: no fault, the next one is taken */
		entry_unanswered(entry);
	else
		entry_put_back(entry);
}

/* False: no agent free now, or none to be reached. */
static bool serve(struct transport *t, struct entry *entry)
{
	struct channel *channel;
	struct err err = {0};
	bool unreachable;

	if (dest_is_hopeless(entry->dest)) {
		give_up(entry);
		return true;
	}
	if (t->dead || sleeps(t))
		return false;
	channel = pool_take(&t->pool, entry->dest, &unreachable, &err);
	if (!channel && unreachable)
		transport_dies(t, &err);
	if (!channel)
		return unreachable && !t->is_retry;
	hand_over(entry, channel);
	return true;
}

void transport_run(struct transport *t)
{
	struct entry *entry;

	do {
		struct dest *dest;

		refill_run(t);
		entry = choose_entry(t, !t->dead && pool_available(&t->pool));
		if (!entry)
			return;
		dest = entry->dest;
		if (!serve(t, entry))
			return;
		dest_free_if_idle(dest);
	} while (entry);
}
