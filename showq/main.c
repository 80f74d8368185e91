/* SPDX-License-Identifier: ISC */
/* showq(8): lists the queue for postqueue(1) and exporters. */
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/base/log.h"
#include "lib/service/service.h"
#include "showq/showq.h"

static struct queue_params params_queue;
static struct queue *queue;

static void session(struct service *service, int fd)
{
	const struct core_params *core = service_core(service);
	struct timeval patience = {.tv_sec = core->ipc_timeout};

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	showq_list(queue, core, fd);
}

static void init(struct service *service)
{
	struct err err;

	if (queue_open(&params_queue, service_core(service)->enable_long_queue_ids, &queue, &err) <
	    0)
		fatal("%s", err.text);
}

static void exiting(struct service *service)
{
	(void)service;
	queue_close(&queue);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {&queue_params, NULL};
	static void *const params[] = {&params_queue, NULL};
	static const struct service_spec spec = {
	    .program = "showq",
	    .tables = tables,
	    .params = params,
	    .init = init,
	    .session = session,
	    .exiting = exiting,
	};

	return service_run(&spec, argc, argv);
}
