/* SPDX-License-Identifier: ISC */
/* Tasks and their entries: what a message has to do by one transport, in bundles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "qmgr/clog.h"
#include "qmgr/qmgr.h"

/* ---- recipients ------------------------------------------------------------------------------ */

/* Most recipients have but one text. */
static const char *put_text(char **next, const char *text)
{
	size_t size = strlen(text) + 1;
	char *at = *next;

	if (size == 1)
		return "";
	memcpy(at, text, size);
	*next = at + size;
	return at;
}

struct rcpt *rcpt_new(
    uint32_t index, uint32_t notify, const char *address, const char *orig, const char *orcpt)
{
	size_t size = strlen(address) + strlen(orig) + strlen(orcpt) + 3;
	struct rcpt *rcpt = alloc(sizeof(*rcpt) + size);
	char *next = rcpt->text;

	rcpt->next = NULL;
	rcpt->index = index;
	rcpt->notify = notify;
	rcpt->address = put_text(&next, address);
	rcpt->orig = put_text(&next, orig);
	rcpt->orcpt = put_text(&next, orcpt);
	return rcpt;
}

/* ---- tasks ------------------------------------------------------------------------------------
 */

static size_t unread(const struct mail *mail)
{
	return mail->rcpt_count > mail->cursor.index ? mail->rcpt_count - mail->cursor.index : 0;
}

size_t task_most(const struct task *task)
{
	return task->left + unread(task->mail);
}

size_t task_least(const struct task *task)
{
	int limit = task->transport->set.recipient_limit;

	return task->left + (limit ? unread(task->mail) / (size_t)limit : 0);
}

static int class_of(const struct task *task)
{
	return task->passing ? SLOT_CLASS_NONE : slots_class(task_most(task));
}

static struct task *task_get(struct mail *mail, struct transport *t)
{
	struct task *task;

	for (task = mail->tasks; task; task = task->next) {
		if (task->transport == t)
			return task;
	}
	task = alloc_zero(1, sizeof(*task));
	task->mail = mail;
	task->transport = t;
	list_init(&task->waiting);
	list_init(&task->unread);
	task->next = mail->tasks;
	mail->tasks = task;
	return task;
}

static void task_free(struct task *task)
{
	struct task **at = &task->mail->tasks;

	passing_forget(task);
	if (task->transport->current == task)
		task->transport->current = NULL;
	list_remove(&task->unread);
	while (*at != task)
		at = &(*at)->next;
	*at = task->next;
	free(task);
}

/* Nothing of it is left, and nothing more can come. */
static void free_if_done(struct task *task)
{
	if (task->entries == 0 && unread(task->mail) == 0)
		task_free(task);
}

void task_set_class(struct task *task, int class)
{
	task->class = (uint8_t) class;
	LIST_EACH (node, &task->waiting) {
		struct entry *entry = LIST_ITEM(node, struct entry, link);

		if (!entry->bucket || entry->bucket->class == class)
			continue;
		dest_take(entry);
		dest_put(entry);
		dest_refresh(entry->dest);
	}
}

/* Of messages that are not read to their end, the oldest comes first. */
static void wait_for_more(struct task *task)
{
	struct list *at = task->transport->unread.prev;

	if (!list_empty(&task->unread))
		return;
	while (at != &task->transport->unread &&
	       LIST_ITEM(at, struct task, unread)->mail->active_us > task->mail->active_us)
		at = at->prev;
	list_add_before(at->next, &task->unread);
}

static void place(struct task *task)
{
	int class = class_of(task);

	if (class != task->class)
		task_set_class(task, class);
	/* what is new is at the end; pushed in order, so that each finds the one before */
	for (struct list *node = task->waiting.prev, *prev; node != &task->waiting; node = prev) {
		struct entry *entry = LIST_ITEM(node, struct entry, link);

		prev = node->prev;
		if (entry->bucket)
			break;
		dest_put(entry);
		dest_refresh(entry->dest);
		clog_look(entry->dest);
	}
	task->placed = true;
	if (unread(task->mail) > 0)
		wait_for_more(task);
}

void tasks_place(struct mail *mail)
{
	for (struct task *task = mail->tasks; task; task = task->next)
		place(task);
}

void tasks_read(struct mail *mail)
{
	for (struct task *task = mail->tasks, *next; task; task = next) {
		next = task->next;
		list_remove(&task->unread);
		if (task->left == 0)
			passing_end(task);
		free_if_done(task);
	}
}

void tasks_free(struct mail *mail)
{
	while (mail->tasks) {
		must(mail->tasks->entries == 0);
		task_free(mail->tasks);
	}
}

/* ---- entries --------------------------------------------------------------------------------- */

/* The rank of a task at a destination: see sched.h. */
static int64_t new_key(struct transport *t, struct dest *dest)
{
	uint32_t place = MIN(t->round_tasks, KEY_ROUND / KEY_STEP - 1);

	t->round_tasks++;
	dest->last_round = MAX(t->round, dest->last_round) + 1;
	return dest->last_round * KEY_ROUND + (int64_t)place * KEY_STEP;
}

