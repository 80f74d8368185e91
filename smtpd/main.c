/* SPDX-License-Identifier: ISC */
/* smtpd(8): takes mail from the network. */
#include "lib/base/log.h"
#include "lib/service/service.h"
#include "smtpd/smtpd.h"

static struct smtpd_config config;
static struct smtpd server;

static const struct conf_table *const tables[] = {
    &smtpd_params, &smtpd_tls_params, &shape_params, &route_params, &queue_params, NULL};
static void *const structs[] = {
    &config.smtpd, &config.tls, &config.shape, &config.route, &config.queue};

static void init(struct service *service)
{
	struct err err;

	peer_limit_resolver();
	config.core = service_core(service);
	server.service = service;
	server.generation = service_generation(service);
	if (server_init(&server, &config, service_conf(service), &err) < 0)
		fatal("%s", err.text);
}

static void session(struct service *service, int fd)
{
	(void)service;
	session_serve(&server, fd);
}

static void exiting(struct service *service)
{
	(void)service;
	server_fini(&server);
}

int main(int argc, char **argv)
{
	static const struct service_spec spec = {
	    .program = "smtpd",
	    .tables = tables,
	    .params = structs,
	    .init = init,
	    .session = session,
	    .exiting = exiting,
	};

	return service_run(&spec, argc, argv);
}
