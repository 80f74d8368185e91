/* SPDX-License-Identifier: ISC */
#include "master/master.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "master/spawn.h"

enum { FORK_PAUSE_MAX = 16, LATE_LOOKS = 3 };

static struct list *bucket(struct master *m, pid_t pid)
{
	return &m->children[(unsigned)pid % CHILD_BUCKETS];
}

static struct child *find(struct master *m, pid_t pid)
{
	LIST_EACH (node, bucket(m, pid)) {
		struct child *c = LIST_ITEM(node, struct child, node);

		if (c->pid == pid)
			return c;
	}
	return NULL;
}

static struct score_child *score(const struct child *c)
{
	return &c->unit->board->children[c->slot];
}

/* Others of its service have found that what it has read at its start has changed since. */
static bool is_renewed(const struct child *c)
{
	return atomic_load(&score(c)->renewal) != atomic_load(&c->unit->board->renewal);
}

bool child_is_starting(const struct child *c)
{
	return atomic_load(&score(c)->state) == SCORE_STARTING;
}

/* The lowest free place, so that few words of the board are in use. */
static unsigned free_slot(struct unit *u)
{
	unsigned slot = 0;

	while (slot < u->slot_count && u->slots[slot])
		slot++;
	if (slot == u->slot_count) {
		u->slot_count =
		    MIN(u->slot_count ? u->slot_count * 2 : 8, (unsigned)SCORE_CHILDREN);
		u->slots = alloc_array(u->slots, u->slot_count, sizeof(struct child *));
		memset(u->slots + slot, 0, (u->slot_count - slot) * sizeof(struct child *));
	}
	if (atomic_load(&u->board->words) <= slot / 64)
		atomic_store(&u->board->words, slot / 64 + 1);
	return slot;
}

static void clear_score(struct unit *u, unsigned slot, enum score_state state)
{
	struct score_child *c = &u->board->children[slot];

	atomic_fetch_and(&u->board->idle[slot / 64], ~(UINT64_C(1) << slot % 64));
	atomic_store(&c->uses, 0);
	atomic_store(&c->event_loop, 0);
	atomic_store(&c->alarm_ms, 0);
	atomic_store(&c->renewal, atomic_load(&u->board->renewal));
	atomic_store(&c->state, state);
}

static pid_t launch(struct unit *u, unsigned slot)
{
	const struct master *m = u->master;
	struct arena arena = {0};
	char count[16], place[16], generation[16];
	char s[] = "-s", i[] = "-i", g[] = "-g", G[] = "-G", o[] = "-o", stress[] = "stress=yes";
	char *lead[10] = {s, count, i, place, g, generation};
	size_t lead_count = 6;
	struct spawn spawn = {.path = u->planned->path};
	pid_t pid;

	snprintf(count, sizeof(count), "%zu", u->listener_count);
	snprintf(place, sizeof(place), "%u", slot);
	snprintf(generation, sizeof(generation), "%u", m->config->generation);
	if (m->config->owner) {
		lead[lead_count++] = G;
		lead[lead_count++] = arena_strdup(&arena, m->config->owner);
	}
	if (unit_is_stressed(u)) {
		lead[lead_count++] = o;
		lead[lead_count++] = stress;
	}
	spawn.argv = spawn_arguments(u->planned->entry, lead, lead_count, &arena);
	spawn.fds[0] = m->null_fd;
	spawn.fds[1] = m->foreground ? STDOUT_FILENO : m->null_fd;
	spawn.fds[2] = m->foreground ? STDERR_FILENO : m->null_fd;
	spawn.fds[SCORE_FD_BOARD] = u->board_fd;
	spawn.fds[SCORE_FD_WAKE] = u->wake_fd;
	spawn.fds[SCORE_FD_LOG] = m->log_fd >= 0 ? m->log_fd : m->null_fd;
	spawn.fds[SCORE_FD_CONFIG] = m->config->text_fd;
	for (size_t k = 0; k < u->listener_count; k++)
		spawn.fds[SCORE_FD_LISTEN + k] = u->listeners[k]->fd;
	spawn.fd_count = SCORE_FD_LISTEN + u->listener_count;
	pid = spawn_process(&spawn);
	arena_fini(&arena);
	return pid;
}

void child_start(struct unit *u)
{
	struct master *m = u->master;
	unsigned slot = free_slot(u);
	struct child *c;
	pid_t pid;

	clear_score(u, slot, SCORE_STARTING);
	pid = launch(u, slot);
	if (pid < 0) {
		log_warn("fork: %s -- throttling", strerror(errno));
		clear_score(u, slot, SCORE_FREE);
		unit_pause(u, throttle_failed(&u->fork_throttle, FORK_PAUSE_MAX));
		return;
	}
	throttle_succeeded(&u->fork_throttle);
	c = alloc_zero(1, sizeof(*c));
	c->unit = u;
	c->pid = pid;
	c->slot = slot;
	c->generation = m->config->generation;
	c->started_ms = loop_now_ms(m->loop);
	list_push(bucket(m, pid), &c->node);
	u->slots[slot] = c;
	u->total++;
	m->child_count++;
	log_debug("%s: started process %d", u->key, (int)pid);
}

