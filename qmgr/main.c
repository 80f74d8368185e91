/* SPDX-License-Identifier: ISC */
/* qmgr: the queue manager. See qmgr.h for the shape of it, doc/architecture.md for its place. */
#include "lib/base/log.h"
#include "lib/service/service.h"
#include "qmgr/check.h"
#include "qmgr/qmgr.h"

static struct qmgr qmgr;
static struct qmgr_params params;
static struct queue_params queue_settings;
static struct route_params route_settings;

/* Tables may be root's alone. */
static void before_drop(struct service *service)
{
	qmgr.core = service_core(service);
	qmgr.router = router_new(qmgr.core, &route_settings);
}

static void init(struct service *service)
{
	struct qmgr *q = &qmgr;
	struct err err;

	q->service = service;
	q->loop = service_loop(service);
	q->params = &params;
	if (queue_open(&queue_settings, q->core->enable_long_queue_ids, &q->queue, &err) < 0)
		fatal("%s", err.text);
	service_set_watchdog(service, params.daemon_timeout);
	qmgr_start(q);
}

static void check(struct service *service, struct conf_report *report)
{
	check_tables(service_conf(service), &params, report);
}

static void accepted(struct service *service, int fd)
{
	(void)service;
	intake_accept(&qmgr, fd);
}

static const struct conf_table *const tables[] = {&qmgr_params, &queue_params, &route_params, NULL};
static void *const structs[] = {&params, &queue_settings, &route_settings};

int main(int argc, char **argv)
{
	static const struct service_spec spec = {.program = "qmgr",
	    .tables = tables,
	    .params = structs,
	    .solitary = true,
	    .check = check,
	    .before_drop = before_drop,
	    .init = init,
	    .accepted = accepted};

	return service_run(&spec, argc, argv);
}
