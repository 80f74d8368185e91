/* SPDX-License-Identifier: ISC */
#include "lib/sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_pwrite_all(int fd, const void *data, size_t len, off_t at)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t fd_pread_full(int fd, void *data, size_t len, off_t at)
{
	char *p = data;
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, p + done, len - done, at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fd_read_file(const char *path, size_t max, struct str *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[8192];
	size_t total = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return err_sys(err, "open %s", path);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		return err_set(err, EISDIR, "%s is a directory, expected a file", path);
	}
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_sys(err, "read %s", path);
			close(fd);
			return -1;
		}
		total += (size_t)n;
		if (total > max) {
			close(fd);
			return err_set(err, EFBIG, "%s is larger than %zu bytes", path, max);
		}
		str_put(out, buf, (size_t)n);
	}
	close(fd);
	return 0;
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int fd_lock(int fd, bool wait)
{
	int rc;

	do {
		rc = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
	} while (rc < 0 && errno == EINTR);
	return rc < 0 && errno == EWOULDBLOCK ? 1 : rc;
}

int fd_unlock(int fd)
{
	return flock(fd, LOCK_UN);
}

static int ofd_lock(int fd, short type, off_t at, off_t len, bool wait)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = len};
	int rc;

	do {
		rc = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 && (errno == EAGAIN || errno == EACCES) ? 1 : rc;
}

int fd_lock_range(int fd, off_t at, off_t len, bool wait)
{
	return ofd_lock(fd, F_WRLCK, at, len, wait);
}

int fd_unlock_range(int fd, off_t at, off_t len)
{
	return ofd_lock(fd, F_UNLCK, at, len, false);
}

bool fd_range_is_locked(int fd, off_t at, off_t len)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = len};

	/* when in doubt it is locked: the caller then leaves the range alone */
	return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

size_t fd_raise_limit(size_t want)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 256;
	if (limit.rlim_cur >= want)
		return limit.rlim_cur;
	if (limit.rlim_max < want) {
		struct rlimit more = {.rlim_cur = want, .rlim_max = want};

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return want;
	}
	limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}
