/* SPDX-License-Identifier: ISC */
/*
 * When to start a process. With none at all, master watches the sockets itself and starts one when
 * somebody connects. With some, the processes accept by themselves; when the last idle one gets
 * work it wakes master, which starts a spare ahead of the next client: more at a time the more are
 * busy. At the process limit nobody wakes anybody.
 */
#include "master/master.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"

enum {
	SPARES_MAX = 8,
	BUSY_PER_SPARE = 8,
	BUSY_WARN_MS = 600 * 1000,
	AFTERMATH_MS = 1000,
};

unsigned unit_limit(const struct unit *u)
{
	int limit = u->planned->entry->max_procs;

	if (limit < 0)
		limit = u->master->config->core.default_process_limit;
	return limit <= 0 || limit > SCORE_CHILDREN ? SCORE_CHILDREN : (unsigned)limit;
}

bool unit_is_stressed(const struct unit *u)
{
	return loop_now_ms(u->master->loop) < u->warn_next_ms;
}

static void watch_sockets(struct unit *u, bool on)
{
	for (size_t i = 0; i < u->listener_count; i++) {
		struct listener *l = u->listeners[i];

		if (on)
			watch_start(u->master->loop, &l->watch, l->fd, LOOP_READ);
		else
			watch_cancel(u->master->loop, &l->watch);
	}
}

static unsigned count_starting(const struct unit *u)
{
	unsigned count = 0;

	for (unsigned i = 0; i < u->slot_count; i++)
		count += u->slots[i] && child_is_starting(u->slots[i]);
	return count;
}

/* Public services with room for several: what Postfix calls stress. */
static bool warns_at_limit(const struct unit *u)
{
	return u->planned->entry->type == MASTER_CF_INET && unit_limit(u) > 1;
}

static void warn_at_limit(struct unit *u)
{
	int64_t now = loop_now_ms(u->master->loop);

	if (!warns_at_limit(u) || now < u->warn_next_ms)
		return;
	u->warn_next_ms = now + BUSY_WARN_MS;
	log_warn("service \"%s\" (%u) has reached its process limit \"%u\": "
	         "new clients may experience noticeable delays",
	    u->planned->entry->name, net_addr_port(&u->planned->endpoints[0].addr), unit_limit(u));
	log_warn("to avoid this condition, raise the limit in master.cf or let each client take "
	         "less time");
}

static void start_spares(struct unit *u, unsigned room)
{
	unsigned starting = count_starting(u);
	unsigned want = MIN(1 + u->total / BUSY_PER_SPARE, (unsigned)SPARES_MAX);

	for (; starting < want && room > 0 && !timer_armed(&u->pause); starting++, room--)
		child_start(u);
}

void unit_update(struct unit *u)
{
	unsigned limit, room;

	if (!u->planned || u->master->stopping) {
		watch_sockets(u, false);
		return;
	}
	limit = unit_limit(u);
	room = u->total < limit ? limit - u->total : 0;
	atomic_store(&u->board->at_limit, room == 0);
	/* first the wish, then the look: whoever gets busy in between tells us */
	atomic_store(&u->board->want_wake,
	    u->total > 0 &&
	        (room > 0 ? !timer_armed(&u->pause)
	                  : warns_at_limit(u) && loop_now_ms(u->master->loop) >= u->warn_next_ms));
	watch_sockets(u, u->total == 0 && !timer_armed(&u->pause));
	if (u->total == 0 || !scoreboard_nobody_idle(u->board))
		return;
	if (room > 0)
		start_spares(u, room);
	else if (count_starting(u) == 0)
		warn_at_limit(u);
}

static void on_connection(struct watch *watch, int events)
{
	struct unit *u = CONTAINER_OF(watch, struct listener, watch)->unit;

	(void)events;
	if (u->planned && u->total == 0 && !u->master->stopping)
		child_start(u);
	unit_update(u);
}

/* Nobody is idle, or one of them has found that what the others hold is old. */
static void on_word(struct watch *watch, int events)
{
	struct unit *u = CONTAINER_OF(watch, struct unit, wake);
	uint64_t count;
	ssize_t n = read(u->wake_fd, &count, sizeof(count));

	(void)events;
	(void)n;
	if (atomic_load(&u->board->renewal) != u->renewal) {
		u->renewal = atomic_load(&u->board->renewal);
		timer_start(u->master->loop, &u->master->kick, 0);
	}
	unit_update(u);
}

static void on_pause_over(struct timer *timer)
{
	struct unit *u = CONTAINER_OF(timer, struct unit, pause);

	if (u->wake_when_gone && u->total == 0)
		unit_wake(u);
	unit_update(u);
}

void unit_pause(struct unit *u, int seconds)
{
	timer_start(u->master->loop, &u->pause, (int64_t)seconds * 1000);
}

void unit_wake(struct unit *u)
{
	u->wake_when_gone = false;
	if (u->listener_count > 0)
		endpoint_trigger(&u->listeners[0]->endpoint, 'W');
}

