/* SPDX-License-Identifier: ISC */
/*
 * One session per process. An idle process sleeps in accept(2) on the shared socket (the kernel
 * wakes one of them, and no other call is made per connection); with several listening sockets it
 * sleeps in an epoll set with exclusive wake-up. The time limit max_idle is the socket's receive
 * timeout.
 *
 * Whose tables can change into what it has no rights to open sleeps in an epoll set too: it must
 * not take work that the old content would answer wrongly.
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

enum { STOP_GRACE_MS = 500, TRIGGER_MAX = 1024 };

enum work { WORK_CONNECTION, WORK_TRIGGER, WORK_AGAIN, WORK_IDLE_TOO_LONG, WORK_FOR_OTHERS };

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
	if (signalled->stop) {
		log_release();
		_exit(0);
	}
	if (!signalled->in_session)
		return;
	fatal("watchdog timeout"); /* as safe as it needs to be: the session hangs elsewhere */
}

static void set_handler(int signum, void (*handler)(int), int flags)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

	sigaction(signum, &act, NULL);
}

static void make_epoll(struct service *s)
{
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		fatal("epoll_create1: %s", strerror(errno));
	for (unsigned i = 0; i < s->options.listen_count; i++) {
		struct epoll_event ev = {
		    .events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = SCORE_FD_LISTEN + (int)i};

		fd_set_nonblock(ev.data.fd, true);
		if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, ev.data.fd, &ev) < 0)
			fatal("epoll_ctl: %s", strerror(errno));
	}
}

/*
 * false: a table is outdated. Who waits in accept(2) hears it too late: it does the work that it
 * has with the old content, and ends.
 */
static bool tables_are_current(struct service *s)
{
	enum table_age age = s->spec->age ? s->spec->age(s) : TABLE_FRESH;

	if (age == TABLE_OUTDATED) {
		log_info("a table that only another process can open has changed -- restarting");
		service_retire_others(s);
		service_retire(s);
		return false;
	}
	if (age == TABLE_GUARDED && s->epoll < 0)
		make_epoll(s);
	return true;
}

static void prepare_sockets(struct service *s)
{
	struct timeval idle = {.tv_sec = s->core.max_idle};
	unsigned count = s->options.listen_count;

	s->epoll = -1;
	for (unsigned i = 0; i < count && s->options.type != MASTER_CF_FIFO; i++)
		setsockopt(SCORE_FD_LISTEN + (int)i, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	if (count > 1 || s->options.type == MASTER_CF_FIFO)
		make_epoll(s);
	tables_are_current(s);
	/* the flag is the socket's, and so everybody's: never changed to and fro */
	if (s->epoll < 0)
		fd_set_nonblock(SCORE_FD_LISTEN, false);
}

static enum work failed_wait(struct service *s)
{
	switch (errno) {
	case EAGAIN:
		/* a blocking socket's time limit; with epoll another process was faster */
		return s->epoll < 0 ? WORK_IDLE_TOO_LONG : WORK_AGAIN;
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

static enum work wait_for_work(struct service *s, int *fd_out, char *bytes, size_t *len)
{
	struct epoll_event ev;
	enum work work;
	int n;

	if (s->epoll < 0) {
		work = take_work(s, SCORE_FD_LISTEN, fd_out, bytes, len);
		if (work == WORK_CONNECTION || work == WORK_TRIGGER)
			tables_are_current(s);
		return work;
	}
	n = epoll_wait(s->epoll, &ev, 1, s->core.max_idle * 1000);
	if (n == 0)
		return WORK_IDLE_TOO_LONG;
	if (n < 0)
		return failed_wait(s);
	if (!tables_are_current(s))
		return WORK_FOR_OTHERS;
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
		do {
			if (s->stop || service_outdated(s))
				return finish(s);
			work = wait_for_work(s, &fd, bytes, &len);
		} while (work == WORK_AGAIN);
		if (work == WORK_IDLE_TOO_LONG || work == WORK_FOR_OTHERS)
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
