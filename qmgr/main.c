/* SPDX-License-Identifier: ISC */
/* qmgr: the queue manager. See qmgr.h for the shape of it, doc/architecture.md for its place. */
#include "lib/base/log.h"
#include "lib/service/service.h"
#include "qmgr/qmgr.h"

enum { SWEEP_MS = 5000, CHANNEL_IDLE_MS = 10000 };

static struct qmgr qmgr;
static struct qmgr_params params;
static struct queue_params queue_settings;
static struct route_params route_settings;

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

	LIST_EACH (node, &q->transports)
		pool_sweep(&LIST_ITEM(node, struct transport, link)->pool, CHANNEL_IDLE_MS);
	pool_sweep(&q->bounce.pool, CHANNEL_IDLE_MS);
	pool_sweep(&q->defer.pool, CHANNEL_IDLE_MS);
	timer_start(q->loop, timer, SWEEP_MS);
}

static void init(struct service *service)
{
	struct qmgr *q = &qmgr;
	struct err err;

	q->service = service;
	q->loop = service_loop(service);
	q->core = service_core(service);
	q->params = &params;
	if (queue_open(&queue_settings, q->core->enable_long_queue_ids, &q->queue, &err) < 0)
		fatal("%s", err.text);
	q->router = router_new(q->core, &route_settings);
	q->mails = map_new();
	q->dests = map_new();
	list_init(&q->transports);
	bouncer_init(&q->bounce, q, "private/bounce");
	bouncer_init(&q->defer, q, "private/defer");
	q->kick_timer.expired = kick;
	q->sweep_timer.expired = sweep;
	sweep(&q->sweep_timer);
	scan_init(q);
}

static void accepted(struct service *service, int fd)
{
	(void)service;
	intake_accept(&qmgr, fd);
}

static const struct conf_table *const tables[] = {
    &qmgr_params, &queue_params, &route_params, NULL};
static void *const structs[] = {&params, &queue_settings, &route_settings};

int main(int argc, char **argv)
{
	static const struct service_spec spec = {.program = "qmgr",
	    .tables = tables,
	    .params = structs,
	    .solitary = true,
	    .init = init,
	    .accepted = accepted};

	return service_run(&spec, argc, argv);
}
