/* SPDX-License-Identifier: ISC */
/*
 * Looking for mail on disk: new mail after a restart or when notes were turned away, and the
 * deferred queue every queue_run_delay. All in small steps, a step a turn of the loop, so that a
 * hundred thousand files do not hold up new mail: a part of the queue is listed (names only), then
 * what was listed is taken up as there is room. Deferred mail leaves a fifth of the active queue to
 * new mail.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "qmgr/qmgr.h"

enum { STEP_MS = 1, STEP_WORK_MS = 10, STEP_MESSAGES = 100, FAILURES_MAX = 10 };

struct found {
	struct location loc;
	char id[QUEUE_ID_MAX];
};

struct collect {
	struct qmgr *qmgr;
	struct found_list *list;
	size_t max;
	int64_t due, absurd; /* files to be looked at between these times are passed by */
	bool more;           /* stopped for lack of room */
};

static void found_add(struct found_list *list, const struct location *loc, const char *id)
{
	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 64;
		list->items = alloc_array(list->items, list->cap, sizeof(*list->items));
	}
	list->items[list->count].loc = *loc;
	strcpy(list->items[list->count++].id, id);
}

static bool collect_item(void *arg, const struct scan_item *item)
{
	struct collect *c = arg;
	struct found_list *list = c->list;

	if ((item->retry_at > c->due && item->retry_at <= c->absurd) ||
	    map_get(c->qmgr->mails, item->id))
		return true;
	if (list->count == c->max) {
		c->more = true;
		return false;
	}
	found_add(list, &item->loc, item->id);
	return true;
}

static void found_clear(struct found_list *list)
{
	free(list->items);
	*list = (struct found_list){0};
}

static bool found_any(const struct found_list *list)
{
	return list->next < list->count;
}

static size_t room(const struct qmgr *q, size_t limit)
{
	size_t have = map_count(q->mails);

	return have < limit ? limit - have : 0;
}

static size_t room_for_deferred(const struct qmgr *q)
{
	size_t limit = (size_t)q->params->active_limit;

	return room(q, limit - limit / 5);
}

/* New mail that was turned away is looked for again when an eighth of the queue is free. */
static bool may_look_for_new(const struct qmgr *q)
{
	size_t limit = (size_t)q->params->active_limit;

	return q->rescan_new && room(q, limit) > limit / 8;
}

/*
 * Takes up what was found, for a few milliseconds. When the system fails again and again (no
 * descriptors, a read-only disk) the scan ends until the next queue run, so that a large queue does
 * not fill the log; one file that cannot be read does not hold up the others.
 */
static void activate_some(struct qmgr *q, struct found_list *list, size_t max)
{
	int64_t end = clock_mono_ms() + STEP_WORK_MS;

	for (size_t n = 0; n < MIN(max, STEP_MESSAGES) && found_any(list); n++) {
		const struct found *found = &list->items[list->next++];
		enum urgency urgency = list == &q->found_urgent ? URGENT_MAIL
		                       : list->flush            ? URGENT_QUEUE
		                                                : URGENT_NOT;
		bool ok = mail_activate(q, &found->loc, found->id, urgency);

		q->scan_failures = ok ? 0 : q->scan_failures + 1;
		if (q->scan_failures >= FAILURES_MAX) {
			found_clear(&q->found_new);
			found_clear(&q->found_deferred);
			found_clear(&q->found_urgent); /* their times are past: a later run */
			q->scan_slices = 0;
			q->scan_all = q->rescan_new = false;
			q->scan_failures = 0;
			return;
		}
		if (clock_mono_ms() >= end)
			break;
	}
	if (!found_any(list))
		found_clear(list);
}

/*
 * A message that has both homes (a crash between the move and its mark) is taken from the file,
 * since files are looked at first; the stale journal record is marked when it turns up.
 */
static bool collect_journal(void *arg, const struct scan_item *item)
{
	struct collect *c = arg;
	const struct mail *mail = map_get(c->qmgr->mails, item->id);

	if (mail && mail->loc.lane < 0)
		message_finish(c->qmgr->queue, &item->loc, item->id, NULL);
	return collect_item(arg, item);
}

static bool finish_if_moved(void *arg, const struct scan_item *item)
{
	struct qmgr *q = arg;
	const struct mail *mail = map_get(q->mails, item->id);
	struct err err;

	if (mail && mail->loc.lane >= 0)
		return true; /* at work; it may be on its way to a file just now */
	if (message_settle(q->queue, &item->loc, item->id, &err) < 0)
		log_warn("%s: %s", item->id, err.text);
	return true;
}

