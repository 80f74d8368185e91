/* SPDX-License-Identifier: ISC */
#ifndef LIB_SYS_BOXLOCK_H
#define LIB_SYS_BOXLOCK_H

#include <stdbool.h>

/*
 * Locks of a mailbox file that other programs on the system keep to as well: a lock file beside it,
 * and the two kinds of kernel locks. How often and how patiently is the caller's choice.
 */
struct boxlock_patience {
	int attempts; /* at least 1 */
	int delay;    /* seconds between them */
	int stale;    /* a lock file that is older, in seconds, is nobody's */
};

/* One try to make the lock file: 0, or -1 with errno. Removes a stale one, for the next try. */
int boxlock_try_file(const char *lock_path, int stale);
/* Until it is there: 0, or -1 with errno (EEXIST: another has it; others: it cannot be made). */
int boxlock_file(const char *lock_path, const struct boxlock_patience *patience);
void boxlock_pause(const struct boxlock_patience *patience);

/* A kernel lock of the whole file, by flock(2) or fcntl(2): 0, or -1 with errno. */
int boxlock_kernel(int fd, bool use_flock, const struct boxlock_patience *patience);

#endif
