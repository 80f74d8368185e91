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
#include "qmgr/clog.h"
#include "qmgr/qmgr.h"

enum { IDLE_DEST_MS = 10000 };

/* destination_concurrency_feedback_debug: the lines are those that Postfix writes. */
static void debug_feedback(const struct dest *dest, bool good)
{
	const struct feedback_rules *rules = &dest->transport->set.feedback;

	if (dest->transport->qmgr->params->feedback_debug)
		log_info("qmgr_queue_%sthrottle: feedback %g", good ? "un" : "",
		    feedback_value(
		        good ? &rules->positive : &rules->negative, dest->feedback.window));
}

static void debug_window(const struct dest *dest, bool good)
{
	const struct feedback *f = &dest->feedback;

	if (dest->transport->qmgr->params->feedback_debug)
		log_info("qmgr_queue_%sthrottle: queue %s: limit %d window %d success %g "
		         "failure %g fail_cohorts %g",
		    good ? "un" : "", dest->nexthop, dest->transport->set.feedback.limit,
		    dest->dead_reason ? 0 : f->window, f->success, f->failure, f->failed_cohorts);
}

static void dest_revive(struct dest *dest)
{
	if (!dest->dead_reason)
		return;
	free((void *)(uintptr_t)dest->dead_reason);
	free((void *)(uintptr_t)dest->dead_dsn);
	dest->dead_reason = dest->dead_dsn = NULL;
	feedback_init(&dest->feedback, &dest->transport->set.feedback);
	debug_window(dest, true);
	qmgr_kick(dest->transport->qmgr);
}

static void dest_timer(struct timer *timer)
{
	struct dest *dest = CONTAINER_OF(timer, struct dest, timer);

	dest_revive(dest);
	dest_free_if_idle(dest);
}

static void dest_wake(struct timer *timer)
{
	dest_look_again(CONTAINER_OF(timer, struct dest, wake));
}

void dests_revive(struct qmgr *q)
{
	const char *key;
	void *value;

	for (size_t cursor = 0; map_next(q->dests, &cursor, &key, &value);) {
		dest_revive(value);
		gate_forget(value);
		dest_look_again(value);
	}
	LIST_EACH (node, &q->transports) {
		struct transport *t = LIST_ITEM(node, struct transport, link);

		transport_revive(t);
	}
	qmgr_kick(q);
}

static struct dest *dest_get(struct transport *t, const char *nexthop, const char *rcpt)
{
	struct qmgr *q = t->qmgr;
	/* one recipient a delivery: the recipient is the destination (local mailboxes) */
	char *key = t->set.recipient_limit == 1 ? alloc_printf("%s %s %s", t->name, nexthop, rcpt)
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
	feedback_init(&dest->feedback, &t->set.feedback);
	list_init(&dest->todo);
	list_init(&dest->ready);
	dest->timer.expired = dest_timer;
	dest->wake.expired = dest_wake;
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
	timer_cancel(q->loop, &dest->wake);
	list_remove(&dest->ready);
	map_remove(q->dests, dest->key);
	free((void *)(uintptr_t)dest->key);
	free((void *)(uintptr_t)dest->nexthop);
	free(dest);
}

/* What cannot be delivered goes to retry(8) and needs no room in the window. */
static bool needs_no_room(const struct dest *dest)
{
	const struct transport *t = dest->transport;

	return !t->is_retry && (dest->dead_reason || t->dead);
}

static bool window_has_room(const struct dest *dest)
{
	return dest->transport->set.feedback.limit == 0 || dest->busy < dest->feedback.window;
}

/* Has it work and room? When only its gate is shut, it wakes up when that opens. */
static bool dest_has_turn(struct dest *dest)
{
	struct loop *loop = dest->transport->qmgr->loop;
	int64_t opens;

	if (list_empty(&dest->todo) || !(needs_no_room(dest) || window_has_room(dest)))
		return false;
	opens = needs_no_room(dest) ? GATE_OPEN : gate_dest_opens(dest);
	if (opens <= loop_now_ms(loop))
		return true;
	if (opens != GATE_SHUT)
		timer_start(loop, &dest->wake, opens - loop_now_ms(loop));
	return false;
}

