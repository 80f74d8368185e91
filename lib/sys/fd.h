/* SPDX-License-Identifier: ISC */
#ifndef LIB_SYS_FD_H
#define LIB_SYS_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/str.h"

struct err;

/* Descriptors: whole reads and writes, flags, locks. All repeat on EINTR. */

int fd_write_all(int fd, const void *data, size_t len); /* 0, or -1 with errno */
int fd_pwrite_all(int fd, const void *data, size_t len, off_t at);
ssize_t fd_pread_full(int fd, void *data, size_t len, off_t at); /* short only at end of file */

/* Appends the whole file to out. max bounds it (a larger file is an error). 0 or -1 with err. */
int fd_read_file(const char *path, size_t max, struct str *out, struct err *err);

int fd_set_nonblock(int fd, bool on);
int fd_set_cloexec(int fd, bool on);
void fd_close(int *fd); /* closes when >= 0, sets -1 */

/* flock(2), whole file, exclusive. 0; 1 when another holds it and wait is false; -1 with errno. */
int fd_lock(int fd, bool wait);
int fd_unlock(int fd);

/*
 * Exclusive lock of a byte range that belongs to this open file (F_OFD_SETLK), for the recipients
 * that a delivery agent has in hand. Answers as fd_lock.
 */
int fd_lock_range(int fd, off_t at, off_t len, bool wait);
int fd_unlock_range(int fd, off_t at, off_t len);
bool fd_range_is_locked(int fd, off_t at, off_t len); /* by another open file */

/*
 * Raises the soft limit of descriptors to `want` (the hard limit bounds it; root raises that too).
 * Returns the limit in force. Never touches descriptors one by one.
 */
size_t fd_raise_limit(size_t want);

#endif
