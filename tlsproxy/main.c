/* SPDX-License-Identifier: ISC */
/* tlsproxy(8): TLS for connections that go from one delivery agent to the next. */
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "tlsproxy/tlsproxy.h"

static struct tlsproxy_params params;
static struct secure_params secure_settings;
static struct tlsproxy proxy = {.params = &params};
static struct err trouble;

enum { LOOK_EVERY_MS = 1000, MANAGER_TIMEOUT_MS = 5000 };

/* Keys are mostly root's. */
static void before_drop(struct service *service)
{
	const struct tls_context_config config = {.common = &secure_settings.common,
	    .chain_files = params.chain_files.items,
	    .chain_file_count = params.chain_files.count,
	    .pairs = {{params.cert_file, params.key_file}, {params.eccert_file, params.eckey_file},
	        {params.dcert_file, params.dkey_file}},
	    .ca_file = params.ca_file,
	    .ca_path = params.ca_path,
	    .verify_depth = params.verify_depth};
	int timeout_ms = clock_ms_of(service_core(service)->ipc_timeout);

	if (tls_context_new(&config, &proxy.context, &trouble) < 0) {
		log_warn("%s: disabling TLS support", trouble.text);
		proxy.trouble = trouble.text;
	}
	timeout_ms = MIN(timeout_ms, MANAGER_TIMEOUT_MS);
	proxy.resume[0] = secure_resume_new(&secure_settings, TLSMGR_SMTP, true, timeout_ms);
	proxy.resume[1] = secure_resume_new(&secure_settings, TLSMGR_LMTP, true, timeout_ms);
}

static void session(struct service *service, int fd)
{
	tlsproxy_serve(&proxy, service, fd);
	if (!proxy.context || tls_context_stale(proxy.context, LOOK_EVERY_MS))
		service_retire(service); /* the next one reads what has changed */
}

static void exiting(struct service *service UNUSED)
{
	secure_resume_free(&proxy.resume[0]);
	secure_resume_free(&proxy.resume[1]);
	tls_context_free(&proxy.context);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {&tlsproxy_params, &secure_params, NULL};
	static void *const structs[] = {&params, &secure_settings};
	static const struct service_spec spec = {.program = "tlsproxy",
	    .tables = tables,
	    .params = structs,
	    .before_drop = before_drop,
	    .session = session,
	    .exiting = exiting};

	return service_run(&spec, argc, argv);
}
