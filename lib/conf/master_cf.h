/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONF_MASTER_CF_H
#define LIB_CONF_MASTER_CF_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * master.cf as data: a pure parser (text in, entries or an error out), used by master, postconf -M
 * and whoever honours the -o settings of the cleanup and rewrite entries.
 */
enum master_cf_type {
	MASTER_CF_INET,
	MASTER_CF_UNIX,
	MASTER_CF_FIFO,
	MASTER_CF_UNIX_DGRAM,
	MASTER_CF_PASS
};

struct master_cf_override {
	const char *name, *value;
};

struct master_cf_entry {
	const char *name; /* "smtp", "127.0.0.1:2525", "[::1]:25", "pickup" */
	enum master_cf_type type;
	bool private_, unprivileged, chroot; /* with the '-' defaults applied */
	int wakeup;                          /* seconds, 0: never */
	bool wakeup_if_used;                 /* the '?' */
	int max_procs;                       /* -1: default_process_limit; 0: no limit */
	const char *command;                 /* "smtpd" */
	int verbose;                         /* number of -v */
	const struct master_cf_override *overrides;
	size_t override_count;
	const char *const *args; /* all arguments as written, -o and -v included */
	size_t arg_count;
	const char *const *columns; /* the eight columns as written, for postconf -M */
	int line;                   /* where it starts in the file */
};

struct master_cf {
	struct arena arena;
	struct master_cf_entry *entries;
	size_t count;
	struct str
	    warnings; /* what could be lived with, one a line: an entry given twice (last wins) */
};

/* path is for messages only. -1 with err: "path: line N: \"x\": expected ...". */
int master_cf_parse(
    const char *path, const char *text, size_t len, struct master_cf *out, struct err *err);
int master_cf_load(const char *etc, struct master_cf *out, struct err *err);
void master_cf_fini(struct master_cf *cf);
/* By service name and type as postconf's "smtp/inet"; the first match, or NULL. */
const struct master_cf_entry *master_cf_find(
    const struct master_cf *cf, const char *name, const char *type);
const char *master_cf_type_name(enum master_cf_type type);

#endif
