/* SPDX-License-Identifier: ISC */
#include "lib/service/service.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/service/private.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

struct conf *service_conf(const struct service *service)
{
	return service->conf;
}

const struct core_params *service_core(const struct service *service)
{
	return &service->core;
}

const char *service_name(const struct service *service)
{
	return service->options.name;
}

uint32_t service_generation(const struct service *service)
{
	return service->options.generation;
}

struct loop *service_loop(const struct service *service)
{
	return service->loop;
}

void service_watchdog(struct service *s)
{
	alarm((unsigned)s->watchdog_s);
	s->alarm_set_ms = clock_mono_ms();
	if (s->board)
		atomic_store(&s->board->children[s->options.child].alarm_ms,
		    s->alarm_set_ms + (int64_t)s->watchdog_s * 1000);
}

void service_set_watchdog(struct service *service, int seconds)
{
	service->watchdog_s = seconds;
}

void service_alive(struct service *service)
{
	/* a system call per session is worth saving: the alarm may be a little early */
	int64_t slack = (int64_t)service->watchdog_s * 1000 / 8;

	if (service->stop == 0 &&
	    (service->alarm_set_ms == 0 || clock_mono_ms() - service->alarm_set_ms > slack))
		service_watchdog(service);
}

int service_alive_interval_ms(const struct service *service)
{
	return (int)MIN((int64_t)service->watchdog_s * 1000 / 3, 100 * 1000);
}

void service_count_use(struct service *service)
{
	service->uses++;
	if (service->board)
		atomic_store(&service->board->children[service->options.child].uses, service->uses);
}

bool service_outdated(const struct service *s)
{
	return s->board && (atomic_load(&s->board->generation) != s->options.generation ||
	                       atomic_load(&s->board->renewal) != s->renewal);
}

bool service_should_end(const struct service *service)
{
	return service->stop || service->retired ||
	       service->uses >= (uint32_t)service->core.max_use || service_outdated(service);
}

bool service_is_replaced(const struct service *service)
{
	return !service->stop && service_outdated(service);
}

void service_retire(struct service *service)
{
	service->retired = true;
}

static void set_renewal(struct service *s, uint32_t renewal)
{
	s->renewal = renewal;
	atomic_store(&s->board->children[s->options.child].renewal, renewal);
}

void service_retire_others(struct service *s)
{
	const uint64_t one = 1;

	/* who is of an older one has been told, and those after him have read it anew */
	if (!s->board || service_outdated(s))
		return;
	set_renewal(s, atomic_fetch_add(&s->board->renewal, 1) + 1);
	if (write(SCORE_FD_WAKE, &one, sizeof(one)) < 0)
		log_warn("wake master: %s", strerror(errno));
}

bool service_under_stress(const struct service *service)
{
	return service->board && atomic_load(&service->board->at_limit) &&
	       scoreboard_nobody_idle(service->board);
}

void service_set_idle(struct service *s)
{
	atomic_store(&s->board->children[s->options.child].state, SCORE_READY);
	scoreboard_set_idle(s->board, s->options.child);
}

void service_set_busy(struct service *s)
{
	const uint64_t one = 1;

	service_count_use(s);
	if (scoreboard_set_busy(s->board, s->options.child) &&
	    write(SCORE_FD_WAKE, &one, sizeof(one)) < 0)
		log_warn("wake master: %s", strerror(errno));
}

/* Everything that was inherited and is not in doc/protocols.md is closed, by one system call. */
static void close_others(const struct service *s)
{
	for (int fd = SCORE_FD_BOARD; fd < SCORE_FD_LISTEN + (int)s->options.listen_count; fd++)
		fd_set_cloexec(fd, true);
	log_disconnect(); /* what was said since the start opened it */
	close_range(SCORE_FD_LISTEN + s->options.listen_count, ~0U, 0);
}

static void meet_master(struct service *s)
{
	struct err err;

	s->board = scoreboard_map(SCORE_FD_BOARD, &err);
	if (!s->board)
		fatal("%s; this program is started by master(8)", err.text);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	set_renewal(s, atomic_load(&s->board->renewal));
	close_others(s);
}

static void check_spec(const struct service *s)
{
	const struct service_spec *spec = s->spec;

	if (!spec->session && !spec->trigger && !spec->accepted)
		panic("%s: no callback for work", spec->program);
	if (s->options.standalone && !spec->session)
		fatal("%s cannot serve a connection without master", spec->program);
	if (s->board && s->options.listen_count == 0)
		fatal("option -s: expected the number of listening sockets");
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What the program's statics still point at is not looked at any more: the process ends. */
static int end(struct service *s, int status)
{
	/* their handlers write into it */
	signal(SIGTERM, SIG_IGN);
	signal(SIGALRM, SIG_IGN);
	if (s->conf)
		conf_free(&s->conf);
	scoreboard_unmap(&s->board);
	loop_free(&s->loop);
	free(s);
	return status;
}

int service_run(const struct service_spec *spec, int argc, char **argv)
{
	struct service *s = alloc_zero(1, sizeof(*s));
	int status;

	s->spec = spec;
	s->epoll = -1;
	s->program = argc > 0 && argv[0] ? base_name(argv[0]) : spec->program;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a size limit is an error of write(2), not the end */
	service_log_early(s);
	service_parse_options(&s->options, argc, argv);
	/* what the caller has open at the numbers that master uses is his, not a log */
	if (s->options.standalone)
		log_open(LOG_TO_STDERR, -1, 0);
	if (s->options.check)
		return end(s, service_check(s));
	if (!s->options.standalone)
		meet_master(s);
	check_spec(s);
	service_load(s);
	s->watchdog_s = s->core.daemon_timeout;
	if (s->board)
		service_drop_privileges(s);
	/* master may have died before the death signal was asked for */
	if (s->board && getppid() != s->board->master_pid)
		fatal("master is gone");
	if (spec->accepted)
		s->loop = loop_new();
	if (spec->init)
		spec->init(s);
	status = spec->accepted ? service_run_events(s) : service_run_sessions(s);
	return end(s, status);
}
