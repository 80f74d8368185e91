/* SPDX-License-Identifier: ISC */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/conf/master_cf.h"

/* Starting a program with exactly the descriptors it is to have. */

enum { SPAWN_FDS_MAX = 128 };

struct spawn {
	const char *path;
	char *const *argv;
	/* fds[i] becomes descriptor i; -1: nothing there. All others are closed. */
	int fds[SPAWN_FDS_MAX];
	size_t fd_count;
};

/* The process id, or -1 with errno. The child dies when we do. */
pid_t spawn_process(const struct spawn *spawn);

/*
 * The argument vector of an entry's program: first the options in `lead`, then -n, -t, -c, -u, -v
 * and the -o settings of the entry, then its other arguments. NULL-terminated, in arena.
 */
char **spawn_arguments(
    const struct master_cf_entry *entry, char *const *lead, size_t lead_count, struct arena *arena);

#endif
