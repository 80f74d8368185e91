/* SPDX-License-Identifier: ISC */
#include "smtpd/tls_setup.h"

#include <stdlib.h>

#include "lib/base/str.h"

static enum server_tls_level level_of(const struct smtpd_tls_params *p)
{
	if (p->security_level > SERVER_TLS_UNSET)
		return SERVER_TLS_ENCRYPT;
	if (p->security_level != SERVER_TLS_UNSET)
		return (enum server_tls_level)p->security_level;
	return p->enforce_tls ? SERVER_TLS_ENCRYPT : p->use_tls ? SERVER_TLS_MAY : SERVER_TLS_NONE;
}

void tls_setup_init(struct tls_setup *setup, const struct smtpd_tls_params *params,
    const struct secure_params *secure)
{
	*setup = (struct tls_setup){.params = params, .secure = secure, .level = level_of(params)};
}

void tls_setup_fini(struct tls_setup *setup)
{
	secure_shared_free(&setup->shared);
	tls_names_close(&setup->names);
	free(setup->cipherlist);
}

const char *tls_setup_odd_level(const struct smtpd_tls_params *params)
{
	/* SERVER_TLS_FINGERPRINT and the following */
	static const char *const names[] = {"fingerprint", "verify", "secure"};

	return params->security_level > SERVER_TLS_UNSET
	           ? names[params->security_level - SERVER_TLS_FINGERPRINT]
	           : NULL;
}

bool tls_setup_is_mandatory(const struct tls_setup *setup)
{
	return setup->level == SERVER_TLS_ENCRYPT || setup->params->wrappermode;
}

bool tls_setup_has_chains(const struct smtpd_tls_params *p)
{
	return p->chain_files.count || *p->cert_file || *p->eccert_file || *p->dcert_file;
}

const char *tls_setup_file(const struct smtpd_tls_params *p)
{
	return p->chain_files.count ? p->chain_files.items[0]
	       : *p->cert_file      ? p->cert_file
	       : *p->eccert_file    ? p->eccert_file
	                            : p->dcert_file;
}

/* "none": no certificate on purpose, anonymous ciphers only. */
static const char *pair_file(const char *path)
{
	return text_eq_nocase(path, "none") ? "" : path;
}

int tls_setup_ciphers(struct tls_setup *setup, struct err *err)
{
	const struct smtpd_tls_params *p = setup->params;
	bool mandatory = tls_setup_is_mandatory(setup);
	const char *excludes[] = {p->exclude_ciphers, mandatory ? p->mandatory_exclude_ciphers : "",
	    p->ask_ccert || p->req_ccert ? "aNULL" : ""};
	struct str list = {0};

	if (tls_cipher_list(&setup->secure->common, mandatory ? p->mandatory_ciphers : p->ciphers,
	        excludes, ARRAY_LEN(excludes), &list, err) < 0) {
		str_fini(&list);
		return err_prefix(err, "TLS ciphers: ");
	}
	if (tls_protocols_parse(
	        mandatory ? p->mandatory_protocols : p->protocols, &setup->protocols, err) < 0) {
		str_fini(&list);
		return err_prefix(err, "TLS protocols: ");
	}
	setup->cipherlist = str_steal(&list);
	return 0;
}

int tls_setup_context(const struct tls_setup *setup, const struct str *text, struct str *kept,
    struct tls_context **out, struct err *err)
{
	const struct smtpd_tls_params *p = setup->params;
	struct tls_context_config config = {.server = true,
	    .common = &setup->secure->common,
	    .chain_text = text,
	    .chain_text_out = kept,
	    .chain_files = p->chain_files.items,
	    .chain_file_count = p->chain_files.count,
	    .pairs = {{pair_file(p->cert_file), pair_file(p->key_file)},
	        {p->eccert_file, p->eckey_file}, {p->dcert_file, p->dkey_file}},
	    .ca_file = p->ca_file,
	    .ca_path = p->ca_path,
	    .verify_depth = p->ccert_verifydepth,
	    .cipherlist = setup->cipherlist,
	    .protocols = setup->protocols,
	    .dh_file = p->dh1024_param_file,
	    .ask_certificate = p->ask_ccert || (p->req_ccert && tls_setup_is_mandatory(setup)),
	    .strong = p->req_ccert && tls_setup_is_mandatory(setup),
	    .always_session_ids = p->always_issue_session_ids,
	    .session_timeout = setup->secure->sessions[TLSMGR_SMTPD].timeout};

	if (setup->shared)
		secure_shared_hooks(setup->shared, &config.hooks);
	if (setup->names) {
		config.hooks.chain_for_name = tls_names_find;
		config.hooks.name_arg = setup->names;
	}
	return tls_context_new(&config, out, err);
}
