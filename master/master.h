/* SPDX-License-Identifier: ISC */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/list.h"
#include "lib/event/loop.h"
#include "lib/service/scoreboard.h"
#include "master/config.h"
#include "master/throttle.h"

/*
 * The supervisor. A `unit` is a service that runs: its sockets, its processes, its scoreboard. It
 * outlives configurations: a reload gives it a new plan, or none (it then only waits for its busy
 * processes to finish).
 */
struct unit;
struct master;

struct listener {
	struct list node; /* master->listeners */
	char *key;
	struct endpoint endpoint; /* texts are the listener's own */
	int fd;                   /* -1: to be opened when another one is closed */
	struct watch watch;       /* only while nobody else would accept */
	struct unit *unit;
	bool wanted;
};

struct child {
	struct list node; /* master->children */
	struct unit *unit;
	pid_t pid;
	unsigned slot;
	uint32_t generation;
	int64_t started_ms;
	int64_t late_alarm_ms; /* its watchdog should have ended it then, and has not... */
	int late_looks;        /* ...at so many looks */
};

struct unit {
	struct list node; /* master->units */
	struct master *master;
	char *key;                     /* "smtp/inet" */
	const struct planned *planned; /* of master->config; NULL: this service is no more */
	struct listener **listeners;
	size_t listener_count;
	struct scoreboard *board;
	int board_fd, wake_fd;
	uint32_t renewal; /* the board's that was acted on */
	struct watch wake;
	struct child **slots; /* by place on the board */
	unsigned slot_count, total;
	struct throttle throttle, fork_throttle;
	struct timer pause; /* armed: no process is started */
	struct timer wakeup;
	bool wake_when_gone;  /* wake the successor when the last process has ended */
	int64_t warn_next_ms; /* not before this is the process limit complained about */
};

enum { CHILD_BUCKETS = 256 };

struct master {
	const char *etc;
	struct loop *loop;
	struct config *config;
	struct list units;
	struct list listeners;
	struct list children[CHILD_BUCKETS]; /* by process id */
	size_t child_count;
	struct timer kick, watchdog, deadline, look, aftermath;
	int64_t aftermath_ms; /* when it was the last time */
	int null_fd, log_fd, pid_fd;
	bool stopping;
	bool foreground; /* standard output is somebody's */
	bool no_ipv6_told;
};

/* ---- sockets.c ---- */

/*
 * Opens what `config` wants and is not open yet. Problems are told to p; then nothing has changed.
 * Otherwise sockets_commit must follow.
 */
void sockets_prepare(struct master *m, const struct config *config, struct problems *p);
/* Closes what is not wanted any more; gives each unit its own. */
void sockets_commit(struct master *m);
struct listener *sockets_find(struct master *m, const char *key);
void sockets_close_all(struct master *m);
size_t sockets_count(const struct master *m);

/* ---- unit.c ---- */

/* Finds or makes the unit of each planned service; the others become retired. */
void units_apply(struct master *m);
/* Looks at everything about a unit and does what is due: forks, watches, complains. */
void unit_update(struct unit *u);
void unit_pause(struct unit *u, int seconds);
void unit_wake(struct unit *u);
void unit_schedule_wakeup(struct unit *u, bool now);
/*
 * A process that died may have taken mail in and told nobody. Whoever looks for work from time to
 * time (pickup, qmgr) looks now; with many deaths, once a second.
 */
void units_wake_after_fault(struct master *m);
/* Frees it when it is retired and empty. */
void unit_forget_if_done(struct unit *u);
unsigned unit_limit(const struct unit *u);
/* All processes were busy at the limit lately: new ones get "-o stress=yes", as in Postfix. */
bool unit_is_stressed(const struct unit *u);

/* ---- child.c ---- */

/* Starts one process; on failure the unit pauses. */
void child_start(struct unit *u);
/* Takes note of all that have ended. */
void children_reap(struct master *m);
/* Nobody is left, not even an orphan of a child's. */
bool children_gone(const struct master *m);
void children_signal(struct master *m, int signum);
/* Interrupts idle processes of older generations; true when there are any left. */
bool children_kick_outdated(struct master *m);
/*
 * A process ends by its own watchdog, unless it has been stopped or hangs in the kernel. Whoever is
 * found late at several looks, a few seconds apart, is killed, so that another takes its work.
 */
void children_kill_stopped(struct master *m);
bool child_is_starting(const struct child *c);

#endif
