/* SPDX-License-Identifier: ISC */
#include "lib/base/log.h"
#include "lib/queue/store.h"
#include "lib/service/service.h"
#include "lib/table/debug_peer.h"
#include "smtp/auth.h"
#include "smtp/cache.h"
#include "smtp/delivery.h"
#include "smtp/engine.h"
#include "smtp/params.h"
#include "smtp/rewrite.h"

#include <errno.h>
#include <string.h>

/* smtp(8): delivers by SMTP, one request of the queue manager after the other. */

static struct smtp_params params;
static struct smtp_auth_params auth_params;
static struct smtp_tls_params tls_params;
static struct secure_params secure_settings;
static struct smtp_content_params content_params;
static struct queue_params queue_settings;
static struct debug_peer_params debug_settings;
static struct smtp_client client;
static struct queue *queue;

static const struct conf_table *tables[] = {&smtp_params, &queue_params, &smtp_auth_params,
    &smtp_tls_params, &secure_params, &smtp_content_params, &debug_peer_params, NULL};
static void *const table_structs[] = {&params, &queue_settings, &auth_params, &tls_params,
    &secure_settings, &content_params, &debug_settings};

static void share(void *arg)
{
	smtp_client_share(&client, service_core(arg), &params);
}

/* Files of passwords and keys are mostly root's, and other tables are outside of a chroot. */
static void before_drop(struct service *service)
{
	client.auth = auth_open(&auth_params, service_core(service), client.lmtp);
	client.tls = engine_open(&tls_params, &secure_settings, service_core(service), client.lmtp);
	client.content = &content_params;
	client.generic = generic_open(&content_params, service_core(service));
	smtp_client_open(&client, &params);
	client.debug = debug_peer_open(&debug_settings);
	client.checks = rewrite_open_checks(&content_params, client.lmtp);
	service_as_owner(service, share, service);
}

/* One transport's own level (-o) defers the mail of that transport, and stops no other. */
static void check(struct service *service, struct conf_report *report)
{
	const char *name = client.lmtp ? "lmtp_tls_security_level" : "smtp_tls_security_level";
	const char *origin = conf_origin(service_conf(service), name);

	if (origin && !strstr(origin, "main.cf: line"))
		return;
	engine_check(&tls_params, &secure_settings, client.lmtp, report);
}

static void init(struct service *service)
{
	const struct core_params *core = service_core(service);
	struct err err;

	if (queue_open(&queue_settings, core->enable_long_queue_ids, &queue, &err) < 0 ||
	    smtp_client_init(&client, core, &params, &err) < 0)
		fatal("%s", err.text);
}

static enum table_age age(struct service *service UNUSED)
{
	return smtp_client_age(&client);
}

static void deliver(struct agent_job *job, void *arg)
{
	delivery_run(job, arg);
	if (age(job->service) == TABLE_OUTDATED)
		service_retire(job->service);
}

static void session(struct service *service, int fd)
{
	agent_serve(service, queue, fd, deliver, &client, &client.idle, client.status_filter);
	/* nobody watches the kept session until the next connection */
	cache_leave_own(&client);
}

static void exiting(struct service *service UNUSED)
{
	smtp_client_fini(&client);
	queue_close(&queue);
}

int main(int argc, char **argv)
{
	static struct service_spec spec = {
	    .program = "smtp",
	    .takes_arguments = true, /* flags=DORX */
	    .tables = tables,
	    .check = check,
	    .params = table_structs,
	    .before_drop = before_drop,
	    .init = init,
	    .session = session,
	    .age = age,
	    .exiting = exiting,
	};

	if (strcmp(program_invocation_short_name, "lmtp") == 0) {
		spec.program = "lmtp";
		client.lmtp = true;
		tables[2] = &lmtp_auth_params;
		tables[0] = &lmtp_params;
		tables[3] = &lmtp_tls_params;
		tables[5] = &lmtp_content_params;
	}
	return service_run(&spec, argc, argv);
}
