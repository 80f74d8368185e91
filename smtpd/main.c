/* SPDX-License-Identifier: ISC */
/* smtpd(8): takes mail from the network. */
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/table/debug_peer.h"
#include "smtpd/auth.h"
#include "smtpd/check.h"
#include "smtpd/smtpd.h"
#include "smtpd/tls_engine.h"

static struct smtpd_config config;
static struct smtpd server;
static struct secure_params secure_settings;
static struct debug_peer_params debug_settings;

static const struct conf_table *const tables[] = {&smtpd_params, &smtpd_tls_params,
    &smtpd_auth_params, &secure_params, &shape_params, &map_params, &route_params, &queue_params,
    &debug_peer_params, NULL};
static void *const structs[] = {&config.smtpd, &config.tls, &config.auth, &secure_settings,
    &config.shape, &config.map, &config.route, &config.queue, &debug_settings};

/* Keys are mostly root's, and so may be tables, and what knows passwords. */
static void before_drop(struct service *service)
{
	config.core = service_core(service);
	server.tls = server_tls_open(&config.tls, &secure_settings, service_core(service), service);
	server.tls_level = server_tls_level(server.tls);
	server.service = service;
	server.generation = service_generation(service);
	server.debug = debug_peer_open(&debug_settings);
	server_open(&server, &config, service_conf(service));
}

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

/* Who relies on a filter must hear that there is none, whenever the system starts. */
static void warn_of_filters(struct conf *conf, struct conf_report *report)
{
	static const char *const names[] = {"smtpd_proxy_filter", "smtpd_milters"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (*conf_get(conf, names[i]))
			conf_report_warning(report,
			    "%s = %s: mail is taken WITHOUT this filter, which this version "
			    "does not have",
			    names[i], conf_get(conf, names[i]));
}

static void check(struct service *service, struct conf_report *report)
{
	warn_of_filters(service_conf(service), report);
	restrictions_check(&config, service_conf(service), report);
	config.core = service_core(service);
	auth_check(&config, conf_etc(service_conf(service)), report);
	server_tls_check(&config.tls, &secure_settings, report);
}

static void session(struct service *service, int fd)
{
	(void)service;
	session_serve(&server, fd);
}

static enum table_age age(struct service *service)
{
	(void)service;
	return server_age(&server);
}

static void exiting(struct service *service)
{
	(void)service;
	server_fini(&server);
	server_tls_close(&server.tls);
}

int main(int argc, char **argv)
{
	static const struct service_spec spec = {
	    .program = "smtpd",
	    .tables = tables,
	    .params = structs,
	    .check = check,
	    .before_drop = before_drop,
	    .init = init,
	    .session = session,
	    .age = age,
	    .exiting = exiting,
	};

	return service_run(&spec, argc, argv);
}
