/* SPDX-License-Identifier: ISC */
#include "tests/fuzz/session/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "tests/fuzz/session/play.h"
#include "tests/fuzz/session/world.h"

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __real_pwritev(int fd, const struct iovec *iov, int count, off_t at);
ssize_t __wrap_pwritev(int fd, const struct iovec *iov, int count, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_posix_fallocate(int fd, off_t at, off_t len);
int __real_posix_fallocate(int fd, off_t at, off_t len);
int __real_statvfs(const char *path, struct statvfs *out);
int __wrap_statvfs(const char *path, struct statvfs *out);

enum { SPANS_MAX = 512, NAMES_MAX = 64 };

static struct {
	unsigned fault, calls_left;
	bool lasting, failed;
	struct span {
		ino_t ino;
		off_t from, to;
		bool lost;
	} spans[SPANS_MAX]; /* not durable */
	size_t span_count;
	struct name {
		ino_t dir, ino;
	} names[NAMES_MAX]; /* likewise */
	size_t name_count;
} disk;

void disk_fault(unsigned how)
{
	disk.fault = how & 7;
	disk.calls_left = how >> 3 & 15;
	disk.lasting = how >> 7 & 1;
}

void disk_reset(void)
{
	memset(&disk, 0, sizeof(disk));
}

bool disk_has_failed(void)
{
	return disk.failed;
}

/* Is it the turn of one of these faults? */
static bool fails(unsigned faults)
{
	if (!play.running || disk.fault == DISK_WELL || !(faults & 1u << disk.fault))
		return false;
	if (disk.calls_left > 0) {
		disk.calls_left--;
		return false;
	}
	disk.failed = true;
	errno = disk.fault == DISK_INTERRUPTED                        ? EINTR
	        : disk.fault == DISK_ERROR || disk.fault == DISK_SYNC ? EIO
	                                                              : ENOSPC;
	if (disk.fault == DISK_INTERRUPTED || !disk.lasting)
		disk.fault = DISK_WELL;
	return true;
}

/* ---- what is durable ------------------------------------------------------------------------ */

static ino_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static void add_span(ino_t ino, off_t from, off_t to, bool lost)
{
	must(disk.span_count < SPANS_MAX);
	if (from < to)
		disk.spans[disk.span_count++] = (struct span){ino, from, to, lost};
}

/* What is written again was not written before. */
static void written(int fd, off_t at, ssize_t len)
{
	ino_t ino = inode_of(fd);
	size_t count = disk.span_count;

	if (len <= 0)
		return;
	for (size_t i = 0; i < count; i++) {
		struct span *span = &disk.spans[i], was = *span;

		if (was.ino != ino || was.to <= at || was.from >= at + len)
			continue;
		*span = (struct span){0}; /* nobody's */
		add_span(ino, was.from, at, was.lost);
		add_span(ino, at + len, was.to, was.lost);
	}
	add_span(ino, at, at + len, false);
	for (size_t i = disk.span_count; i-- > 0;)
		if (disk.spans[i].to == 0)
			disk.spans[i] = disk.spans[--disk.span_count];
}

static int sync_file(int fd)
{
	ino_t ino = inode_of(fd);
	bool failed = fails(1u << DISK_SYNC | 1u << DISK_INTERRUPTED);

	for (size_t i = disk.span_count; i-- > 0;) {
		struct span *span = &disk.spans[i];

		if (span->ino == ino && failed)
			span->lost = true;
		else if (span->ino == ino && !span->lost)
			*span = disk.spans[--disk.span_count];
	}
	for (size_t i = disk.name_count; i-- > 0 && !failed;)
		if (disk.names[i].dir == ino)
			disk.names[i] = disk.names[--disk.name_count];
	return failed ? -1 : 0;
}

bool disk_is_durable(const char *path, off_t from, off_t to)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	for (size_t i = 0; i < disk.span_count; i++)
		if (disk.spans[i].ino == st.st_ino && disk.spans[i].from < to &&
		    disk.spans[i].to > from)
			return false;
	for (size_t i = 0; i < disk.name_count; i++)
		if (disk.names[i].ino == st.st_ino)
			return false;
	return true;
}

/* ---- the calls ------------------------------------------------------------------------------ */

enum { WRITES = 1u << DISK_NO_SPACE | 1u << DISK_ERROR | 1u << DISK_INTERRUPTED };

ssize_t disk_write(int fd, const void *data, size_t len)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t n;

	if (at >= 0 && fails(WRITES))
		return -1;
	n = __real_write(fd, data, at >= 0 && len > 1 && fails(1u << DISK_SHORT) ? len / 2 : len);
	if (at >= 0)
		written(fd, at, n);
	return n;
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	ssize_t n;

	if (fails(WRITES))
		return -1;
	n = __real_pwrite(fd, data, len > 1 && fails(1u << DISK_SHORT) ? len / 2 : len, at);
	written(fd, at, n);
	return n;
}

ssize_t __wrap_pwritev(int fd, const struct iovec *iov, int count, off_t at)
{
	ssize_t n;

	if (fails(WRITES))
		return -1;
	if (fails(1u << DISK_SHORT))
		count = count > 1 ? count - 1 : count;
	n = __real_pwritev(fd, iov, count, at);
	written(fd, at, n);
	return n;
}

int __wrap_fdatasync(int fd)
{
	return sync_file(fd);
}

int __wrap_fsync(int fd)
{
	return sync_file(fd);
}

int __wrap_posix_fallocate(int fd, off_t at, off_t len)
{
	return fails(1u << DISK_NO_SPACE) ? ENOSPC : __real_posix_fallocate(fd, at, len);
}

int __wrap_link(const char *from, const char *to)
{
	char folder[256];
	struct stat dir, st;
	int rc = fails(1u << DISK_NAMES | 1u << DISK_NO_SPACE) ? -1 : __real_link(from, to);

	snprintf(folder, sizeof(folder), "%s", to);
	if (rc == 0 && stat(to, &st) == 0 && stat(dirname(folder), &dir) == 0) {
		must(disk.name_count < NAMES_MAX);
		disk.names[disk.name_count++] = (struct name){dir.st_ino, st.st_ino};
	}
	return rc;
}

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if ((flags & O_CREAT) && fails(1u << DISK_NAMES | 1u << DISK_NO_SPACE))
		return -1;
	if (play.running && files_forbidden(path)) {
		errno = EACCES;
		return -1;
	}
	return __real_open(path, flags, mode);
}

int __wrap_statvfs(const char *path, struct statvfs *out)
{
	int rc = __real_statvfs(path, out);

	if (rc == 0 && fails(1u << DISK_FULL))
		out->f_bavail = out->f_favail = 0;
	return rc;
}