static void make_ready(struct dest *dest)
{
	if (list_empty(&dest->ready) && dest_has_turn(dest))
		list_push(&dest->transport->ready, &dest->ready);
}

void dest_look_again(struct dest *dest)
{
	timer_cancel(dest->transport->qmgr->loop, &dest->wake);
	make_ready(dest);
	if (!list_empty(&dest->ready))
		qmgr_kick(dest->transport->qmgr);
}

struct dest *dest_first(struct transport *t)
{
	while (!list_empty(&t->ready)) {
		struct dest *dest = LIST_ITEM(t->ready.next, struct dest, ready);

		if (dest_has_turn(dest))
			return dest;
		list_remove(&dest->ready);
		dest_free_if_idle(dest);
	}
	return NULL;
}

void dest_served(struct dest *dest)
{
	list_remove(&dest->ready);
	make_ready(dest); /* at the end: the others' turn */
	if (list_empty(&dest->ready))
		dest_free_if_idle(dest);
}

struct entry *dest_pop(struct dest *dest)
{
	struct entry *entry = LIST_ITEM(dest->todo.next, struct entry, link);

	list_remove(&entry->link);
	dest->todo_count--;
	return entry;
}

void dest_put_back(struct entry *entry)
{
	list_push_front(&entry->dest->todo, &entry->link);
	entry->dest->todo_count++;
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
	if (mail->urgent) {
		timer_cancel(mail->qmgr->loop, &t->timer);
		t->dead = false;
		dest_revive(dest);
	}
	last = list_empty(&dest->todo) ? NULL : LIST_ITEM(dest->todo.prev, struct entry, link);
	limit = t->set.recipient_limit ? (size_t)t->set.recipient_limit : SIZE_MAX;
	if (!last || last->mail != mail || last->count >= limit || *mail->verp) {
		last = alloc_zero(1, sizeof(*last));
		last->dest = dest;
		last->mail = mail;
		list_push(&dest->todo, &last->link);
		dest->todo_count++;
		clog_look(dest);
	}
	if (last->count == last->cap) {
		last->cap = last->cap ? last->cap * 2 : 1;
		last->rcpts = alloc_array(last->rcpts, last->cap, sizeof(struct rcpt *));
	}
	last->rcpts[last->count++] = rcpt;
	make_ready(dest);
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

/* ---- feedback ------------------------------------------------------------------------------ */

void dest_rest(struct dest *dest, const char *dsn, const char *reason, int64_t ms)
{
	if (dest->dead_reason)
		return;
	dest->dead_dsn = alloc_strdup(dsn);
	dest->dead_reason = alloc_strdup(reason);
	timer_start(dest->transport->qmgr->loop, &dest->timer, ms);
	dest_look_again(dest);
}

static void failed(struct dest *dest, const char *dsn, const char *reason)
{
	const struct transport *t = dest->transport;

	if (feedback_bad(&dest->feedback, &t->set.feedback))
		dest_rest(dest, dsn, reason, (int64_t)t->qmgr->params->minimal_backoff * 1000);
}

void dest_ended(struct dest *dest, const struct deliver_result *result)
{
	bool good = result && !*result->dead_reason;

	if (result)
		debug_feedback(dest, good);
	if (good)
		feedback_good(&dest->feedback, &dest->transport->set.feedback, dest->busy);
	else if (result)
		failed(dest, result->dead_dsn, result->dead_reason);
	if (result)
		debug_window(dest, good);
	dest->busy--;
	dest->last_done_ms = loop_now_ms(dest->transport->qmgr->loop);
	gate_ended(dest, result);
}
