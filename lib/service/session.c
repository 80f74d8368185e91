/* SPDX-License-Identifier: ISC */
/*
 * One session per process. An idle process sleeps in accept(2) on the shared socket (the kernel
 * wakes one of them, and no other call is made per connection); with several listening sockets it
 * sleeps in an epoll set with exclusive wake-up. The time limit max_idle is the socket's receive
 * timeout.
 *
 * Signals: SIGHUP only interrupts the wait, so that an idle process looks at the generation. It can
 * come between the look and the wait; master repeats it. SIGTERM ends an idle process at once and
 * lets a busy one finish its step: half a second, by SIGALRM, then it ends wherever it is.
 */
#include "lib/service/private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { STOP_GRACE_MS = 500, TRIGGER_MAX = 1024, GUARD_MS = 1000 };

enum work { WORK_CONNECTION, WORK_TRIGGER, WORK_AGAIN, WORK_IDLE_TOO_LONG };

/* Signal handlers have no argument; this is the process's one service, set once. */
static struct service *signalled;

static void on_hup(int signum)
{
	(void)signum;
}

static void on_term(int signum)
{
	struct itimerval grace = {.it_value = {.tv_usec = STOP_GRACE_MS * 1000}};

	(void)signum;
	signalled->stop = 1;
	setitimer(ITIMER_REAL, &grace, NULL);
}

static void on_alarm(int signum)
{
	(void)signum;
	if (signalled->stop)
		_exit(0);
	if (!signalled->in_session)
		return;
	fatal("watchdog timeout"); /* as safe as it needs to be: the session hangs elsewhere */
}

static void set_handler(int signum, void (*handler)(int), int flags)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

	sigaction(signum, &act, NULL);
}

static void prepare_sockets(struct service *s)
{
	struct timeval idle = {.tv_sec = s->core.max_idle};
	unsigned count = s->options.listen_count;
	bool one = count == 1;

	s->epoll = -1;
	for (unsigned i = 0; i < count; i++) {
		int fd = SCORE_FD_LISTEN + (int)i;

		fd_set_nonblock(fd, !one);
		if (s->options.type != MASTER_CF_FIFO)
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	}
	if (one && s->options.type != MASTER_CF_FIFO)
		return;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		fatal("epoll_create1: %s", strerror(errno));
	for (unsigned i = 0; i < count; i++) {
		struct epoll_event ev = {
		    .events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = SCORE_FD_LISTEN + (int)i};

		if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, ev.data.fd, &ev) < 0)
			fatal("epoll_ctl: %s", strerror(errno));
	}
}

static bool idle_too_long(const struct service *s)
{
	return !s->guarded ||
	       clock_mono_ms() - s->idle_since_ms >= (int64_t)s->core.max_idle * 1000;
}

static enum work failed_wait(struct service *s)
{
	switch (errno) {
	case EAGAIN:
		/* a blocking socket's time limit; with epoll another process was faster */
		return s->epoll < 0 && idle_too_long(s) ? WORK_IDLE_TOO_LONG : WORK_AGAIN;
	case EINVAL:
		/* master listens here no more: our end comes with its next signal */
		usleep(100000);
		return WORK_AGAIN;
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
		return WORK_AGAIN;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		log_warn("accept connection: %s", strerror(errno));
		usleep(500000); /* the connection stays in line; others may close meanwhile */
		return WORK_AGAIN;
	default:
		log_warn("accept connection: %s", strerror(errno));
		usleep(100000);
		return WORK_AGAIN;
	}
}

static enum work take_work(struct service *s, int listen_fd, int *fd_out, char *bytes, size_t *len)
{
	ssize_t n;

	if (s->options.type == MASTER_CF_FIFO || s->options.type == MASTER_CF_UNIX_DGRAM) {
		n = read(listen_fd, bytes, TRIGGER_MAX);
		if (n < 0)
			return failed_wait(s);
		*len = (size_t)n;
		return WORK_TRIGGER;
	}
	*fd_out = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	return *fd_out < 0 ? failed_wait(s) : WORK_CONNECTION;
}

/* Who cannot open its tables again looks at them while it waits. false: another process must. */
static bool tables_are_current(struct service *s)
{
	struct timeval limit = {.tv_sec = GUARD_MS / 1000};
	enum table_age age = s->spec->age ? s->spec->age(s) : TABLE_FRESH;

	if (age == TABLE_OUTDATED) {
		log_info("a table that only another process can open has changed -- restarting");
		return false;
	}
	s->guarded = s->guarded || age == TABLE_GUARDED;
	/* the socket is everybody's, and each new process sets the limit of max_idle */
	if (s->guarded && s->epoll < 0)
		setsockopt(SCORE_FD_LISTEN, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return true;
}

static enum work wait_for_work(struct service *s, int *fd_out, char *bytes, size_t *len)
{
	struct epoll_event ev;
	int n;

	if (s->epoll < 0)
		return take_work(s, SCORE_FD_LISTEN, fd_out, bytes, len);
	n = epoll_wait(s->epoll, &ev, 1, s->guarded ? GUARD_MS : s->core.max_idle * 1000);
	if (n == 0)
		return idle_too_long(s) ? WORK_IDLE_TOO_LONG : WORK_AGAIN;
	if (n < 0)
		return failed_wait(s);
	return take_work(s, ev.data.fd, fd_out, bytes, len);
}

static void serve(struct service *s, int fd)
{
	char bytes[TRIGGER_MAX];
	size_t len;

	if (s->options.type == MASTER_CF_PASS && (fd = service_receive_fd(fd)) < 0)
		return;
	if (s->spec->session) {
		s->spec->session(s, fd);
	} else if (s->spec->trigger) {
		len = service_read_trigger(fd, bytes, sizeof(bytes));
		if (len > 0)
			s->spec->trigger(s, bytes, len);
	}
	close(fd);
}

static int finish(struct service *s)
{
	if (s->spec->exiting)
		s->spec->exiting(s);
	return 0;
}

int service_run_sessions(struct service *s)
{
	char bytes[TRIGGER_MAX];
	size_t len = 0;
	int fd = -1;

	signalled = s;
	set_handler(SIGHUP, on_hup, SA_RESTART);
	set_handler(SIGTERM, on_term, SA_RESTART);
	set_handler(SIGALRM, on_alarm, SA_RESTART);
	if (!s->board) {
		s->in_session = 1;
		s->spec->session(s, 0);
		return finish(s);
	}
	prepare_sockets(s);
	while (!service_should_end(s)) {
		enum work work;

		service_set_idle(s);
		s->idle_since_ms = clock_mono_ms();
		do {
			if (s->stop || service_outdated(s) || !tables_are_current(s))
				return finish(s);
			work = wait_for_work(s, &fd, bytes, &len);
		} while (work == WORK_AGAIN);
		if (work == WORK_IDLE_TOO_LONG)
			break;
		s->in_session = 1;
		service_set_busy(s);
		service_alive(s);
		if (work == WORK_CONNECTION)
			serve(s, fd);
		else if (s->spec->trigger && len > 0)
			s->spec->trigger(s, bytes, len);
		s->in_session = 0;
	}
	return finish(s);
}
