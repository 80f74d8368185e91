/* SPDX-License-Identifier: ISC */
/*
 * Destinations: per (transport, nexthop) the entries that wait, a window of parallel deliveries
 * that grows with success and shrinks with failure, and a rest when it seems dead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
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

void dest_revive(struct dest *dest)
{
	if (!dest->dead_reason)
		return;
	free((void *)(uintptr_t)dest->dead_reason);
	free((void *)(uintptr_t)dest->dead_dsn);
	dest->dead_reason = dest->dead_dsn = NULL;
	feedback_init(&dest->feedback, &dest->transport->set.feedback);
	gate_revived(dest);
	debug_window(dest, true);
	dest_look_again(dest);
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

struct dest *dest_get(struct transport *t, const char *nexthop, const char *rcpt)
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
	list_init(&dest->kept);
	dest->timer.expired = dest_timer;
	dest->wake.expired = dest_wake;
	map_put(q->dests, key, dest);
	gate_made(dest);
	return dest;
}

/* ---- what waits ------------------------------------------------------------------------------ */

static struct entry *bucket_first(const struct bucket *bucket)
{
	struct heap_node *node = heap_top(&bucket->entries);

	return node ? CONTAINER_OF(node, struct entry, place) : NULL;
}

struct entry *dest_first(const struct dest *dest)
{
	struct entry *first = NULL;

	for (const struct bucket *b = dest->buckets; b; b = b->next) {
		struct entry *entry = bucket_first(b);

		if (entry && (!first || entry->key < first->key))
			first = entry;
	}
	return first;
}

static void bucket_hide(struct bucket *bucket)
{
	struct transport *t = bucket->dest->transport;

	if (bucket->ready.index == 0)
		return;
	heap_remove(&t->classes[bucket->class], &bucket->ready);
	if (!heap_top(&t->classes[bucket->class]))
		t->filled &= ~((uint64_t)1 << bucket->class);
}

static void bucket_show(struct bucket *bucket, int64_t key)
{
	struct transport *t = bucket->dest->transport;

	if (bucket->class == SLOT_CLASS_NONE || (bucket->ready.index && bucket->ready.key == key))
		return;
	bucket_hide(bucket);
	heap_add(&t->classes[bucket->class], &bucket->ready, key);
	t->filled |= (uint64_t)1 << bucket->class;
}

/* An empty one is taken for whatever comes next. */
static struct bucket *bucket_get(struct dest *dest, int class)
{
	struct bucket *empty = NULL;

	for (struct bucket *b = dest->buckets; b; b = b->next) {
		if (b->class == class)
			return b;
		if (b->entries.count == 0)
			empty = b;
	}
	if (!empty) {
		empty = alloc_zero(1, sizeof(*empty));
		empty->dest = dest;
		empty->next = dest->buckets;
		dest->buckets = empty;
	}
	bucket_hide(empty);
	empty->class = class;
	return empty;
}

void dest_put(struct entry *entry)
{
	entry->bucket = bucket_get(entry->dest, entry->task->class);
	heap_add(&entry->bucket->entries, &entry->place, entry->key);
	entry->dest->todo_count++;
}

void dest_take(struct entry *entry)
{
	heap_remove(&entry->bucket->entries, &entry->place);
	entry->bucket = NULL;
	entry->dest->todo_count--;
}

static void free_buckets(struct dest *dest)
{
	while (dest->buckets) {
		struct bucket *bucket = dest->buckets;

		dest->buckets = bucket->next;
		bucket_hide(bucket);
		heap_fini(&bucket->entries);
		free(bucket);
	}
}

/* An unused destination is remembered for a while, with its window and its kept sessions. */
void dest_free_if_idle(struct dest *dest)
{
	struct qmgr *q = dest->transport->qmgr;
	int64_t until = MAX(dest->last_used_ms + IDLE_DEST_MS, gate_remembers(dest));

	if (dest->busy || dest->todo_count || dest->newest || dest->dead_reason)
		return;
	if (until > loop_now_ms(q->loop)) {
		if (!timer_armed(&dest->timer))
			timer_start(q->loop, &dest->timer, until - loop_now_ms(q->loop) + 100);
		return;
	}
	gate_gone(dest);
	pool_forget(dest);
	timer_cancel(q->loop, &dest->timer);
	timer_cancel(q->loop, &dest->wake);
	heap_remove(&dest->transport->ready, &dest->ready);
	free_buckets(dest);
	map_remove(q->dests, dest->key);
	free((void *)(uintptr_t)dest->key);
	free((void *)(uintptr_t)dest->nexthop);
	free(dest);
}

/* ---- whose turn it is ------------------------------------------------------------------------ */

bool dest_is_hopeless(const struct dest *dest)
{
	const struct transport *t = dest->transport;

	return !t->is_retry && (dest->dead_reason || t->dead);
}

static bool window_has_room(const struct dest *dest)
{
	return dest->transport->set.feedback.limit == 0 || dest->busy < dest->feedback.window;
}

/* When only its gate is shut, it wakes up when that opens. */
bool dest_has_turn(struct dest *dest)
{
	struct loop *loop = dest->transport->qmgr->loop;
	int64_t opens;

	if (dest->todo_count == 0)
		return false;
	if (dest_is_hopeless(dest)) /* it goes to retry(8) and needs no room here */
		return true;
	if (!window_has_room(dest))
		return false;
	opens = gate_dest_opens(dest);
	if (opens <= loop_now_ms(loop))
		return true;
	if (opens != GATE_SHUT)
		timer_start(loop, &dest->wake, gate_dest_wakes(dest, opens) - loop_now_ms(loop));
	return false;
}

void dest_refresh(struct dest *dest)
{
	struct heap *ready = &dest->transport->ready;
	bool has_turn = dest_has_turn(dest), hopeless = dest_is_hopeless(dest);
	const struct entry *first;

	if (dest->todo_count == 0 && !dest->newest)
		dest->last_round = 0; /* what went to retry(8) has taken no turns */
	for (struct bucket *b = dest->buckets; b; b = b->next) {
		first = bucket_first(b);
		if (first && has_turn && !hopeless)
			bucket_show(b, first->key);
		else
			bucket_hide(b);
	}
	first = has_turn ? dest_first(dest) : NULL;
	if (first && dest->ready.index && dest->ready.key == first->key)
		return;
	heap_remove(ready, &dest->ready);
	if (first)
		heap_add(ready, &dest->ready, first->key);
}

void dest_look_again(struct dest *dest)
{
	timer_cancel(dest->transport->qmgr->loop, &dest->wake);
	dest_refresh(dest);
	if (dest->ready.index)
		qmgr_kick(dest->transport->qmgr);
}

/* ---- feedback ------------------------------------------------------------------------------ */

void dest_rest(struct dest *dest, const char *dsn, const char *reason, int64_t ms)
{
	if (dest->dead_reason &&
	    dest->timer.node.key >= loop_now_ms(dest->transport->qmgr->loop) + ms)
		return;
	free((void *)(uintptr_t)dest->dead_dsn);
	free((void *)(uintptr_t)dest->dead_reason);
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
