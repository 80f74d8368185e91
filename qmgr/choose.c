/* SPDX-License-Identifier: ISC */
/* The next entry, and tasks that pass others: small messages are not held up by large ones. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/sys/clock.h"
#include "qmgr/qmgr.h"

/* Of the class's tasks the one that is next in line anyway, but not the one to be passed. */
static struct task *first_of_class(const struct transport *t, int class, const struct task *current)
{
	const struct heap *heap = &t->classes[class];

	for (size_t i = 0; i < heap->count && i < 3; i++) {
		const struct bucket *bucket =
		    CONTAINER_OF(heap->nodes[i], const struct bucket, ready);
		struct task *task =
		    CONTAINER_OF(heap_top(&bucket->entries), struct entry, place)->task;

		if (task != current)
			return task;
	}
	return NULL;
}

/* Who has waited longest for each of its deliveries, of those that are small enough. */
static struct task *best_candidate(
    const struct transport *t, const struct task *current, size_t reach)
{
	uint64_t now = (uint64_t)clock_wall_us();
	struct task *best = NULL;
	double best_score = 0;

	for (uint64_t classes = t->filled; classes; classes &= classes - 1) {
		int class = __builtin_ctzll(classes);
		struct task *task;
		double age;

		if (slots_class_min(class) > reach)
			break;
		task = first_of_class(t, class, current);
		if (!task || task_most(task) > reach)
			continue;
		age = now > task->mail->active_us ? (double)(now - task->mail->active_us) : 0;
		age = (age + 1) / (double)task_most(task);
		if (age > best_score) {
			best = task;
			best_score = age;
		}
	}
	return best;
}

/* Half of what memory has left, so that it need not be read in small parts. */
static size_t take_extra(const struct task *task)
{
	struct transport *t = task->transport;
	size_t limit = (size_t)t->set.memory_limit;
	size_t half = ((limit > t->rcpts ? limit - t->rcpts : 0) + t->extra_left) / 2;

	if (task_most(task) == task->left)
		return 0; /* it is in memory as a whole */
	half = MIN(half, t->extra_left);
	t->extra_left -= half;
	return half;
}

/* The task gets its place right before `next`, the entry whose turn it was. */
static void pass(struct task *task, const struct entry *next)
{
	struct task *passed = next->task;
	struct transport *t = task->transport;
	struct passing *p = alloc_zero(1, sizeof(*p));

	p->task = task;
	p->passed = passed;
	p->need = (uint32_t)task_most(task);
	p->extra = take_extra(task);
	list_push(&t->passing, &p->link);
	passed->credit -= (int64_t)p->need * MAX(t->set.slots.cost, 2);
	task->passing = p;
	task->key = next->key - next->ordinal - KEY_STEP;
	task->class = SLOT_CLASS_NONE;
	LIST_EACH (node, &task->waiting) {
		struct entry *entry = LIST_ITEM(node, struct entry, link);

		dest_take(entry);
		entry->key = task->key + entry->ordinal;
		dest_put(entry);
		dest_refresh(entry->dest);
	}
}

/* Only who has been served last can be passed: the others earn nothing yet. */
static bool is_passed(struct transport *t, const struct entry *next)
{
	const struct slot_rules *rules = &t->set.slots;
	const struct task *current = next->task;
	struct task *task;

	if (current != t->current || !slots_passable(rules, current->credit, task_least(current)))
		return false;
	task = best_candidate(t, current, slots_reach(rules, current->credit, task_least(current)));
	if (!task || !slots_suffice(rules, current->credit, task_most(task)))
		return false;
	pass(task, next);
	return true;
}

struct entry *choose_entry(struct transport *t, bool may_pass)
{
	struct heap_node *node;

	while ((node = heap_top(&t->ready))) {
		struct dest *dest = CONTAINER_OF(node, struct dest, ready);
		struct entry *entry = dest_first(dest);

		if (!dest_has_turn(dest)) {
			dest_refresh(dest); /* its gate has shut meanwhile */
			continue;
		}
		if (!may_pass || dest_is_hopeless(dest) || !is_passed(t, entry))
			return entry;
	}
	return NULL;
}

void passing_end(struct task *task)
{
	struct passing *p = task->passing;

	if (!p)
		return;
	if (p->passed && p->need > p->taken)
		p->passed->credit +=
		    (int64_t)(p->need - p->taken) * MAX(task->transport->set.slots.cost, 2);
	LIST_EACH (node, &task->transport->passing) {
		struct passing *child = LIST_ITEM(node, struct passing, link);

		if (child->passed == task)
			child->passed = p->passed;
	}
	task->transport->extra_left += p->extra;
	list_remove(&p->link);
	free(p);
	task->passing = NULL;
}

void passing_forget(struct task *task)
{
	passing_end(task);
	LIST_EACH (node, &task->transport->passing) {
		struct passing *p = LIST_ITEM(node, struct passing, link);

		if (p->passed == task)
			p->passed = NULL;
	}
}
