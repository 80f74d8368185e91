/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FUZZ_SESSION_DISK_H
#define TESTS_FUZZ_SESSION_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * A disk that fails when it is told to, and that remembers which bytes and names are safe: what
 * was written since the last sync is not; what a failed sync was about is lost until it is written
 * again, whatever later syncs say.
 *
 * how: enum disk_fault (low 3 bits), the number of calls that go well before (4 bits), and whether
 * all later ones fail (the highest bit).
 */
enum disk_fault {
	DISK_WELL,
	DISK_NO_SPACE,    /* writes, and new files: ENOSPC */
	DISK_ERROR,       /* writes: EIO */
	DISK_SHORT,       /* writes are done by half */
	DISK_SYNC,        /* syncs: EIO */
	DISK_NAMES,       /* new files and names: ENOSPC */
	DISK_FULL,        /* statvfs(2) says that nothing is left */
	DISK_INTERRUPTED, /* writes and syncs: EINTR, once */
};
void disk_fault(unsigned how);
/* It is well again, nothing is remembered. */
void disk_reset(void);
/* Has it failed since? */
bool disk_has_failed(void);
/* Are these bytes of the file, and its name, going to outlive a power failure? */
bool disk_is_durable(const char *path, off_t from, off_t to);
ssize_t disk_write(int fd, const void *data, size_t len);

#endif
