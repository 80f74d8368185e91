/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/event/loop.h"
#include "lib/sys/clock.h"
#include "suite.h"

static struct loop *loop;
static int order[16], ran;

struct ticker {
	struct timer timer;
	int n, again; /* starts itself anew so often */
};

static void setup(void)
{
	loop = loop_new();
	ran = 0;
}

static void teardown(void)
{
	loop_free(&loop);
	loop_free(&loop);
}

static void tick(struct timer *timer)
{
	struct ticker *t = CONTAINER_OF(timer, struct ticker, timer);

	order[ran++ % 16] = t->n;
	if (t->again-- > 0)
		timer_start(loop, timer, 0);
}

START_TEST(timers_in_order)
{
	static const int delays[] = {30, 10, 20, 0, 15};
	struct ticker t[5] = {0};

	for (int i = 0; i < 5; i++) {
		t[i] = (struct ticker){.timer.expired = tick, .n = delays[i]};
		timer_start(loop, &t[i].timer, delays[i]);
		ck_assert(timer_armed(&t[i].timer));
	}
	timer_cancel(loop, &t[2].timer);
	timer_cancel(loop, &t[2].timer);
	timer_start(loop, &t[0].timer, 5); /* moves */
	t[0].n = 5;
	clock_offset_for_tests(100);
	loop_turn(loop, 0);
	ck_assert_int_eq(ran, 4);
	ck_assert_int_eq(order[0], 0);
	ck_assert_int_eq(order[1], 5);
	ck_assert_int_eq(order[2], 10);
	ck_assert_int_eq(order[3], 15);
	ck_assert(!timer_armed(&t[0].timer));
}
END_TEST

START_TEST(not_before_its_time)
{
	struct ticker t = {.timer.expired = tick};
	int64_t start = clock_mono_ms();

	timer_start(loop, &t.timer, 20);
	while (!ran)
		loop_turn(loop, -1);
	ck_assert_int_ge(clock_mono_ms() - start, 20);
}
END_TEST

struct end {
	struct watch watch;
	struct watch *victim; /* cancelled from the callback */
	int events, calls;
};

static void ready(struct watch *watch, int events)
{
	struct end *e = CONTAINER_OF(watch, struct end, watch);
	char c;

	e->events = events;
	e->calls++;
	if (events & LOOP_READ && read(watch->fd, &c, 1) <= 0)
		watch_cancel(loop, watch);
	if (e->victim)
		watch_cancel(loop, e->victim);
}

