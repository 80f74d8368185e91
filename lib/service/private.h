/* SPDX-License-Identifier: ISC */
#ifndef LIB_SERVICE_PRIVATE_H
#define LIB_SERVICE_PRIVATE_H

#include <signal.h>

#include "lib/conf/master_cf.h"
#include "lib/event/loop.h"
#include "lib/service/scoreboard.h"
#include "lib/service/service.h"

/* Between the files of lib/service only. */

enum { SERVICE_LISTEN_MAX = 64, SERVICE_OVERRIDES_MAX = 512 };

struct service_options {
	const char *name, *type_name;
	enum master_cf_type type;
	unsigned listen_count;
	uint32_t generation;
	unsigned child; /* our place on the scoreboard */
	bool chroot, unprivileged;
	uid_t owner; /* whose groups these are */
	gid_t groups[SERVICE_GROUPS_MAX];
	size_t group_count; /* 0: master says nothing */
	bool standalone, check;
	int verbose;
	const char *overrides[SERVICE_OVERRIDES_MAX]; /* "name=value" */
	size_t override_count;
	unsigned line; /* of master.cf where the entry begins; 0: not said */
	char *const *args;
	size_t arg_count;
};

/* fatal on what master would never say. */
void service_parse_options(struct service_options *options, int argc, char **argv);

struct event_listener {
	struct watch watch;
	struct timer pause; /* after a failed accept */
	struct service *service;
};

struct service {
	const struct service_spec *spec;
	struct service_options options;
	const char *program; /* as called: "lmtp" is a link to smtp */
	struct conf *conf;
	struct core_params core;
	struct scoreboard *board; /* NULL when stand-alone */
	int epoll;                /* session kind that does not wait in accept(2), else -1 */
	struct loop *loop;
	struct event_listener listeners[SERVICE_LISTEN_MAX];
	struct timer watchdog;
	int watchdog_s;       /* daemon_timeout, unless the program has one of its own */
	int64_t alarm_set_ms; /* when the alarm was last set */
	uint32_t uses;
	bool retired;                     /* service_retire */
	uint32_t renewal;                 /* the board's when this process began to read */
	volatile sig_atomic_t stop;       /* SIGTERM came */
	volatile sig_atomic_t in_session; /* not waiting for work */
};

/* Before the configuration is known: errors go where master's log goes. */
void service_log_early(struct service *s);
/* Loads and fills everything; fatal when something is wrong. */
void service_load(struct service *s);
/* The -C mode: prints all problems; the exit status. */
int service_check(struct service *s);

/* For it: warnings of tables and match lists that cannot be used (tables.c). */
void service_check_tables(struct service *s, struct conf_report *report);

/* chdir to the queue, before_drop, chroot, change of user; fatal when impossible. */
void service_drop_privileges(struct service *s);

/* The two kinds; they return the exit status. */
int service_run_sessions(struct service *s);
int service_run_events(struct service *s);

void service_set_idle(struct service *s);
void service_set_busy(struct service *s); /* counts a use as well */
bool service_outdated(const struct service *s);
void service_watchdog(struct service *s); /* sets the alarm anew */

/* Takes a passed descriptor from a `pass` connection and closes that; -1 when none came. */
int service_receive_fd(int connection);
/* Reads the bytes of a trigger, waiting a moment for the first. The count, 0 when none came. */
size_t service_read_trigger(int fd, char *buf, size_t size);

#endif
