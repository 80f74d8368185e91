/* SPDX-License-Identifier: ISC */
/*
 * Recipients in memory. What a message brings when it is taken up is bounded by what all have in
 * memory; what it reads later by what its transports have room for. The oldest message of a
 * transport reads on while it is delivered, a batch whenever there is room for one; the others do
 * when they come first, or when nothing of theirs is left in memory.
 */
#include "qmgr/qmgr.h"

static size_t less(size_t limit, size_t used)
{
	return limit > used ? limit - used : 0;
}

static size_t task_room(const struct task *task)
{
	const struct transport *t = task->transport;

	if (task->passing && task->passing->extra > 0)
		return less(task->passing->extra, task->rcpts);
	if (t->unread.next == &task->unread)
		return less((size_t)t->set.memory_limit, t->rcpts);
	return 0;
}

size_t refill_room(const struct mail *mail, bool first)
{
	const struct qmgr_params *p = mail->qmgr->params;
	size_t room = 0;

	if (first)
		room = less((size_t)p->recipient_limit, mail->qmgr->rcpts_loaded);
	else
		for (const struct task *task = mail->tasks; task; task = task->next)
			room += task_room(task);
	return MAX(room, less((size_t)p->recipient_minimum, mail->pending));
}

/*
 * What bounce(8) and defer(8) have not written down yet is in memory as well: they must keep up. A
 * part of the deferrals is a thousand of them, a bounce is one.
 */
static bool is_behind(const struct mail *mail)
{
	enum { PARTS_MAX = 2, BOUNCES_MAX = 1000 };

	return mail->waiting >= (mail->parts_logged ? PARTS_MAX : BOUNCES_MAX);
}

/* 0: now; else in so many milliseconds, or -1: not before something ends. */
static int64_t refill_due(const struct task *task, size_t room)
{
	const struct transport_settings *set = &task->transport->set;
	int64_t due;

	if (room == 0 || is_behind(task->mail))
		return -1;
	due = task->mail->read_ms + (int64_t)set->refill_delay * 1000 -
	      loop_now_ms(task->mail->qmgr->loop);
	return room >= (size_t)set->refill_limit || due < 0 ? 0 : due;
}

/* Reads a batch if it is time. */
static bool refill_task(struct task *task)
{
	struct transport *t = task->transport;
	size_t room = refill_room(task->mail, false);
	int64_t due = refill_due(task, room);

	if (due > 0 && !timer_armed(&t->refill))
		timer_start(t->qmgr->loop, &t->refill, due);
	if (due != 0)
		return false;
	mail_read_more(task->mail, room);
	return true;
}

void refill_run(struct transport *t)
{
	if (t->current && t->current->passing && !list_empty(&t->current->unread))
		refill_task(t->current);
	while (!list_empty(&t->unread)) {
		if (!refill_task(LIST_ITEM(t->unread.next, struct task, unread)))
			return;
	}
}

void refill_expired(struct timer *timer)
{
	struct transport *t = CONTAINER_OF(timer, struct transport, refill);

	refill_run(t);
	qmgr_kick(t->qmgr);
}