/* A timer that always starts itself anew does not keep others from their turn. */
START_TEST(busy_timer)
{
	struct ticker t = {.timer.expired = tick, .again = 1000000};
	struct end e = {.watch.ready = ready};
	int sock[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	watch_start(loop, &e.watch, sock[0], LOOP_READ);
	timer_start(loop, &t.timer, 0);
	loop_turn(loop, -1);
	ck_assert_int_eq(ran, 1);
	ck_assert_int_eq(write(sock[1], "x", 1), 1);
	loop_turn(loop, -1);
	ck_assert_int_eq(e.calls, 1);
	ck_assert_int_le(ran, 2);
}
END_TEST

START_TEST(read_write_hangup)
{
	struct end e = {.watch.ready = ready};
	int sock[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	watch_start(loop, &e.watch, sock[0], LOOP_READ);
	loop_turn(loop, 0);
	ck_assert_int_eq(e.calls, 0);
	watch_start(loop, &e.watch, sock[0], LOOP_READ | LOOP_WRITE);
	loop_turn(loop, 0);
	ck_assert_int_eq(e.events, LOOP_WRITE);
	watch_start(loop, &e.watch, sock[0], LOOP_READ);
	ck_assert_int_eq(write(sock[1], "x", 1), 1);
	loop_turn(loop, 0);
	ck_assert_int_eq(e.events, LOOP_READ);
	close(sock[1]);
	loop_turn(loop, 0);
	ck_assert_int_eq(e.calls, 3);
	ck_assert_int_eq(e.watch.events, 0); /* it saw the end */
	loop_turn(loop, 0);
	ck_assert_int_eq(e.calls, 3);
	watch_cancel(loop, &e.watch);
}
END_TEST

/* Two are ready in one turn; who comes first frees the other. */
START_TEST(cancelled_in_callback)
{
	struct end *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	int one[2], two[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, two), 0);
	*a = (struct end){.watch.ready = ready, .victim = &b->watch};
	*b = (struct end){.watch.ready = ready, .victim = &a->watch};
	watch_start(loop, &a->watch, one[0], LOOP_READ);
	watch_start(loop, &b->watch, two[0], LOOP_READ);
	ck_assert_int_eq(write(one[1], "x", 1), 1);
	ck_assert_int_eq(write(two[1], "x", 1), 1);
	loop_turn(loop, 0);
	ck_assert_int_eq(a->calls + b->calls, 1);
	loop_turn(loop, 0);
	loop_turn(loop, 0);
	ck_assert(a->calls == 0 || b->calls == 0);
	free(a);
	free(b);
}
END_TEST

static struct end newcomer;
static int replaced[2], fresh[2];

static void replace(struct watch *watch, int events)
{
	struct end *e = CONTAINER_OF(watch, struct end, watch);

	ready(watch, events);
	watch_cancel(loop, watch);
	if (newcomer.watch.events)
		return;
	/* the other's descriptor number goes to a new one that has nothing to read */
	watch_cancel(loop, e->victim);
	ck_assert_int_eq(dup2(fresh[0], e->victim->fd), e->victim->fd);
	watch_start(loop, &newcomer.watch, e->victim->fd, LOOP_READ);
}

/* An event of a descriptor that was closed in the same turn does not reach who got its number. */
START_TEST(descriptor_used_again)
{
	struct end a = {.watch.ready = replace}, b = {.watch.ready = replace};
	int one[2];

	newcomer = (struct end){.watch.ready = ready};
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, replaced), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fresh), 0);
	a.victim = &b.watch;
	b.victim = &a.watch;
	watch_start(loop, &a.watch, one[0], LOOP_READ);
	watch_start(loop, &b.watch, replaced[0], LOOP_READ);
	ck_assert_int_eq(write(one[1], "x", 1), 1);
	ck_assert_int_eq(write(replaced[1], "x", 1), 1);
	loop_turn(loop, 0);
	ck_assert_int_eq(a.calls + b.calls, 1);
	ck_assert_int_eq(newcomer.calls, 0);
	ck_assert_int_eq(write(fresh[1], "x", 1), 1);
	loop_turn(loop, 0);
	ck_assert_int_eq(newcomer.calls, 1);
}
END_TEST

static void on_signal(void *arg)
{
	++*(int *)arg;
	loop_stop(loop);
}

START_TEST(signals)
{
	int usr = 0, term = 0;

	loop_on_signal(loop, SIGUSR1, on_signal, &usr);
	loop_on_signal(loop, SIGTERM, on_signal, &term);
	raise(SIGUSR1);
	ck_assert_int_eq(usr, 0); /* never from signal context */
	loop_run(loop);
	ck_assert_int_eq(usr, 1);
	ck_assert_int_eq(term, 0);
}
END_TEST

/* Descriptors beyond the first table. */
START_TEST(high_descriptor)
{
	struct end e = {.watch.ready = ready};
	int sock[2], high = 900;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	ck_assert_int_eq(dup2(sock[0], high), high);
	watch_start(loop, &e.watch, high, LOOP_READ);
	ck_assert_int_eq(write(sock[1], "x", 1), 1);
	loop_turn(loop, 0);
	ck_assert_int_eq(e.calls, 1);
}
END_TEST

TCase *loop_tcase(void)
{
	TCase *tc = tcase_create("loop");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, timers_in_order);
	tcase_add_test(tc, not_before_its_time);
	tcase_add_test(tc, busy_timer);
	tcase_add_test(tc, read_write_hangup);
	tcase_add_test(tc, cancelled_in_callback);
	tcase_add_test(tc, descriptor_used_again);
	tcase_add_test(tc, signals);
	tcase_add_test(tc, high_descriptor);
	return tc;
}
