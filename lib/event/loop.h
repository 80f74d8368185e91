/* SPDX-License-Identifier: ISC */
#ifndef LIB_EVENT_LOOP_H
#define LIB_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/heap.h"

/*
 * The event loop of master, qmgr and their like: level-triggered descriptors, timers, signals.
 * `struct watch` and `struct timer` are embedded in their owners; starting one allocates nothing
 * (but for the loop's own arrays). A callback may free its owner, after cancelling. An error or
 * hang-up on a descriptor is delivered as readable. Time is monotonic milliseconds, read once a
 * turn.
 */
struct loop;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct watch {
	void (*ready)(struct watch *watch, int events);
	int fd;
	int events; /* 0: not started */
	uint32_t serial;
};

struct timer {
	void (*expired)(struct timer *timer);
	struct heap_node node;
};

struct loop *loop_new(void); /* fatal when the kernel refuses */
void loop_free(struct loop **loop);

void watch_start(struct loop *loop, struct watch *watch, int fd, int events); /* or changes */
void watch_cancel(struct loop *loop, struct watch *watch); /* before fd is closed; idempotent */

void timer_start(struct loop *loop, struct timer *timer, int64_t delay_ms); /* or moves */
void timer_cancel(struct loop *loop, struct timer *timer);
bool timer_armed(const struct timer *timer);

/* One handler per signal; called from the loop, never from signal context. */
void loop_on_signal(struct loop *loop, int signum, void (*handler)(void *arg), void *arg);

int64_t loop_now_ms(const struct loop *loop); /* clock_mono_ms as of this turn */

/* Runs until loop_stop. loop_turn waits at most max_wait_ms (-1: until something happens). */
void loop_run(struct loop *loop);
void loop_turn(struct loop *loop, int max_wait_ms);
void loop_stop(struct loop *loop);

#endif
