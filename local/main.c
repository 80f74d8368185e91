/* SPDX-License-Identifier: ISC */
#include "local/local.h"

#include "lib/service/service.h"

/* local(8): aliases, .forward files, mailboxes, Maildirs and commands of this host's users. */

static struct local self;

static void init(struct service *service)
{
	self.core = service_core(service);
	self.service_name = service_name(service);
	self.generation = service_generation(service);
	local_open(&self);
}

static void session(struct service *service, int fd)
{
	agent_serve(service, self.queue, fd, local_deliver, &self, NULL, self.status_filter);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {
	    &local_param_table, &queue_params, &route_params, &map_params, NULL};
	void *const params[] = {
	    &self.params, &self.queue_params, &self.route_params, &self.map_params};
	static const char program[] = "local";
	const struct service_spec spec = {
	    .program = program,
	    .tables = tables,
	    .params = params,
	    .keeps_root = true,
	    .init = init,
	    .session = session,
	};

	return service_run(&spec, argc, argv);
}
