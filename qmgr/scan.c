/* SPDX-License-Identifier: ISC */
/*
 * Looking for mail on disk: new mail after a restart or when notes were turned away, and the
 * deferred queue every queue_run_delay. The deferred queue is looked at one hash directory a turn
 * of the loop, so that a hundred thousand files do not hold up new mail.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "qmgr/qmgr.h"

enum { FAILURES_MAX = 10 };

struct found {
	struct location loc;
	char id[QUEUE_ID_MAX];
};

struct collect {
	struct qmgr *qmgr;
	struct found *items;
	size_t count, cap;
	size_t max;
	int64_t due; /* files to be looked at later than this are passed by */
	bool more;   /* stopped for lack of room */
};

static bool collect_item(void *arg, const struct scan_item *item)
{
	struct collect *c = arg;

	if (item->retry_at > c->due || map_get(c->qmgr->mails, item->id))
		return true;
	if (c->count == c->max) {
		c->more = true;
		return false;
	}
	if (c->count == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->items = alloc_array(c->items, c->cap, sizeof(*c->items));
	}
	c->items[c->count].loc = item->loc;
	strcpy(c->items[c->count++].id, item->id);
	return true;
}

static struct collect collect_new(struct qmgr *q, int64_t due)
{
	size_t have = map_count(q->mails), limit = (size_t)q->params->active_limit;

	return (struct collect){.qmgr = q, .due = due, .max = have < limit ? limit - have : 0};
}

/*
 * When the system fails again and again (no descriptors, a read-only disk) the scan ends until the
 * next queue run, so that a large queue does not fill the log; one file that cannot be read does
 * not hold up the others.
 */
static bool activate_all(struct collect *c)
{
	int *failures = &c->qmgr->scan_failures;

	for (size_t i = 0; i < c->count && *failures < FAILURES_MAX; i++) {
		bool ok = mail_activate(c->qmgr, &c->items[i].loc, c->items[i].id);

		*failures = ok ? 0 : *failures + 1;
	}
	free(c->items);
	return *failures < FAILURES_MAX;
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
	struct err err;

	if (message_settle(q->queue, &item->loc, item->id, &err) < 0)
		log_warn("%s: %s", item->id, err.text);
	return true;
}

static void scan_new_now(struct qmgr *q)
{
	static const char *const dirs[] = {"active", "incoming"};
	struct collect c;
	struct err err;

	q->rescan_new = false;
	q->scan_failures = 0;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		c = collect_new(q, INT64_MAX);
		if (queue_scan_dir(q->queue, dirs[i], 0, collect_item, &c, &err) < 0)
			log_warn("%s", err.text);
		q->rescan_new |= c.more;
		activate_all(&c);
	}
	if (queue_scan_journal(
	        q->queue, MESSAGE_ENVELOPE | MESSAGE_CONTENT, finish_if_moved, q, &err) < 0)
		log_warn("%s", err.text);
	c = collect_new(q, INT64_MAX);
	if (queue_scan_journal(q->queue, MESSAGE_ENVELOPE, collect_journal, &c, &err) < 0)
		log_warn("%s", err.text);
	q->rescan_new |= c.more;
	activate_all(&c);
}

static void scan_slice(struct qmgr *q)
{
	struct collect c = collect_new(q, q->scan_all ? INT64_MAX : clock_wall_us() / 1000000);
	struct err err;

	if (queue_scan_slice(q->queue, "deferred", q->scan_slice, collect_item, &c, &err) < 0)
		log_warn("%s", err.text);
	if (!activate_all(&c)) {
		q->scan_slice = -1;
		return;
	}
	if (c.more) {
		q->scan_again = true; /* the next run goes on when there is room */
		q->scan_slice = -1;
		return;
	}
	if (++q->scan_slice == QUEUE_SLICES)
		q->scan_slice = -1;
}

/* One step a turn: new mail first. */
static void scan_step(struct timer *timer)
{
	struct qmgr *q = CONTAINER_OF(timer, struct qmgr, scan_timer);

	if (q->rescan_new)
		scan_new_now(q);
	else if (q->scan_slice >= 0)
		scan_slice(q);
	if (q->scan_slice >= 0)
		timer_start(q->loop, timer, 0);
}

void scan_new_mail(struct qmgr *q)
{
	q->rescan_new = true;
	timer_start(q->loop, &q->scan_timer, 0);
}

void scan_deferred(struct qmgr *q, bool all)
{
	q->scan_all = all || (q->scan_all && q->scan_slice >= 0);
	q->scan_again = false;
	q->scan_failures = 0;
	q->scan_slice = 0;
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
	q->scan_slice = -1;
	q->scan_timer.expired = scan_step;
	q->run_timer.expired = run_queue;
	run_queue(&q->run_timer);
}
