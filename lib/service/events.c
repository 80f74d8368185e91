/* SPDX-License-Identifier: ISC */
/*
 * One process for many connections. It counts as idle always, so master starts no second one while
 * it lives. On SIGHUP it looks at the generation: an outdated process ends at once, and master
 * starts its successor, which finds the connections that wait on the shared socket.
 */
#include "lib/service/private.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/fd.h"

enum { ACCEPT_PER_TURN = 64, TRIGGER_MAX = 1024, ACCEPT_PAUSE_MS = 1000 };

static NORETURN void end(struct service *s)
{
	if (s->spec->exiting)
		s->spec->exiting(s);
	exit(0);
}

static void on_hup(void *arg)
{
	if (service_outdated(arg))
		end(arg);
}

static void on_term(void *arg)
{
	end(arg);
}

static void alive(struct timer *timer)
{
	struct service *s = CONTAINER_OF(timer, struct service, watchdog);

	service_watchdog(s);
	on_hup(s); /* in case that the signal was missed */
	timer_start(s->loop, timer, (int64_t)s->watchdog_s * 1000 / 3);
}

static void listen_again(struct timer *timer)
{
	struct event_listener *l = CONTAINER_OF(timer, struct event_listener, pause);

	watch_start(l->service->loop, &l->watch, l->watch.fd, LOOP_READ);
}

/* No descriptor is free, or no memory: connections wait, and the log is not filled meanwhile. */
static void accept_failed(struct event_listener *l)
{
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	log_warn("accept connection: %s", strerror(errno));
	watch_cancel(l->service->loop, &l->watch);
	l->pause.expired = listen_again;
	timer_start(l->service->loop, &l->pause, ACCEPT_PAUSE_MS);
}

static void listener_ready(struct watch *watch, int events)
{
	struct event_listener *l = CONTAINER_OF(watch, struct event_listener, watch);
	struct service *s = l->service;
	bool stream = s->options.type != MASTER_CF_FIFO && s->options.type != MASTER_CF_UNIX_DGRAM;

	(void)events;
	for (int i = 0; i < ACCEPT_PER_TURN; i++) {
		char bytes[TRIGGER_MAX];
		ssize_t n;

		if (!stream) {
			n = read(watch->fd, bytes, sizeof(bytes));
			if (n <= 0)
				return;
			if (s->spec->trigger)
				s->spec->trigger(s, bytes, (size_t)n);
		} else {
			n = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
			if (n < 0 && errno == EINVAL) {
				watch_cancel(s->loop, watch); /* master listens here no more */
				return;
			}
			if (n < 0) {
				accept_failed(l);
				return;
			}
			if (s->options.type == MASTER_CF_PASS &&
			    (n = service_receive_fd((int)n)) < 0)
				continue;
			s->spec->accepted(s, (int)n);
		}
		s->uses++;
		atomic_store(&s->board->children[s->options.child].uses, s->uses);
	}
}

int service_run_events(struct service *s)
{
	loop_on_signal(s->loop, SIGHUP, on_hup, s);
	loop_on_signal(s->loop, SIGTERM, on_term, s);
	for (unsigned i = 0; i < s->options.listen_count; i++) {
		struct event_listener *l = &s->listeners[i];

		fd_set_nonblock(SCORE_FD_LISTEN + (int)i, true);
		l->service = s;
		l->watch.ready = listener_ready;
		watch_start(s->loop, &l->watch, SCORE_FD_LISTEN + (int)i, LOOP_READ);
	}
	atomic_store(&s->board->children[s->options.child].event_loop, 1);
	service_set_idle(s);
	s->watchdog.expired = alive;
	alive(&s->watchdog);
	loop_run(s->loop);
	end(s);
}