static void on_wakeup(struct timer *timer)
{
	struct unit *u = CONTAINER_OF(timer, struct unit, wakeup);

	if (!u->planned || u->master->stopping)
		return;
	if (!u->planned->entry->wakeup_if_used || u->total > 0)
		unit_wake(u);
	unit_schedule_wakeup(u, false);
}

void unit_schedule_wakeup(struct unit *u, bool now)
{
	int interval = u->planned ? u->planned->entry->wakeup : 0;

	timer_cancel(u->master->loop, &u->wakeup);
	if (interval > 0)
		timer_start(u->master->loop, &u->wakeup, now ? 0 : (int64_t)interval * 1000);
}

/* One that rests after faults of its own is woken when that is over. */
static void on_aftermath(struct timer *timer)
{
	struct master *m = CONTAINER_OF(timer, struct master, aftermath);

	m->aftermath_ms = loop_now_ms(m->loop);
	LIST_EACH (node, &m->units) {
		struct unit *u = LIST_ITEM(node, struct unit, node);

		if (m->stopping || !u->planned || u->planned->entry->wakeup <= 0 ||
		    u->planned->entry->wakeup_if_used)
			continue;
		if (timer_armed(&u->pause))
			u->wake_when_gone = true;
		else
			unit_wake(u);
	}
}

void units_wake_after_fault(struct master *m)
{
	int64_t due = m->aftermath_ms + AFTERMATH_MS, now = loop_now_ms(m->loop);

	m->aftermath.expired = on_aftermath;
	if (!timer_armed(&m->aftermath))
		timer_start(m->loop, &m->aftermath, m->aftermath_ms && due > now ? due - now : 0);
}

static struct unit *unit_new(struct master *m, const char *key)
{
	struct unit *u = alloc_zero(1, sizeof(*u));
	struct err err;

	u->master = m;
	u->key = alloc_strdup(key);
	u->board = scoreboard_new(getpid(), &u->board_fd, &err);
	if (!u->board)
		fatal("%s", err.text);
	u->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (u->wake_fd < 0)
		fatal("eventfd: %s", strerror(errno));
	u->wake.ready = on_word;
	u->pause.expired = on_pause_over;
	u->wakeup.expired = on_wakeup;
	watch_start(m->loop, &u->wake, u->wake_fd, LOOP_READ);
	list_push(&m->units, &u->node);
	return u;
}

void unit_forget_if_done(struct unit *u)
{
	if (u->planned || u->total > 0)
		return;
	watch_cancel(u->master->loop, &u->wake);
	timer_cancel(u->master->loop, &u->pause);
	timer_cancel(u->master->loop, &u->wakeup);
	fd_close(&u->wake_fd);
	fd_close(&u->board_fd);
	scoreboard_unmap(&u->board);
	list_remove(&u->node);
	free(u->listeners);
	free(u->slots);
	free(u->key);
	free(u);
}

static struct unit *find_or_make(struct master *m, const struct master_cf_entry *entry)
{
	char key[512];

	snprintf(key, sizeof(key), "%s/%s", entry->name, master_cf_type_name(entry->type));
	LIST_EACH (node, &m->units) {
		struct unit *u = LIST_ITEM(node, struct unit, node);

		if (strcmp(u->key, key) == 0)
			return u;
	}
	return unit_new(m, key);
}

static void take_sockets(struct unit *u)
{
	const struct planned *planned = u->planned;

	free(u->listeners);
	u->listeners = alloc_zero(planned->endpoint_count + 1, sizeof(struct listener *));
	u->listener_count = 0;
	for (size_t i = 0; i < planned->endpoint_count; i++) {
		struct listener *l = sockets_find(u->master, planned->endpoints[i].key);

		if (!l)
			continue; /* an address family that this host does not have */
		l->unit = u;
		l->watch.ready = on_connection;
		u->listeners[u->listener_count++] = l;
	}
}

static void apply(struct unit *u)
{
	struct master *m = u->master;

	timer_cancel(m->loop, &u->pause);
	u->throttle = u->fork_throttle = (struct throttle){0};
	u->warn_next_ms = 0;
	atomic_store(&u->board->generation, m->config->generation);
	/* a process of the old configuration must not get the wake-up: it is about to end */
	u->wake_when_gone = u->total > 0 && u->planned && u->planned->entry->wakeup > 0 &&
	                    !u->planned->entry->wakeup_if_used;
	unit_schedule_wakeup(u, u->total == 0 && u->planned && !u->planned->entry->wakeup_if_used);
}

void units_apply(struct master *m)
{
	LIST_EACH (node, &m->units) {
		struct unit *u = LIST_ITEM(node, struct unit, node);

		u->planned = NULL;
		u->listener_count = 0;
	}
	for (size_t i = 0; i < m->config->plan_count; i++) {
		const struct planned *planned = &m->config->plan[i];
		struct unit *u = find_or_make(m, planned->entry);

		u->planned = planned;
		take_sockets(u);
	}
	LIST_EACH_SAFE (node, &m->units) {
		struct unit *u = LIST_ITEM(node, struct unit, node);

		apply(u);
		unit_update(u);
		unit_forget_if_done(u);
	}
}
