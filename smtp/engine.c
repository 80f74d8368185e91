/* SPDX-License-Identifier: ISC */
#include "smtp/engine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/table/table.h"
#include "smtp/requiretls.h"

enum { PEER_TIMEOUT_MS = 5000 };

/* The parameters of before security levels, where there is no level. */
static enum tls_level level_of(const struct smtp_tls_params *p)
{
	if (p->security_level != LEVEL_UNSET)
		return (enum tls_level)p->security_level;
	if (p->enforce_tls)
		return p->enforce_peername ? LEVEL_VERIFY : LEVEL_ENCRYPT;
	return p->use_tls ? LEVEL_MAY : LEVEL_NONE;
}

static const char *default_cipherlist(struct engine *e)
{
	const struct smtp_tls_params *p = e->params;
	bool mandatory = e->level > LEVEL_MAY;
	const char *excludes[] = {p->exclude_ciphers, mandatory ? p->mandatory_exclude_ciphers : "",
	    e->level > LEVEL_ENCRYPT ? "aNULL"
	    : mandatory              ? "eNULL"
	                             : ""};
	struct str list = {0};
	const char *kept = "";
	struct err err;

	if (tls_cipher_list(&e->secure->common, mandatory ? p->mandatory_ciphers : p->ciphers,
	        excludes, 3, &list, &err) < 0)
		log_warn("TLS ciphers: %s", err.text);
	else
		kept = arena_strdup(&e->arena, str_text(&list));
	str_fini(&list);
	return kept;
}

static struct tls_context_config context_config(
    const struct smtp_tls_params *p, const struct secure_params *secure)
{
	return (struct tls_context_config){.common = &secure->common,
	    .chain_files = p->chain_files.items,
	    .chain_file_count = p->chain_files.count,
	    .pairs = {{p->cert_file, p->key_file}, {p->eccert_file, p->eckey_file},
	        {p->dcert_file, p->dkey_file}},
	    .ca_file = p->ca_file,
	    .ca_path = p->ca_path,
	    .verify_depth = p->verify_depth};
}

/* Which parameter names the file that the error begins with? */
static const char *guilty(const struct smtp_tls_params *p, const char *text)
{
	const struct {
		const char *name, *file;
	} files[] = {{"CAfile", p->ca_file}, {"CApath", p->ca_path}, {"cert_file", p->cert_file},
	    {"key_file", p->key_file}, {"eccert_file", p->eccert_file},
	    {"eckey_file", p->eckey_file}, {"dcert_file", p->dcert_file},
	    {"dkey_file", p->dkey_file}};

	for (size_t i = 0; i < p->chain_files.count; i++)
		if (strstr(text, p->chain_files.items[i]))
			return "chain_files";
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (*files[i].file && strstr(text, files[i].file))
			return files[i].name;
	return "security_level";
}

void engine_check(const struct smtp_tls_params *p, const struct secure_params *secure, bool lmtp,
    struct conf_report *report)
{
	struct tls_context_config config = context_config(p, secure);
	struct tls_context *context = NULL;
	struct err err;

	if (level_of(p) <= LEVEL_MAY)
		return;
	if (tls_context_new(&config, &context, &err) < 0)
		conf_report_warning(report, "%s_tls_%s: %s; mail that needs TLS will wait",
		    lmtp ? "lmtp" : "smtp", guilty(p, err.text), err.text);
	tls_context_free(&context);
}

struct tls_context *engine_context(struct engine *e)
{
	const struct smtp_tls_params *p = e->params;
	struct tls_context_config config = context_config(p, e->secure);
	const char *kernel;
	struct err err;

	if (e->tried)
		return e->context;
	e->tried = true;
	if (p->loglevel >= 2)
		log_info("initializing the client-side TLS engine");
	config.cipherlist = e->cipherlist = default_cipherlist(e);
	if (tls_context_new(&config, &e->context, &err) < 0) {
		log_warn("%s: disabling TLS support", err.text);
		return NULL;
	}
	if (p->loglevel >= 2) {
		tls_kernel_available(&kernel);
		log_info("TLS: %s", kernel);
	}
	return e->context;
}

struct engine *engine_open(const struct smtp_tls_params *params, const struct secure_params *secure,
    const struct core_params *core, bool lmtp)
{
	struct engine *e = alloc_zero(1, sizeof(*e));
	enum tlsmgr_cache cache = lmtp ? TLSMGR_LMTP : TLSMGR_SMTP;
	int timeout_ms = MIN(clock_ms_of(core->ipc_timeout), PEER_TIMEOUT_MS);

	e->params = params;
	e->secure = secure;
	e->lmtp = lmtp;
	e->level = level_of(params);
	e->in_use = e->level != LEVEL_NONE || *params->policy_maps || *params->per_site ||
	            params->wrappermode;
	e->cipherlist = "";
	if (*params->policy_maps)
		e->policy_maps = table_chain_open(params->policy_maps, TABLE_FOLD_KEY);
	else if (*params->per_site && params->security_level == LEVEL_UNSET)
		e->per_site = table_chain_open(params->per_site, TABLE_FOLD_KEY);
	e->requiretls = requiretls_open(
	    lmtp ? "lmtp_requiretls_policy" : "smtp_requiretls_policy", params->requiretls_policy);
	e->resume = secure_resume_new(secure, cache, e->in_use, timeout_ms);
	if (!e->in_use)
		return e;
	if (*params->tlsproxy_service_name)
		e->proxy = tlsproxy_client_new(params->tlsproxy_service_name, timeout_ms);
	engine_context(e);
	return e;
}

void engine_close(struct engine **engine)
{
	struct engine *e = *engine;

	if (!e)
		return;
	tls_context_free(&e->context);
	secure_resume_free(&e->resume);
	tlsproxy_client_free(&e->proxy);
	table_chain_close(&e->policy_maps);
	table_chain_close(&e->per_site);
	requiretls_close(&e->requiretls);
	arena_fini(&e->arena);
	free(e);
	*engine = NULL;
}
