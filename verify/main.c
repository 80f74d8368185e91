/* SPDX-License-Identifier: ISC */
/* verify(8): knows to which addresses mail can be delivered, and finds out. */
#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/service/service.h"
#include "lib/sys/fd.h"
#include "verify/verify.h"

static struct verify_params params;
static struct route_params route_settings;
static struct map_params map_settings;
static struct queue_params queue_settings;
static struct verifier self = {.params = &params, .probe = probe_send};
static struct frame_server server;

enum { STALL_MS = 10000, DESCRIPTORS = 2000 };

static void open_cache(void *arg)
{
	(void)arg;
	cache_open(&self);
}

/* Probes may have ways of their own. */
static void set_routes(void)
{
	route_settings.default_transport = params.default_transport;
	route_settings.local_transport = params.local_transport;
	route_settings.relay_transport = params.relay_transport;
	route_settings.virtual_transport = params.virtual_transport;
	route_settings.relayhost = params.relayhost;
	route_settings.transport_maps = params.transport_maps;
	route_settings.sender_dependent_relayhost_maps = params.sender_dependent_relayhost_maps;
	route_settings.sender_dependent_default_transport_maps =
	    params.sender_dependent_default_transport_maps;
}

static void before_drop(struct service *service)
{
	fd_raise_limit(DESCRIPTORS);
	service_as_owner(service, open_cache, NULL);
	self.core = service_core(service);
	set_routes();
	self.router = router_new(self.core, &route_settings);
	self.mapper = mapper_open(self.core, &map_settings, self.router);
}

static void init(struct service *service)
{
	struct err err;

	self.loop = service_loop(service);
	if (queue_open(&queue_settings, self.core->enable_long_queue_ids, &self.queue, &err) < 0)
		fatal("%s", err.text);
	self.notifier = notifier_new();
	server = (struct frame_server){.loop = self.loop,
	    .name = "private/verify",
	    .stall_ms = STALL_MS,
	    .take = verifier_take_frame,
	    .arg = &self};
	cache_start(&self);
}

static void accepted(struct service *service, int fd)
{
	(void)service;
	frame_server_accept(&server, fd);
}

static void exiting(struct service *service)
{
	(void)service;
	cache_close(&self);
	notifier_free(&self.notifier);
	mapper_close(&self.mapper);
	router_free(&self.router);
	queue_close(&self.queue);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {
	    &verify_params, &route_params, &map_params, &queue_params, NULL};
	static void *const structs[] = {&params, &route_settings, &map_settings, &queue_settings};
	static const struct service_spec spec = {.program = "verify",
	    .tables = tables,
	    .params = structs,
	    .solitary = true,
	    .before_drop = before_drop,
	    .init = init,
	    .accepted = accepted,
	    .exiting = exiting};

	return service_run(&spec, argc, argv);
}
