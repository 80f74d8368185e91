/* SPDX-License-Identifier: ISC */
#include "bounce/bounce.h"

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/service/service.h"

/* bounce(8): logs of what failed, and the notices made from them; services bounce, defer, trace. */

static struct bounce self;

static void init(struct service *service)
{
	struct err err;

	self.core = service_core(service);
	self.name = service_name(service);
	self.generation = service_generation(service);
	self.router = router_new(self.core, &self.route_params);
	self.notifier = notifier_new();
	if (*self.params.bounce_template_file)
		log_warn("bounce_template_file has no effect yet");
	if (queue_open(&self.queue_params, self.core->enable_long_queue_ids, &self.queue, &err) < 0)
		fatal("%s", err.text);
}

static void session(struct service *service, int fd)
{
	bounce_serve(&self, service, fd);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {
	    &bounce_param_table, &queue_params, &route_params, NULL};
	void *const params[] = {&self.params, &self.queue_params, &self.route_params};
	const struct service_spec spec = {
	    .program = "bounce",
	    .tables = tables,
	    .params = params,
	    .init = init,
	    .session = session,
	};

	return service_run(&spec, argc, argv);
}
