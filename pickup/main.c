/* SPDX-License-Identifier: ISC */
/* pickup(8): takes what sendmail(1) and postdrop(1) left in maildrop/ into the queue. */
#include "lib/base/log.h"
#include "lib/shape/checks.h"
#include "pickup/pickup.h"

static struct pickup pickup;
static struct core_params core;

/* The tables may be outside of the chroot. */
static void before_drop(struct service *service)
{
	pickup.service = service;
	pickup.core = service_core(service);
	pickup.router = router_new(pickup.core, &pickup.route_params);
	pickup.checks = shape_checks_open(&pickup.shape_params);
	pickup.mapper = mapper_open(pickup.core, &pickup.map_params, pickup.router);
}

static void init(struct service *service)
{
	struct err err;

	if (queue_open(
	        &pickup.queue_params, pickup.core->enable_long_queue_ids, &pickup.queue, &err) < 0)
		fatal("%s", err.text);
	pickup.notifier = notifier_new();
	pickup.generation = service_generation(service);
	pickup.stuck = map_new();
}

static void trigger(struct service *service, const char *bytes, size_t len)
{
	(void)service;
	(void)bytes;
	(void)len;
	pickup_run(&pickup);
}

static void exiting(struct service *service)
{
	(void)service;
	notifier_free(&pickup.notifier);
	checks_close(&pickup.checks);
	mapper_close(&pickup.mapper);
	router_free(&pickup.router);
	queue_close(&pickup.queue);
	map_free(&pickup.stuck, NULL);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {
	    &core_params, &queue_params, &shape_params, &map_params, &route_params, NULL};
	static void *const params[] = {&core, &pickup.queue_params, &pickup.shape_params,
	    &pickup.map_params, &pickup.route_params, NULL};
	static const struct service_spec spec = {
	    .program = "pickup",
	    .tables = tables,
	    .params = params,
	    .solitary = true,
	    .before_drop = before_drop,
	    .init = init,
	    .trigger = trigger,
	    .exiting = exiting,
	};

	return service_run(&spec, argc, argv);
}
