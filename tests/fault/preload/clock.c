/* SPDX-License-Identifier: ISC */
/*
 * A preloaded library that turns the clocks of a process (tests/system/clock.bash). The file named
 * by CLOCK_FILE holds two little-endian 64-bit counts of milliseconds, which are added to the
 * monotonic clocks and to the wall clock. It is mapped, so that a change is seen at once and by all
 * processes, and costs no system call. A wait with a time limit (epoll, poll) is cut into short
 * ones, so that it ends when the turned clock says so; alarm(2), sleeps and file times stay the
 * kernel's.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_MS = 20, BILLION = 1000000000 };
enum { MONOTONIC, WALL, OFFSETS };

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size);

static const volatile int64_t *offsets; /* NULL: the clocks are as they are */

__attribute__((constructor)) static void setup(void)
{
	const char *path = getenv("CLOCK_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at;

	if (fd < 0)
		return;
	at = mmap(NULL, OFFSETS * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (at != MAP_FAILED)
		offsets = at;
}

static int which(clockid_t id)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		return WALL;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_BOOTTIME:
		return MONOTONIC;
	default:
		return OFFSETS;
	}
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int i = which(id);
	int64_t ns;

	if (syscall(SYS_clock_gettime, id, ts) < 0)
		return -1;
	if (!offsets || i == OFFSETS)
		return 0;
	ns = ts->tv_nsec + offsets[i] % 1000 * 1000000;
	ts->tv_sec += offsets[i] / 1000 + (ns >= BILLION) - (ns < 0);
	ts->tv_nsec = ns + (ns < 0 ? BILLION : ns >= BILLION ? -BILLION : 0);
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	*tv = (struct timeval){.tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *out)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (int64_t)1000 + ts.tv_nsec / 1000000;
}

/* The next piece of a wait that ends at `end`. */
static int piece(int64_t end)
{
	int64_t left = end - now_ms();

	return left < 0 ? 0 : left > SLICE_MS ? SLICE_MS : (int)left;
}

int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
	int64_t end = timeout > 0 ? now_ms() + timeout : 0;

	for (;;) {
		int wait = timeout > 0 ? piece(end) : timeout;
		long n = syscall(SYS_epoll_pwait, fd, events, max, wait, mask, sizeof(uint64_t));

		if (n != 0 || wait <= 0)
			return (int)n;
	}
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	return epoll_pwait(fd, events, max, timeout, NULL);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int64_t end = timeout > 0 ? now_ms() + timeout : 0;

	for (;;) {
		int wait = timeout > 0 ? piece(end) : timeout;
		struct timespec ts = {.tv_sec = 0, .tv_nsec = wait * 1000000L};
		long n = syscall(SYS_ppoll, fds, count, wait < 0 ? NULL : &ts, NULL, 0);

		if (n != 0 || wait <= 0)
			return (int)n;
	}
}

/* what poll(2) is called in a program that was compiled with bounds checks */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
{
	if (size / sizeof(*fds) < count)
		abort();
	return poll(fds, count, timeout);
}
