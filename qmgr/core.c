/* SPDX-License-Identifier: ISC */
/* What holds the parts together: the start, the turn of all transports, the sweep. */
#include "lib/base/alloc.h"
#include "lib/post/post.h"
#include "lib/sys/clock.h"
#include "qmgr/qmgr.h"

enum { SWEEP_MS = 5000, CHANNEL_IDLE_MS = 10000 };

static void kick(struct timer *timer)
{
	struct qmgr *q = CONTAINER_OF(timer, struct qmgr, kick_timer);

	LIST_EACH_SAFE (node, &q->transports)
		transport_run(LIST_ITEM(node, struct transport, link));
}

void qmgr_kick(struct qmgr *q)
{
	if (!timer_armed(&q->kick_timer))
		timer_start(q->loop, &q->kick_timer, 0);
}

/* Agents that have had nothing to do go back to master's pool of idle processes. */
static void sweep(struct timer *timer)
{
	struct qmgr *q = CONTAINER_OF(timer, struct qmgr, sweep_timer);

	jumps_look(&q->jumps, clock_wall_us(), clock_mono_ms());
	rate_maps_sweep(&q->rates, loop_now_ms(q->loop));
	slowdowns_sweep(&q->slowdowns, loop_now_ms(q->loop));
	LIST_EACH (node, &q->transports)
		pool_sweep(&LIST_ITEM(node, struct transport, link)->pool, CHANNEL_IDLE_MS);
	pool_sweep(&q->bounce.pool, CHANNEL_IDLE_MS);
	pool_sweep(&q->defer.pool, CHANNEL_IDLE_MS);
	pool_sweep(&q->trace.pool, CHANNEL_IDLE_MS);
	timer_start(q->loop, timer, SWEEP_MS);
}

void qmgr_start(struct qmgr *q)
{
	struct arena arena = {0};

	jumps_init(&q->jumps, clock_wall_us(), clock_mono_ms());
	q->double_bounce = alloc_strdup(post_double_bounce(q->core, &arena));
	arena_fini(&arena);
	q->mails = map_new();
	q->dests = map_new();
	list_init(&q->transports);
	list_init(&q->intakes);
	rate_maps_init(&q->rates, q->params);
	slowdowns_init(&q->slowdowns, q->params);
	bouncer_init(&q->bounce, q, q->params->bounce_service);
	bouncer_init(&q->defer, q, q->params->defer_service);
	bouncer_init(&q->trace, q, q->params->trace_service);
	q->kick_timer.expired = kick;
	q->sweep_timer.expired = sweep;
	sweep(&q->sweep_timer);
	scan_init(q);
}