static void tell_status(const char *path, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_warn("process %s pid %d killed by signal %d", path, (int)pid, WTERMSIG(status));
	else
		log_warn("process %s pid %d exit status %d", path, (int)pid, WEXITSTATUS(status));
}

static void judge(struct unit *u, const struct ending *ending, const char *path)
{
	int max_s = u->master->config->core.service_throttle_time;

	/* what has worked for long is not the one that could not start */
	if (ending->lived_ms > (int64_t)max_s * 1000)
		throttle_succeeded(&u->throttle);
	switch (throttle_judge(ending)) {
	case VERDICT_GOOD:
		throttle_succeeded(&u->throttle);
		break;
	case VERDICT_FAILED:
		if (!timer_armed(&u->pause)) {
			log_warn("%s: bad command startup -- throttling", path);
			unit_pause(u, throttle_failed(&u->throttle, max_s));
		}
		break;
	case VERDICT_NEITHER:
		break;
	}
}

static void ended(struct child *c, int status)
{
	struct unit *u = c->unit;
	struct master *m = u->master;
	bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool outdated = c->generation != m->config->generation || (ended_well && is_renewed(c));
	bool periodic = u->planned && u->planned->entry->wakeup > 0;
	const struct ending ending = {.normal = ended_well,
	    .lasting = periodic || atomic_load(&score(c)->event_loop) != 0,
	    .ready = !child_is_starting(c),
	    .uses = atomic_load(&score(c)->uses),
	    .lived_ms = loop_now_ms(m->loop) - c->started_ms};
	const char *path = u->planned ? u->planned->path : u->key;

	list_remove(&c->node);
	u->slots[c->slot] = NULL;
	clear_score(u, c->slot, SCORE_FREE);
	u->total--;
	m->child_count--;
	if (!ending.normal && !m->stopping) {
		tell_status(path, c->pid, status);
		if (u->planned && !outdated)
			judge(u, &ending, path);
		/* whoever is woken by a timer would not come back before the next round */
		u->wake_when_gone |= periodic;
		units_wake_after_fault(m);
	} else if (u->planned && !outdated && !m->stopping) {
		judge(u, &ending, path);
	}
	free(c);
	if (u->wake_when_gone && u->total == 0 && u->planned && !m->stopping &&
	    !timer_armed(&u->pause))
		unit_wake(u);
	unit_update(u);
	unit_forget_if_done(u);
}

void children_reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = find(m, pid);

		/* as process 1 or subreaper we get orphans, too */
		if (c)
			ended(c, status);
	}
}

bool children_gone(const struct master *m)
{
	siginfo_t info;

	return m->child_count == 0 && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 &&
	       errno == ECHILD;
}

void children_signal(struct master *m, int signum)
{
	for (size_t i = 0; i < CHILD_BUCKETS; i++) {
		LIST_EACH (node, &m->children[i])
			kill(LIST_ITEM(node, struct child, node)->pid, signum);
	}
}

/*
 * Starting processes look at the generation by themselves, before they wait for work; they have no
 * handler yet, so the signal would kill them. Busy ones look when they are done.
 */
static bool kick(struct child *c)
{
	if (c->generation == c->unit->master->config->generation && c->unit->planned &&
	    !is_renewed(c))
		return false;
	if (scoreboard_is_idle(c->unit->board, c->slot))
		kill(c->pid, SIGHUP);
	return true;
}

bool children_kick_outdated(struct master *m)
{
	bool any = false;

	for (size_t i = 0; i < CHILD_BUCKETS; i++) {
		LIST_EACH (node, &m->children[i])
			any |= kick(LIST_ITEM(node, struct child, node));
	}
	return any;
}

/* Idle processes of the session kind wait without a watchdog. */
static bool is_late(struct child *c, int64_t now)
{
	struct score_child *s = score(c);
	int64_t alarm_ms = atomic_load(&s->alarm_ms);
	bool waits = !atomic_load(&s->event_loop) && scoreboard_is_idle(c->unit->board, c->slot);

	if (waits || alarm_ms == 0 || now <= alarm_ms || alarm_ms != c->late_alarm_ms)
		c->late_looks = 0;
	c->late_alarm_ms = alarm_ms;
	return !waits && alarm_ms != 0 && now > alarm_ms && ++c->late_looks >= LATE_LOOKS;
}

void children_kill_stopped(struct master *m)
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < CHILD_BUCKETS; i++) {
		LIST_EACH (node, &m->children[i]) {
			struct child *c = LIST_ITEM(node, struct child, node);

			if (!is_late(c, now))
				continue;
			log_warn("process %s pid %d does not run: its time limit is over and its "
			         "watchdog has not ended it; killed",
			    c->unit->planned ? c->unit->planned->path : c->unit->key, (int)c->pid);
			kill(c->pid, SIGKILL);
		}
	}
}
