/* SPDX-License-Identifier: ISC */
/*
 * A preloaded library that makes the disk fail, or the process die, at the Nth call that changes
 * the disk (FAULT_AT, counted from 1):
 *
 *   FAULT_MODE=fail    the call answers -1 with FAULT_ERRNO (default ENOSPC)
 *   FAULT_MODE=die     the process dies instead of making the call
 *   FAULT_MODE=after   ... right after the call
 *   FAULT_MODE=half    a write writes half, then the process dies
 *   FAULT_MODE=short   a write writes half and says so; the next one fails (a disk that fills up)
 *   FAULT_MODE=power   as die, and what was written and not synced is undone first, file contents
 *                      and names alike: the least that a power failure may leave
 *   FAULT_MODE=names   as power, but the names stay: files whose contents did not reach the disk
 *   FAULT_MODE=some    as power, but about every second thing stays: a disk that reorders
 *
 * Calls on descriptors below 10 are not counted: tests report there. Exit status of a death: 99.
 * A process that has not made a counted call yet may set FAULT_AT itself (after a fork).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { UNDO_MAX = 100000, FIRST_FD = 10, DIED = 99 };

enum undo_kind { UNDO_BYTES, UNDO_CREATE, UNDO_MKDIR, UNDO_RENAME, UNDO_UNLINK };

struct undo {
	enum undo_kind kind;
	ino_t ino; /* file (bytes) or directory (names) whose sync makes it stay */
	int fd;    /* for bytes: the file, opened anew, so that no lock of it is kept alive */
	off_t at, old_size;
	size_t len;
	char *old;
	char path[256], other[256];
};

int disk_calls(void); /* tests/fault/queue/fault.h */

static struct undo *undos[UNDO_MAX];
static int undo_count, calls, at;
static const char *mode = "";

static void setup(void)
{
	const char *text;

	if (at > 0)
		return;
	text = getenv("FAULT_AT");
	at = text ? atoi(text) : 0;
	mode = getenv("FAULT_MODE") ? getenv("FAULT_MODE") : "fail";
	if (at > 0)
		calls = 0;
}

static int mode_is(const char *name)
{
	return at > 0 && strcmp(mode, name) == 0;
}

static int loses_power(void)
{
	return mode_is("power") || mode_is("names") || mode_is("some");
}

static long raw(long number, long a, long b, long c, long d)
{
	return syscall(number, a, b, c, d);
}

static struct undo *remember(enum undo_kind kind)
{
	struct undo *u = calloc(1, sizeof(*u));

	if (!u || undo_count == UNDO_MAX)
		_exit(98);
	u->kind = kind;
	undos[undo_count++] = u;
	return u;
}

static ino_t dir_of(const char *path)
{
	char parent[256];
	struct stat st;
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	return stat(slash ? parent : ".", &st) == 0 ? st.st_ino : 0;
}

static void undo_one(const struct undo *u)
{
	switch (u->kind) {
	case UNDO_BYTES:
		if (u->len)
			raw(SYS_pwrite64, u->fd, (long)u->old, (long)u->len, u->at);
		raw(SYS_ftruncate, u->fd, u->old_size, 0, 0);
		break;
	case UNDO_CREATE:
		raw(SYS_unlinkat, AT_FDCWD, (long)u->path, 0, 0);
		break;
	case UNDO_MKDIR:
		raw(SYS_unlinkat, AT_FDCWD, (long)u->path, AT_REMOVEDIR, 0);
		break;
	case UNDO_RENAME:
		raw(SYS_rename, (long)u->other, (long)u->path, 0, 0);
		break;
	case UNDO_UNLINK:
		raw(SYS_link, (long)u->other, (long)u->path, 0, 0);
		break;
	}
}

static void undo_all(void)
{
	unsigned dice = (unsigned)at * 2654435761u;

	while (undo_count > 0) {
		const struct undo *u = undos[--undo_count];

		dice = dice * 1103515245u + 12345u;
		if ((mode_is("names") && u->kind != UNDO_BYTES) ||
		    (mode_is("some") && (dice >> 16 & 1)))
			continue;
		undo_one(u);
	}
}

/* What became durable; at a file's own sync its bytes, at a directory's the names in it. */
static void forget(ino_t ino)
{
	int kept = 0;

	for (int i = 0; i < undo_count; i++) {
		if (undos[i]->ino != ino) {
			undos[kept++] = undos[i];
			continue;
		}
		if (undos[i]->kind == UNDO_BYTES)
			close(undos[i]->fd);
		free(undos[i]->old);
		free(undos[i]);
	}
	undo_count = kept;
}

static void die(void)
{
	if (loses_power())
		undo_all();
	_exit(DIED);
}

/* 0: go on, 1: this call fails (errno set). */
static int step(void)
{
	setup();
	++calls;
	if (calls == at + 1 && mode_is("short")) {
		errno = ENOSPC;
		return 1;
	}
	if (calls != at)
		return 0;
	if (mode_is("fail")) {
		errno = getenv("FAULT_ERRNO") ? atoi(getenv("FAULT_ERRNO")) : ENOSPC;
		return 1;
	}
	if (mode_is("die") || loses_power())
		die();
	return 0;
}

/* In the modes that write a half: how much of len bytes the call at hand writes. */
static size_t part_of(size_t len)
{
	return calls == at && (mode_is("half") || mode_is("short")) ? len / 2 : len;
}

static void after(void)
{
	if (calls == at && (mode_is("after") || mode_is("half")))
		_exit(DIED);
}

