/* SPDX-License-Identifier: ISC */
/*
 * epoll for descriptors, a heap for timers, a signalfd for signals. Each started watch has a
 * serial number that travels with its epoll event: an event of a watch that was cancelled (or
 * restarted on a recycled descriptor) by an earlier callback of the same turn no longer matches
 * and is dropped, so that callbacks may free their owners.
 */
#include "lib/event/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"

enum { EVENTS_PER_TURN = 64, SIGNALS_MAX = 65 };

struct signal_handler {
	void (*handler)(void *arg);
	void *arg;
};

struct loop {
	int epoll;
	int64_t now_ms;
	bool stopped;
	bool in_timers; /* callbacks of timers are being run */
	uint32_t next_serial;
	struct watch **by_fd; /* the started watch of each descriptor */
	size_t by_fd_cap;
	struct heap timers;
	int signal_fd; /* -1 until the first loop_on_signal */
	sigset_t signals;
	struct signal_handler handlers[SIGNALS_MAX];
	struct watch signal_watch;
};

struct loop *loop_new(void)
{
	struct loop *loop = alloc_zero(1, sizeof(*loop));

	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		fatal("epoll_create1: %s", strerror(errno));
	loop->signal_fd = -1;
	loop->now_ms = clock_mono_ms();
	sigemptyset(&loop->signals);
	return loop;
}

void loop_free(struct loop **loop)
{
	if (!*loop)
		return;
	close((*loop)->epoll);
	if ((*loop)->signal_fd >= 0)
		close((*loop)->signal_fd);
	heap_fini(&(*loop)->timers);
	free((*loop)->by_fd);
	free(*loop);
	*loop = NULL;
}

static void grow_by_fd(struct loop *loop, size_t fd)
{
	size_t cap = loop->by_fd_cap ? loop->by_fd_cap : 64;

	if (fd < loop->by_fd_cap)
		return;
	while (cap <= fd)
		cap *= 2;
	loop->by_fd = alloc_array(loop->by_fd, cap, sizeof(struct watch *));
	memset(loop->by_fd + loop->by_fd_cap, 0, (cap - loop->by_fd_cap) * sizeof(struct watch *));
	loop->by_fd_cap = cap;
}

void watch_start(struct loop *loop, struct watch *watch, int fd, int events)
{
	struct epoll_event ev = {.events = (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
	                                   (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0)};
	bool started = watch->events != 0;

	must(fd >= 0 && events != 0);
	if (started && watch->fd == fd && watch->events == events)
		return;
	if (started && watch->fd != fd) {
		watch_cancel(loop, watch);
		started = false;
	}
	grow_by_fd(loop, (size_t)fd);
	if (!started) {
		watch->serial = ++loop->next_serial;
		watch->fd = fd;
		loop->by_fd[fd] = watch;
	}
	watch->events = events;
	ev.data.u64 = (uint64_t)watch->serial << 32 | (uint32_t)fd;
	if (epoll_ctl(loop->epoll, started ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) < 0)
		fatal("epoll_ctl descriptor %d: %s", fd, strerror(errno));
}

void watch_cancel(struct loop *loop, struct watch *watch)
{
	if (watch->events == 0)
		return;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	loop->by_fd[watch->fd] = NULL;
	watch->events = 0;
}

void timer_start(struct loop *loop, struct timer *timer, int64_t delay_ms)
{
	/* one that starts itself anew from its callback lets the descriptors have their turn */
	int64_t least = loop->in_timers ? 1 : 0;

	heap_remove(&loop->timers, &timer->node);
	heap_add(&loop->timers, &timer->node, loop->now_ms + (delay_ms > least ? delay_ms : least));
}

void timer_cancel(struct loop *loop, struct timer *timer)
{
	heap_remove(&loop->timers, &timer->node);
}

bool timer_armed(const struct timer *timer)
{
	return timer->node.index != 0;
}

static void signals_ready(struct watch *watch, int events)
{
	struct loop *loop = CONTAINER_OF(watch, struct loop, signal_watch);
	struct signalfd_siginfo info;

	(void)events;
	while (read(loop->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo < SIGNALS_MAX && loop->handlers[info.ssi_signo].handler)
			loop->handlers[info.ssi_signo].handler(loop->handlers[info.ssi_signo].arg);
	}
}

void loop_on_signal(struct loop *loop, int signum, void (*handler)(void *arg), void *arg)
{
	must(signum > 0 && signum < SIGNALS_MAX);
	loop->handlers[signum] = (struct signal_handler){handler, arg};
	sigaddset(&loop->signals, signum);
	if (sigprocmask(SIG_BLOCK, &loop->signals, NULL) < 0)
		fatal("sigprocmask: %s", strerror(errno));
	loop->signal_fd = signalfd(loop->signal_fd, &loop->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->signal_fd < 0)
		fatal("signalfd: %s", strerror(errno));
	loop->signal_watch.ready = signals_ready;
	watch_start(loop, &loop->signal_watch, loop->signal_fd, LOOP_READ);
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

static int wait_time(const struct loop *loop, int max_wait_ms)
{
	const struct heap_node *top = heap_top(&loop->timers);
	int64_t left;

	if (!top)
		return max_wait_ms;
	left = top->key - clock_mono_ms();
	if (left < 0)
		left = 0;
	if (max_wait_ms >= 0 && left > max_wait_ms)
		left = max_wait_ms;
	return left > 3600000 ? 3600000 : (int)left;
}

static void run_timers(struct loop *loop)
{
	struct heap_node *top;

	loop->in_timers = true;
	while ((top = heap_top(&loop->timers)) && top->key <= loop->now_ms && !loop->stopped) {
		heap_remove(&loop->timers, top);
		CONTAINER_OF(top, struct timer, node)
		    ->expired(CONTAINER_OF(top, struct timer, node));
	}
	loop->in_timers = false;
}

void loop_turn(struct loop *loop, int max_wait_ms)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(loop->epoll, events, EVENTS_PER_TURN, wait_time(loop, max_wait_ms));

	loop->now_ms = clock_mono_ms();
	if (n < 0 && errno != EINTR)
		fatal("epoll_wait: %s", strerror(errno));
	for (int i = 0; i < n && !loop->stopped; i++) {
		size_t fd = (uint32_t)events[i].data.u64;
		struct watch *watch = fd < loop->by_fd_cap ? loop->by_fd[fd] : NULL;
		int what = 0;

		if (!watch || watch->serial != events[i].data.u64 >> 32)
			continue;
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
			what |= LOOP_READ;
		if (events[i].events & (EPOLLOUT | EPOLLERR))
			what |= LOOP_WRITE;
		if (what & watch->events)
			watch->ready(watch, what & watch->events);
		else if (events[i].events & (EPOLLHUP | EPOLLERR))
			watch->ready(watch, LOOP_READ); /* or it would spin */
	}
	run_timers(loop);
}

void loop_run(struct loop *loop)
{
	while (!loop->stopped)
		loop_turn(loop, -1);
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