static void list_new(struct qmgr *q)
{
	static const char *const dirs[] = {"active", "incoming"};
	struct collect c = {.qmgr = q,
	    .list = &q->found_new,
	    .due = INT64_MAX,
	    .absurd = INT64_MAX,
	    .max = room(q, (size_t)q->params->active_limit)};
	struct err err;

	q->rescan_new = false;
	q->scan_failures = 0;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (queue_scan_dir(q->queue, dirs[i], 0, collect_item, &c, &err) < 0)
			log_warn("%s", err.text);
	}
	if (q->check_lanes) {
		q->check_lanes = false;
		if (queue_scan_journal(
		        q->queue, MESSAGE_ENVELOPE | MESSAGE_CONTENT, finish_if_moved, q, &err) < 0)
			log_warn("%s", err.text);
	}
	if (queue_scan_journal(q->queue, MESSAGE_ENVELOPE, collect_journal, &c, &err) < 0)
		log_warn("%s", err.text);
	q->rescan_new |= c.more;
	if (c.more)
		intake_tell(q, true);
}

/*
 * What lies further ahead than any back-off was put there before the clock was set back.
 * In a flush everything is due; a slice is listed once, so nothing is tried twice.
 */
static void list_slice(struct qmgr *q)
{
	int64_t now = clock_wall_us() / 1000000;
	struct collect c = {.qmgr = q,
	    .list = &q->found_deferred,
	    .max = SIZE_MAX,
	    .due = q->scan_all ? INT64_MAX : now,
	    .absurd =
	        now + 2 * (int64_t)MAX(q->params->maximal_backoff, q->params->minimal_backoff)};
	struct err err;

	q->found_deferred.flush = q->scan_all;
	if (queue_scan_slice(q->queue, "deferred", q->scan_slice, collect_item, &c, &err) < 0)
		log_warn("%s", err.text);
	q->scan_slice = (q->scan_slice + 1) % QUEUE_SLICES;
	if (--q->scan_slices > 0)
		return;
	if (q->scan_all && q->scan_after)
		q->scan_slices = QUEUE_SLICES;
	q->scan_all = q->scan_after = false;
}

/* One step a turn: new mail first. False: nothing can be done now. */
static bool scan_step(struct qmgr *q)
{
	size_t limit = (size_t)q->params->active_limit;

	if (found_any(&q->found_urgent) && room(q, limit) > 0)
		activate_some(q, &q->found_urgent, room(q, limit));
	else if (found_any(&q->found_new) && room(q, limit) > 0)
		activate_some(q, &q->found_new, room(q, limit));
	else if (may_look_for_new(q) && !found_any(&q->found_new))
		list_new(q);
	else if (found_any(&q->found_deferred) && room_for_deferred(q) > 0)
		activate_some(q, &q->found_deferred, room_for_deferred(q));
	else if (q->scan_slices > 0 && !found_any(&q->found_deferred))
		list_slice(q);
	else
		return false;
	return true;
}

static void scan_again(struct timer *timer)
{
	struct qmgr *q = CONTAINER_OF(timer, struct qmgr, scan_timer);

	if (scan_step(q))
		timer_start(q->loop, timer, STEP_MS);
	if (!q->rescan_new && !found_any(&q->found_new))
		intake_tell(q, false); /* all new mail has been let in */
}

void scan_room(struct qmgr *q)
{
	bool waits = found_any(&q->found_urgent) ||
	             (found_any(&q->found_new) || may_look_for_new(q)) ||
	             (found_any(&q->found_deferred) && room_for_deferred(q) > 0);

	if (waits && !timer_armed(&q->scan_timer))
		timer_start(q->loop, &q->scan_timer, STEP_MS);
}

void scan_new_mail(struct qmgr *q)
{
	q->rescan_new = true;
	if (!timer_armed(&q->scan_timer))
		timer_start(q->loop, &q->scan_timer, 0);
}

/* With as many as the active queue takes it is a flush of nearly all, which the times bring about.
 */
void scan_take_urgent(struct qmgr *q, const char *id)
{
	struct location loc = {.lane = -1, .dir = "deferred"};

	if (map_get(q->mails, id))
		return; /* it is being tried */
	if (q->found_urgent.count - q->found_urgent.next >= (size_t)q->params->active_limit) {
		scan_deferred(q, false);
		return;
	}
	found_add(&q->found_urgent, &loc, id);
	if (!timer_armed(&q->scan_timer))
		timer_start(q->loop, &q->scan_timer, 0);
}

/*
 * A run under way goes on from where it is, once around: no part is always the one left out. A
 * flush is not made longer by the runs that come meanwhile, or it would try things twice: a run of
 * what is due follows it, since what was put behind it (a released message) is not seen by it.
 */
void scan_deferred(struct qmgr *q, bool all)
{
	q->scan_failures = 0;
	q->scan_all |= all;
	if (all || q->scan_slices == 0 || !q->scan_all)
		q->scan_slices = QUEUE_SLICES;
	else
		q->scan_after = true;
	if (!timer_armed(&q->scan_timer))
		timer_start(q->loop, &q->scan_timer, 0);
}

static void run_queue(struct timer *timer)
{
	struct qmgr *q = CONTAINER_OF(timer, struct qmgr, run_timer);

	scan_deferred(q, false);
	scan_new_mail(q);
	timer_start(q->loop, timer, (int64_t)q->params->queue_run_delay * 1000);
}

void scan_init(struct qmgr *q)
{
	q->check_lanes = true;
	q->scan_timer.expired = scan_again;
	q->run_timer.expired = run_queue;
	run_queue(&q->run_timer);
}
