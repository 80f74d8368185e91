/* SPDX-License-Identifier: ISC */
#include "error/error.h"

#include <string.h>

#include "lib/agent/params.h"
#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/table/table.h"

/* error, retry and discard: one program under three names. */

static struct {
	struct queue_params queue_params;
	struct agent_params agent_params;
	struct table_chain *status_filter;
	struct queue *queue;
	const char *program;
	enum error_mode mode;
} self;

/* A filter may be root's alone. */
static void before_drop(struct service *service UNUSED)
{
	self.status_filter = table_chain_open(self.agent_params.status_filter, 0);
}

static void init(struct service *service)
{
	struct err err;

	self.mode = error_mode_of(self.program, service_name(service));
	if (queue_open(&self.queue_params, service_core(service)->enable_long_queue_ids,
	        &self.queue, &err) < 0)
		fatal("%s", err.text);
}

static enum table_age age(struct service *service UNUSED)
{
	return table_chain_age(self.status_filter);
}

static void deliver(struct agent_job *job, void *arg)
{
	error_deliver(job, arg);
	if (age(job->service) == TABLE_OUTDATED)
		service_retire(job->service);
}

static void session(struct service *service, int fd)
{
	agent_serve(service, self.queue, fd, deliver, &self.mode, NULL, self.status_filter);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {&queue_params, &agent_params, NULL};
	void *const params[] = {&self.queue_params, &self.agent_params};
	struct service_spec spec = {
	    .tables = tables,
	    .params = params,
	    .before_drop = before_drop,
	    .init = init,
	    .age = age,
	    .session = session,
	};

	self.program = argc > 0 ? argv[0] : "error";
	spec.program = strrchr(self.program, '/') ? strrchr(self.program, '/') + 1 : self.program;
	return service_run(&spec, argc, argv);
}