static void rank(struct entry *entry)
{
	struct task *task = entry->task;
	const struct entry *before = entry->dest->newest;

	if (before && before->task == task) {
		entry->ordinal = MIN(before->ordinal + 1, KEY_STEP - 1);
		entry->key = before->key - before->ordinal + entry->ordinal;
		return;
	}
	entry->key = task->placed ? task->key : new_key(task->transport, entry->dest);
	if (!task->key)
		task->key = entry->key;
}

/* The round goes on with who is served, not with who passes. */
static void begin_round(struct transport *t, int64_t round)
{
	if (round <= t->round)
		return;
	t->round = round;
	t->round_tasks = 0;
}

static struct entry *entry_new(struct task *task, struct dest *dest)
{
	struct entry *entry = alloc_zero(1, sizeof(*entry));

	entry->task = task;
	entry->dest = dest;
	list_push(&task->waiting, &entry->link);
	rank(entry);
	dest->newest = entry;
	task->left++;
	task->entries++;
	return entry;
}

static void put_rcpt(struct entry *entry, struct rcpt *rcpt)
{
	rcpt->next = NULL;
	if (entry->last)
		entry->last->next = rcpt;
	else
		entry->first = rcpt;
	entry->last = rcpt;
	entry->count++;
	entry->task->rcpts++;
	entry->task->transport->rcpts++;
}

/* A name that no service of master.cf can have. */
static bool is_impossible(const char *transport)
{
	return strlen(transport) >= TRANSPORT_NAME_MAX || !*transport || strchr(transport, '/');
}

static struct transport *find_transport(
    const struct mail *mail, const char *name, const char **nexthop)
{
	struct transport *t;

	if (is_impossible(name)) {
		log_warn("%s: impossible transport name \"%.100s\"", mail->id, name);
		*nexthop = "4.3.5 mail transport unavailable";
		return transport_get(mail->qmgr, "retry");
	}
	t = transport_get(mail->qmgr, name);
	if (t->defers && !mail->flushing) {
		*nexthop = "4.3.2 deferred transport";
		return transport_get(mail->qmgr, "retry");
	}
	return t;
}

void task_assign(struct mail *mail, struct rcpt *rcpt, const char *transport, const char *nexthop)
{
	struct transport *t = find_transport(mail, transport, &nexthop);
	struct dest *dest = dest_get(t, nexthop, rcpt->address);
	struct task *task = task_get(mail, t);
	struct entry *entry = dest->newest;
	uint32_t limit = t->set.recipient_limit ? (uint32_t)t->set.recipient_limit : UINT32_MAX;

	if (mail->urgent) {
		transport_revive(t);
		dest_revive(dest);
	}
	if (!entry || entry->task != task || entry->count >= limit || *mail->verp)
		entry = entry_new(task, dest);
	put_rcpt(entry, rcpt);
}

/* It waits no longer. */
static void leave(struct entry *entry)
{
	if (entry->dest->newest == entry)
		entry->dest->newest = NULL;
	if (entry->bucket)
		dest_take(entry);
	if (!list_empty(&entry->link)) {
		list_remove(&entry->link);
		entry->task->left--;
	}
}

void entry_take(struct entry *entry)
{
	struct task *task = entry->task;
	struct transport *t = task->transport;

	leave(entry);
	task->credit++;
	t->current = task;
	if (task->passing)
		task->passing->taken++;
	else
		begin_round(t, entry->key / KEY_ROUND);
	if (task_most(task) == 0)
		passing_end(task);
	else if (task->left > 0 && class_of(task) != task->class)
		task_set_class(task, class_of(task));
}

void entry_put_back(struct entry *entry)
{
	struct task *task = entry->task;

	task->credit--;
	if (task->left++ == 0)
		task->class = (uint8_t)class_of(task);
	list_push_front(&task->waiting, &entry->link);
	dest_put(entry);
	dest_refresh(entry->dest);
}

void entry_free(struct entry *entry)
{
	struct task *task = entry->task;
	struct rcpt *next;

	leave(entry);
	for (struct rcpt *r = entry->first; r; r = next) {
		next = r->next;
		free(r);
		task->mail->qmgr->rcpts_loaded--;
	}
	task->rcpts -= entry->count;
	task->transport->rcpts -= entry->count;
	task->entries--;
	if (task_most(task) == 0)
		passing_end(task);
	free_if_done(task);
	free(entry);
}

void entry_to_retry(struct entry *entry, const char *dsn, const char *reason)
{
	struct mail *mail = entry->task->mail;
	struct rcpt *rcpts = entry->first, *next;
	struct dest *dest = entry->dest;
	char nexthop[1024];

	snprintf(nexthop, sizeof(nexthop), "%s %s", dsn, reason);
	entry->first = entry->last = NULL;
	for (struct rcpt *r = rcpts; r; r = next) {
		next = r->next;
		task_assign(mail, r, "retry", nexthop);
	}
	tasks_place(mail);
	entry_free(entry);
	dest_refresh(dest);
	qmgr_kick(mail->qmgr);
}
