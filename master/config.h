/* SPDX-License-Identifier: ISC */
#ifndef MASTER_CONFIG_H
#define MASTER_CONFIG_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/conf/core.h"
#include "lib/conf/master_cf.h"
#include "master/endpoint.h"
#include "master/params.h"

/*
 * One generation of the configuration: both files as they were read and found good, and what
 * follows from them. Read-only; a reload makes a new one and swaps it in as a whole.
 */
struct planned {
	const struct master_cf_entry *entry;
	const char *path;           /* of its program */
	struct endpoint *endpoints; /* in the configuration's arena */
	size_t endpoint_count;
};

struct config {
	uint32_t generation;
	struct conf *conf;
	struct core_params core;
	struct master_params params;
	struct master_cf cf;
	int text_fd; /* memory file: the text of main.cf, for the children */
	struct arena arena;
	/* "UID:GID,GID..." of mail_owner, for the children; NULL: nobody gives up root's rights
	 * here */
	const char *owner;
	struct planned *plan; /* the services that run in this version */
	size_t plan_count;
	struct str warnings; /* what can be lived with, one a line: how the files are written */
	struct str plan_warnings; /* and what cannot be run as they say */
	struct str programs_say;  /* warnings of the programs */
	struct str ignored;       /* entries whose programs do not exist */
};

/* What is wrong, each problem once, in order. */
struct problems {
	struct str text; /* a problem a line */
	struct map *seen;
	size_t count;
};
void problems_init(struct problems *p);
void problems_fini(struct problems *p);
void problems_add(struct problems *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
void problems_add_lines(struct problems *p, const char *lines);
/* Calls say("%s", problem) for each. */
void problems_each(const struct problems *p, void (*say)(const char *fmt, ...));

/*
 * Reads and checks etc/main.cf and etc/master.cf. NULL when there are problems, which then have
 * been told to p. The programs check their own parameters, -o settings
 * included (config_check_programs).
 */
struct config *config_load(const char *etc, uint32_t generation, struct problems *p);
void config_log_warnings(const struct config *config);
/* Without those of the first kind, of which postconf tells, too. */
void config_log_plan_warnings(const struct config *config);
void config_free(struct config **config);

/*
 * Has each program of the plan check the parameters of its entry (-C), all at the same time, for
 * at most CHECK_LIMIT_MS in all; a program that does not answer in time is no problem here.
 */
enum { CHECK_LIMIT_MS = 10000 };
void config_check_programs(struct config *config, struct problems *p);

#endif
