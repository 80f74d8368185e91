/* SPDX-License-Identifier: ISC */
#ifndef LIB_SERVICE_SERVICE_H
#define LIB_SERVICE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf/conf.h"
#include "lib/conf/core.h"
#include "lib/table/table.h"

struct loop;

/*
 * The one service engine. A daemon's main.c fills a `struct service_spec` and calls service_run,
 * which does what all daemons share: command line as master gives it (see doc/protocols.md),
 * configuration with overrides, log, chdir to the queue directory, privileges and chroot, watchdog,
 * accept, busy/idle state in master's shared memory, max_idle, max_use, reload (a process of an
 * old generation ends when idle), end when master is gone.
 *
 * Two kinds: one session per process (session or, without one, trigger != NULL) or an event loop
 * (accepted != NULL).
 *
 * Further ways to be called, without master: -S serves the connection at descriptor 0 as the
 * calling user and ends; -C checks the parameters, prints what is wrong with them to standard
 * output, a problem a line, and exits with 1; or prints what is suspicious, and exits with 0.
 */
struct service;

struct service_spec {
	const char *program;                    /* "smtpd" */
	const struct conf_table *const *tables; /* NULL-terminated; filled into params[] in order */
	void *const *params;                    /* where each table's struct is */
	bool keeps_root;      /* master.cf's unpriv=n is needed: local(8). Else mail_owner */
	bool takes_arguments; /* master.cf may have more than options behind the command */
	bool solitary;        /* refuses a process limit other than 1 (qmgr, pickup) */

	/*
	 * With -C only, after the parameters were found good: what else can be wrong, such as a
	 * table's content. Problems go to the report. May be NULL.
	 */
	void (*check)(struct service *service, struct conf_report *report);
	/* Still with start-up privileges, before chroot; open what needs them. May be NULL. */
	void (*before_drop)(struct service *service);
	/* After privileges are dropped. fatal() is allowed here. May be NULL. */
	void (*init)(struct service *service);

	/* One session: serve the connected socket until done; the engine closes it. */
	void (*session)(struct service *service, int fd);
	/* A wake-up of master's timer or of a trigger on a session-less service (pickup): "W", ...
	 */
	void (*trigger)(struct service *service, const char *bytes, size_t len);

	/* Event loop: called for each accepted connection; the program owns fd from then on. */
	void (*accepted)(struct service *service, int fd);

	/*
	 * Session kind: how old are the tables? Asked at the start, and again when there is work,
	 * before it is taken if something is guarded: when that is outdated this process and the
	 * others of its service end, and new ones with the rights to open it do the work. May be
	 * NULL.
	 */
	enum table_age (*age)(struct service *service);

	void (*exiting)(
	    struct service *service); /* before exit on idle, max_use, stop. May be NULL */
};

int service_run(const struct service_spec *spec, int argc, char **argv);

/* What callbacks may ask. */
struct conf *service_conf(const struct service *service);
const struct core_params *service_core(const struct service *service);
const char *service_name(const struct service *service); /* master.cf's first column */
uint32_t service_generation(
    const struct service *service);                       /* of the configuration (D2); 0 with -S */
struct loop *service_loop(const struct service *service); /* NULL for session kind */
/*
 * For before_drop: calls fn with mail_owner's rights, outside the chroot: files of data_directory
 * are opened so, because whoever owns the folder may have put a link there.
 */
void service_as_owner(struct service *service, void (*fn)(void *arg), void *arg);
/* Says that the process works (session kind, between requests on one connection): the watchdog. */
void service_alive(struct service *service);
/* Who waits, idle, says so at least this often. */
int service_alive_interval_ms(const struct service *service);
/* Another time limit than daemon_timeout (qmgr_daemon_timeout); from init only. */
void service_set_watchdog(struct service *service, int seconds);
/* A session that serves many requests (delivery agents) counts each further one against max_use. */
void service_count_use(struct service *service);
/* Should the session end after this request (max_use reached, reload, stop)? */
bool service_should_end(const struct service *service);
/* Does the process end because the configuration has changed, so that another one goes on? */
bool service_is_replaced(const struct service *service);
/* What was opened with the rights at the start has changed: the process ends after this request. */
void service_retire(struct service *service);
/*
 * The same for all other processes of this service that have started before: they end when they are
 * idle, at once. With service_retire: this one, too.
 */
void service_retire_others(struct service *service);
/* All processes of this service are busy and the limit is reached (for ${stress}). */
bool service_under_stress(const struct service *service);

#endif
