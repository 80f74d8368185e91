/* SPDX-License-Identifier: ISC */
/*
 * A preloaded library that makes the disk fail, or the process die, at the Nth call that changes
 * the disk (FAULT_AT, counted from 1):
 *
 *   FAULT_MODE=fail    the call answers -1 with FAULT_ERRNO (default ENOSPC)
 *   FAULT_MODE=die     the process dies instead of making the call
 *   FAULT_MODE=after   ... right after the call
 *   FAULT_MODE=half    a write writes half, then the process dies
 *   FAULT_MODE=power   as die, and what was written and not synced is undone first, file contents
 *                      and names alike: the worst that a power failure may leave
 *
 * Calls on descriptors below 10 are not counted: tests report there. Exit status of a death: 99.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
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

enum undo_kind { UNDO_BYTES, UNDO_CREATE, UNDO_RENAME, UNDO_UNLINK };

struct undo {
	enum undo_kind kind;
	ino_t ino;          /* file (bytes) or directory (names) whose sync makes it stay */
	int fd;             /* a duplicate, for bytes */
	off_t at, old_size;
	size_t len;
	char *old;
	char path[256], other[256];
};

static struct undo *undos[UNDO_MAX];
static int undo_count, calls, at = -1;
static const char *mode = "";

static void setup(void)
{
	const char *text = getenv("FAULT_AT");

	if (at >= 0)
		return;
	at = text ? atoi(text) : 0;
	mode = getenv("FAULT_MODE") ? getenv("FAULT_MODE") : "fail";
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

static void undo_all(void)
{
	while (undo_count > 0) {
		struct undo *u = undos[--undo_count];

		switch (u->kind) {
		case UNDO_BYTES:
			if (u->len)
				raw(SYS_pwrite64, u->fd, (long)u->old, (long)u->len, u->at);
			raw(SYS_ftruncate, u->fd, u->old_size, 0, 0);
			break;
		case UNDO_CREATE:
			raw(SYS_unlinkat, AT_FDCWD, (long)u->path, 0, 0);
			break;
		case UNDO_RENAME:
			raw(SYS_rename, (long)u->other, (long)u->path, 0, 0);
			break;
		case UNDO_UNLINK:
			raw(SYS_link, (long)u->other, (long)u->path, 0, 0);
			break;
		}
	}
}

static void forget(ino_t ino)
{
	int kept = 0;

	for (int i = 0; i < undo_count; i++) {
		if (undos[i]->ino != ino)
			undos[kept++] = undos[i];
	}
	undo_count = kept;
}

static void die(void)
{
	if (strcmp(mode, "power") == 0)
		undo_all();
	_exit(DIED);
}

/* 0: go on, 1: this call fails (errno set). */
static int step(void)
{
	setup();
	if (++calls != at)
		return 0;
	if (strcmp(mode, "fail") == 0) {
		errno = getenv("FAULT_ERRNO") ? atoi(getenv("FAULT_ERRNO")) : ENOSPC;
		return 1;
	}
	if (strcmp(mode, "die") == 0 || strcmp(mode, "power") == 0)
		die();
	return 0;
}

static void after(void)
{
	if (calls == at && strcmp(mode, "after") == 0)
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
	if (at <= 0 || strcmp(mode, "power") != 0)
		return 1;
	u = remember(UNDO_BYTES);
	u->ino = st.st_ino;
	u->fd = fcntl(fd, F_DUPFD_CLOEXEC, 200);
	u->at = where;
	u->old_size = st.st_size;
	u->old = malloc(len ? len : 1);
	u->len = where < st.st_size && u->old
	    ? (size_t)raw(SYS_pread64, fd, (long)u->old, (long)len, where)
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
	if (calls == at && strcmp(mode, "half") == 0) {
		raw(SYS_write, fd, (long)buf, (long)len / 2, 0);
		_exit(DIED);
	}
	n = raw(SYS_write, fd, (long)buf, (long)len, 0);
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
	if (calls == at && strcmp(mode, "half") == 0) {
		raw(SYS_pwrite64, fd, (long)buf, (long)len / 2, where);
		_exit(DIED);
	}
	n = raw(SYS_pwrite64, fd, (long)buf, (long)len, where);
	after();
	return n;
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t where)
{
	size_t len = 0;
	ssize_t n;

	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	if (watched(fd, where, len) && step())
		return -1;
	if (fd >= FIRST_FD && calls == at && strcmp(mode, "half") == 0) {
		raw(SYS_pwritev, fd, (long)iov, 2, where); /* the head and the content, no more */
		_exit(DIED);
	}
	n = syscall(SYS_pwritev, fd, iov, count, where, 0);
	after();
	return n;
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
	if (at > 0 && strcmp(mode, "power") == 0) {
		struct undo *u = remember(UNDO_UNLINK);

		u->ino = dir_of(path);
		snprintf(u->path, sizeof(u->path), "%s", path);
		snprintf(u->other, sizeof(u->other), "undo.%d.%d", (int)getpid(), undo_count);
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

__attribute__((destructor)) static void say_count(void)
{
	const char *path = getenv("FAULT_COUNT");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (f) {
		fprintf(f, "%d\n", calls);
		fclose(f);
	}
}
