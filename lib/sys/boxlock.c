/* SPDX-License-Identifier: ISC */
#include "lib/sys/boxlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"

int boxlock_try_file(const char *lock_path, int stale)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(lock_path, flags, 0), code = errno;
	struct stat st;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (code == EEXIST && stat(lock_path, &st) == 0 && time(NULL) - st.st_ctime > stale) {
		log_warn("removing stale lock file %s", lock_path);
		unlink(lock_path);
	}
	errno = code;
	return -1;
}

void boxlock_pause(const struct boxlock_patience *patience)
{
	struct timespec delay = {patience->delay, 0};

	nanosleep(&delay, NULL);
}

int boxlock_file(const char *lock_path, const struct boxlock_patience *patience)
{
	for (int i = 0; i < patience->attempts; i++) {
		if (i > 0)
			boxlock_pause(patience);
		if (boxlock_try_file(lock_path, patience->stale) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	errno = EEXIST;
	return -1;
}

int boxlock_kernel(int fd, bool use_flock, const struct boxlock_patience *patience)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (int i = 0; i < patience->attempts; i++) {
		if (i > 0)
			boxlock_pause(patience);
		if ((use_flock ? flock(fd, LOCK_EX | LOCK_NB) : fcntl(fd, F_SETLK, &whole)) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return -1;
	}
	errno = EAGAIN;
	return -1;
}