/* Is it a file whose bytes count? Remembers what stands there now. */
static int watched(int fd, off_t where, size_t len)
{
	struct stat st;
	struct undo *u;

	if (fd < FIRST_FD || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	setup();
	if (!loses_power())
		return 1;
	u = remember(UNDO_BYTES);
	u->ino = st.st_ino;
	snprintf(u->path, sizeof(u->path), "/proc/self/fd/%d", fd);
	u->fd = (int)raw(SYS_openat, AT_FDCWD, (long)u->path, O_RDWR | O_CLOEXEC, 0);
	u->at = where;
	u->old_size = st.st_size;
	u->old = malloc(len ? len : 1);
	u->len = where < st.st_size && u->old
	             ? (size_t)raw(SYS_pread64, u->fd, (long)u->old, (long)len, where)
	             : 0;
	return 1;
}

ssize_t write(int fd, const void *buf, size_t len)
{
	ssize_t n;

	if (!watched(fd, lseek(fd, 0, SEEK_CUR), len))
		return raw(SYS_write, fd, (long)buf, (long)len, 0);
	if (step())
		return -1;
	n = raw(SYS_write, fd, (long)buf, (long)part_of(len), 0);
	after();
	return n;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t where)
{
	ssize_t n;

	if (!watched(fd, where, len))
		return raw(SYS_pwrite64, fd, (long)buf, (long)len, where);
	if (step())
		return -1;
	n = raw(SYS_pwrite64, fd, (long)buf, (long)part_of(len), where);
	after();
	return n;
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t where)
{
	size_t len = 0, part, done = 0;
	ssize_t n;

	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	if (!watched(fd, where, len))
		return syscall(SYS_pwritev, fd, iov, count, where, 0);
	if (step())
		return -1;
	part = part_of(len);
	if (part == len) {
		n = syscall(SYS_pwritev, fd, iov, count, where, 0);
		after();
		return n;
	}
	for (int i = 0; i < count && done < part; i++) {
		n = part - done < iov[i].iov_len ? (ssize_t)(part - done) : (ssize_t)iov[i].iov_len;
		raw(SYS_pwrite64, fd, (long)iov[i].iov_base, n, where + (off_t)done);
		done += (size_t)n;
	}
	after();
	return (ssize_t)done;
}

int posix_fallocate(int fd, off_t where, off_t len)
{
	int rc;

	if (!watched(fd, where, 0))
		return posix_fallocate64(fd, where, len);
	if (step())
		return errno;
	rc = raw(SYS_fallocate, fd, 0, where, len) < 0 ? errno : 0;
	after();
	return rc;
}

static int sync_call(int fd, long number)
{
	struct stat st;
	int rc;

	if (fd < FIRST_FD)
		return (int)raw(number, fd, 0, 0, 0);
	if (step())
		return -1;
	rc = (int)raw(number, fd, 0, 0, 0);
	if (rc == 0 && fstat(fd, &st) == 0)
		forget(st.st_ino);
	after();
	return rc;
}

int fsync(int fd)
{
	return sync_call(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_call(fd, SYS_fdatasync);
}

int rename(const char *from, const char *to)
{
	struct undo *u;
	int rc;

	if (step())
		return -1;
	rc = (int)raw(SYS_rename, (long)from, (long)to, 0, 0);
	if (rc == 0 && at > 0) {
		u = remember(UNDO_RENAME);
		u->ino = dir_of(to);
		snprintf(u->path, sizeof(u->path), "%s", from);
		snprintf(u->other, sizeof(u->other), "%s", to);
	}
	after();
	return rc;
}

int link(const char *from, const char *to)
{
	struct undo *u;
	int rc;

	if (step())
		return -1;
	rc = (int)raw(SYS_link, (long)from, (long)to, 0, 0);
	if (rc == 0 && at > 0) {
		u = remember(UNDO_CREATE);
		u->ino = dir_of(to);
		snprintf(u->path, sizeof(u->path), "%s", to);
	}
	after();
	return rc;
}

int unlink(const char *path)
{
	int rc;

	if (step())
		return -1;
	setup();
	if (loses_power()) {
		struct undo *u = remember(UNDO_UNLINK);

		u->ino = dir_of(path);
		snprintf(u->path, sizeof(u->path), "%s", path);
		snprintf(
		    u->other, sizeof(u->other), "undo.%d.%d.%d", (int)getpid(), undo_count, calls);
		raw(SYS_link, (long)path, (long)u->other, 0, 0);
	}
	rc = (int)raw(SYS_unlinkat, AT_FDCWD, (long)path, 0, 0);
	after();
	return rc;
}

int mkdir(const char *path, mode_t m)
{
	int rc;

	if (step())
		return -1;
	rc = (int)raw(SYS_mkdir, (long)path, m, 0, 0);
	if (rc == 0 && at > 0) {
		struct undo *u = remember(UNDO_MKDIR);

		u->ino = dir_of(path);
		snprintf(u->path, sizeof(u->path), "%s", path);
	}
	after();
	return rc;
}

int open(const char *path, int flags, ...)
{
	int existed = 1, fd, high;
	mode_t m = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT) {
		m = va_arg(ap, mode_t);
		existed = access(path, F_OK) == 0;
	}
	va_end(ap);
	if (!existed && step())
		return -1;
	fd = (int)raw(SYS_openat, AT_FDCWD, (long)path, flags, m);
	if (fd >= 0 && fd < FIRST_FD && strncmp(path, "/", 1) != 0) {
		/* out of the range that is left to the test's own reports */
		high = fcntl(fd, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, FIRST_FD);
		close(fd);
		fd = high;
	}
	if (!existed && fd >= 0) {
		setup();
		if (at > 0) {
			struct undo *u = remember(UNDO_CREATE);

			u->ino = dir_of(path);
			snprintf(u->path, sizeof(u->path), "%s", path);
		}
		after();
	}
	return fd;
}

/* How many calls were counted: tests that link this file know then which points there are. */
int disk_calls(void)
{
	return calls;
}
