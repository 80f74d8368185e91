/* SPDX-License-Identifier: ISC */
#include "master/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/version.h"
#include "lib/service/facility.h"
#include "lib/sys/fd.h"
#include "master/master.h"
#include "master/startup.h"

enum {
	WATCHDOG_S = 1000,
	KICK_MS = 1000,
	LOOK_MS = 10000,
	STOP_LIMIT_MS = 5000,
	FDS_PER_UNIT = 4,
	FDS_SPARE = 128,
};

static void log_to(struct master *m, const struct config *config, int log_fd)
{
	if (log_fd >= 0)
		log_open(LOG_TO_FD, log_fd, 0);
	else
		log_open(LOG_TO_SYSLOG, -1, service_facility(config->core.syslog_facility));
	log_set_tag(config->core.syslog_name, "master");
	log_set_host(config->core.myhostname);
	fd_close(&m->log_fd);
	m->log_fd = log_fd;
}

/* ---- reload ------------------------------------------------------------------------------- */

static uint32_t next_generation(const struct master *m)
{
	uint32_t now = (uint32_t)time(NULL);

	/* grows over restarts and reloads, so that an old route is never taken for a new one */
	return MAX(now, m->config->generation + 1);
}

static void on_kick(struct timer *timer)
{
	struct master *m = CONTAINER_OF(timer, struct master, kick);

	if (!m->stopping && children_kick_outdated(m))
		timer_start(m->loop, timer, KICK_MS);
}

static void swap_in(struct master *m, struct config *config, int log_fd)
{
	struct config *old = m->config;

	log_to(m, config, log_fd);
	log_info("reload -- version %s, configuration %s", MAIL_VERSION, m->etc);
	config_log_warnings(config);
	m->config = config;
	fd_raise_limit(config->plan_count * FDS_PER_UNIT + sockets_count(m) + FDS_SPARE);
	sockets_commit(m);
	units_apply(m);
	on_kick(&m->kick);
	config_free(&old);
}

static void on_hup(void *arg)
{
	struct master *m = arg;
	struct problems p;
	struct config *config;
	struct err err;
	int log_fd = -1;

	if (m->stopping)
		return;
	problems_init(&p);
	config = config_load(m->etc, next_generation(m), &p);
	if (config && strcmp(config->core.queue_directory, m->config->core.queue_directory) != 0)
		problems_add(&p,
		    "queue_directory = %s: expected %s until the mail system is stopped",
		    config->core.queue_directory, m->config->core.queue_directory);
	if (config)
		config_check_programs(config, &p);
	if (config && p.count == 0)
		log_fd = startup_open_log(&config->core, m->foreground, &err);
	if (log_fd == -2)
		problems_add(&p, "%s", err.text);
	if (config && p.count == 0)
		sockets_prepare(m, config, &p);
	if (p.count == 0) {
		swap_in(m, config, log_fd);
	} else {
		fd_close(&log_fd);
		config_free(&config);
		problems_each(&p, log_error);
		log_error("reload: %zu problem%s in the configuration in %s; nothing has changed",
		    p.count, p.count == 1 ? "" : "s", m->etc);
	}
	problems_fini(&p);
	futimens(m->pid_fd, NULL);
}

/* ---- stop --------------------------------------------------------------------------------- */

/* Everything below us, orphans included, as the kernel lists it. */
static void kill_all(struct master *m)
{
	char path[64];
	FILE *list;
	int pid;

	children_signal(m, SIGKILL);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	list = fopen(path, "re");
	while (list && fscanf(list, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (list)
		fclose(list);
}

static void on_deadline(struct timer *timer)
{
	struct master *m = CONTAINER_OF(timer, struct master, deadline);

	if (m->child_count > 0)
		log_warn("%zu processes did not end within %d seconds; killing them",
		    m->child_count, STOP_LIMIT_MS / 1000);
	kill_all(m);
	timer_start(m->loop, timer, KICK_MS); /* what was born meanwhile */
}

static void stop(struct master *m, int signum)
{
	if (m->stopping)
		return;
	log_info("terminating on signal %d", signum);
	m->stopping = true;
	LIST_EACH (node, &m->units)
		unit_update(LIST_ITEM(node, struct unit, node));
	children_signal(m, SIGTERM);
	if (getpgrp() == getpid())
		kill(0, SIGTERM); /* commands that our processes started */
	timer_start(m->loop, &m->deadline, STOP_LIMIT_MS);
	children_reap(m);
}

static void on_term(void *arg)
{
	stop(arg, SIGTERM);
}

static void on_int(void *arg)
{
	stop(arg, SIGINT);
}

static void on_child(void *arg)
{
	children_reap(arg);
}

/* ---- */

static void on_watchdog(struct timer *timer)
{
	struct master *m = CONTAINER_OF(timer, struct master, watchdog);

	alarm(WATCHDOG_S);
	timer_start(m->loop, timer, WATCHDOG_S * 1000 / 3);
}

static void on_look(struct timer *timer)
{
	struct master *m = CONTAINER_OF(timer, struct master, look);

	children_kill_stopped(m);
	timer_start(m->loop, timer, LOOK_MS);
}

static void init(struct master *m, const char *etc, struct config *config, bool foreground)
{
	m->etc = etc;
	m->config = config;
	m->foreground = foreground;
	m->log_fd = -1;
	m->loop = loop_new();
	m->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (m->null_fd < 0)
		fatal("open /dev/null: %s", strerror(errno));
	list_init(&m->units);
	list_init(&m->listeners);
	for (size_t i = 0; i < CHILD_BUCKETS; i++)
		list_init(&m->children[i]);
	m->kick.expired = on_kick;
	m->deadline.expired = on_deadline;
	m->watchdog.expired = on_watchdog;
	m->look.expired = on_look;
	on_watchdog(&m->watchdog);
	on_look(&m->look);
	loop_on_signal(m->loop, SIGHUP, on_hup, m);
	loop_on_signal(m->loop, SIGTERM, on_term, m);
	loop_on_signal(m->loop, SIGINT, on_int, m);
	loop_on_signal(m->loop, SIGCHLD, on_child, m);
}

static void open_all(struct master *m)
{
	struct problems p;

	problems_init(&p);
	fd_raise_limit(m->config->plan_count * FDS_PER_UNIT * 2 + FDS_SPARE);
	sockets_prepare(m, m->config, &p);
	if (p.count > 0) {
		problems_each(&p, log_error);
		exit(1);
	}
	problems_fini(&p);
	sockets_commit(m);
	units_apply(m);
}

int master_run(const char *etc, struct config *config, int pid_fd, int ready_fd, bool keep_output)
{
	static struct master m;
	struct err err;
	int log_fd = startup_open_log(&config->core, keep_output, &err);

	if (log_fd == -2)
		fatal("%s", err.text);
	init(&m, etc, config, keep_output);
	m.pid_fd = pid_fd;
	open_all(&m);
	log_to(&m, config, log_fd);
	log_info("daemon started -- version %s, configuration %s", MAIL_VERSION, etc);
	config_log_warnings(config);
	startup_ready(ready_fd, keep_output);
	while (!m.stopping || !children_gone(&m))
		loop_turn(m.loop, -1);
	sockets_close_all(&m);
	return 0;
}
