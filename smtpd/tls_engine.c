/* SPDX-License-Identifier: ISC */
#include "smtpd/tls_engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/secure/shared.h"
#include "lib/sys/clock.h"
#include "lib/tls/digest.h"
#include "smtpd/tls_names.h"

enum { MANAGER_TIMEOUT_MS = 5000, LOOK_EVERY_MS = 1000 };
/* A process that cannot look at the files makes room for one that could, after so long. */
enum { BLIND_FOR_MS = 60 * 1000, HOPELESS_FOR_MS = 5 * 1000 };

struct server_tls {
	const struct smtpd_tls_params *params;
	const struct secure_params *secure;
	struct service *service;
	enum server_tls_level level;
	int timeout_ms; /* of tlsmgr */
	struct tls_context *context;
	struct secure_shared *shared;
	struct tls_names *names; /* NULL: none */
	char *cipherlist;
	struct tls_protocols protocols;
	int64_t opened_ms, tried_ms;
	char *complaint; /* why there is no context: logged once */
};

/* Of SERVER_TLS_FINGERPRINT and the following. */
static const char *const odd_levels[] = {"fingerprint", "verify", "secure"};

static enum server_tls_level level_of(const struct smtpd_tls_params *p)
{
	if (p->security_level > SERVER_TLS_UNSET)
		return SERVER_TLS_ENCRYPT;
	if (p->security_level != SERVER_TLS_UNSET)
		return (enum server_tls_level)p->security_level;
	return p->enforce_tls ? SERVER_TLS_ENCRYPT : p->use_tls ? SERVER_TLS_MAY : SERVER_TLS_NONE;
}

/* ---- the context --------------------------------------------------------------------------- */

static bool is_mandatory(const struct server_tls *tls)
{
	return tls->level == SERVER_TLS_ENCRYPT || tls->params->wrappermode;
}

static bool has_chains(const struct smtpd_tls_params *p)
{
	return p->chain_files.count || *p->cert_file || *p->eccert_file || *p->dcert_file;
}

/* "none": no certificate on purpose, anonymous ciphers only. */
static const char *pair_file(const char *path)
{
	return text_eq_nocase(path, "none") ? "" : path;
}

static int choose_ciphers(struct server_tls *tls, struct err *err)
{
	const struct smtpd_tls_params *p = tls->params;
	bool mandatory = is_mandatory(tls);
	const char *excludes[] = {p->exclude_ciphers, mandatory ? p->mandatory_exclude_ciphers : "",
	    p->ask_ccert || p->req_ccert ? "aNULL" : ""};
	struct str list = {0};

	if (tls_cipher_list(&tls->secure->common, mandatory ? p->mandatory_ciphers : p->ciphers,
	        excludes, ARRAY_LEN(excludes), &list, err) < 0) {
		str_fini(&list);
		return err_prefix(err, "TLS ciphers: ");
	}
	if (tls_protocols_parse(
	        mandatory ? p->mandatory_protocols : p->protocols, &tls->protocols, err) < 0) {
		str_fini(&list);
		return err_prefix(err, "TLS protocols: ");
	}
	tls->cipherlist = str_steal(&list);
	return 0;
}

/* text: chains to use instead of the files' content; or NULL, then kept gets what was read. */
static int make_context(struct server_tls *tls, const struct str *text, struct str *kept,
    struct tls_context **out, struct err *err)
{
	const struct smtpd_tls_params *p = tls->params;
	struct tls_context_config config = {.server = true,
	    .common = &tls->secure->common,
	    .chain_text = text,
	    .chain_text_out = kept,
	    .chain_files = p->chain_files.items,
	    .chain_file_count = p->chain_files.count,
	    .pairs = {{pair_file(p->cert_file), pair_file(p->key_file)},
	        {p->eccert_file, p->eckey_file}, {p->dcert_file, p->dkey_file}},
	    .ca_file = p->ca_file,
	    .ca_path = p->ca_path,
	    .verify_depth = p->ccert_verifydepth,
	    .cipherlist = tls->cipherlist,
	    .protocols = tls->protocols,
	    .dh_file = p->dh1024_param_file,
	    .ask_certificate = p->ask_ccert || (p->req_ccert && is_mandatory(tls)),
	    .strong = p->req_ccert && is_mandatory(tls),
	    .always_session_ids = p->always_issue_session_ids,
	    .session_timeout = tls->secure->sessions[TLSMGR_SMTPD].timeout};

	if (tls->shared)
		secure_shared_hooks(tls->shared, &config.hooks);
	if (tls->names) {
		config.hooks.chain_for_name = tls_names_find;
		config.hooks.name_arg = tls->names;
	}
	return tls_context_new(&config, out, err);
}

static const char *first_file(const struct smtpd_tls_params *p)
{
	return p->chain_files.count ? p->chain_files.items[0]
	       : *p->cert_file      ? p->cert_file
	       : *p->eccert_file    ? p->eccert_file
	                            : p->dcert_file;
}

static void log_days_left(const struct server_tls *tls)
{
	const struct smtpd_tls_params *p = tls->params;
	int days;

	if (!tls_context_days_left(tls->context, &days))
		return;
	if (days < 0)
		log_warn("TLS certificate %s has expired", first_file(p));
	else if (days < p->expiry_warning_days)
		log_warn("TLS certificate %s expires in %d days", first_file(p), days);
	else if (p->loglevel >= 1)
		log_info("TLS certificate %s is good for %d days", first_file(p), days);
}

/* ---- the chains that were last found good -------------------------------------------------- */

/* All file names, short enough for a key. */
static void put_name(const struct smtpd_tls_params *p, struct str *out)
{
	const char *const pairs[] = {
	    p->cert_file, p->key_file, p->eccert_file, p->eckey_file, p->dcert_file, p->dkey_file};
	unsigned char digest[DIGEST_LEN_MAX];
	struct str names = {0};

	for (size_t i = 0; i < p->chain_files.count; i++)
		str_printf(&names, "%s\n", p->chain_files.items[i]);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		str_printf(&names, "%s\n", pairs[i]);
	if (digest_hash(DIGEST_SHA256, slice_of(names.data, names.len), digest) == 0)
		base64_encode(out, digest, digest_len(DIGEST_SHA256));
	str_fini(&names);
}

/* What others have is older? Where this process may read more than they, they do not see that. */
static void keep_chains(struct server_tls *tls, const struct str *text)
{
	struct tlsmgr_client *manager =
	    tlsmgr_client_new(tls->secure->tlsmgr_service_name, tls->timeout_ms);
	struct str name = {0}, before = {0};

	put_name(tls->params, &name);
	if (text->len && tls->service && geteuid() == 0 &&
	    tlsmgr_recall(manager, str_text(&name), &before) &&
	    strcmp(str_text(&before), str_text(text)) != 0)
		service_retire_others(tls->service);
	if (text->len)
		tlsmgr_keep(manager, str_text(&name), str_text(text));
	if (before.data)
		digest_wipe(before.data, before.cap);
	str_fini(&before);
	str_fini(&name);
	tlsmgr_client_free(&manager);
}

/* The files are no good: is there what they were before? */
static bool recall_chains(struct server_tls *tls, const struct err *why)
{
	struct tlsmgr_client *manager =
	    tlsmgr_client_new(tls->secure->tlsmgr_service_name, tls->timeout_ms);
	struct str name = {0}, text = {0};
	struct tls_context *fresh;
	struct err err;
	bool ok = false;

	put_name(tls->params, &name);
	if (tlsmgr_recall(manager, str_text(&name), &text)) {
		ok = make_context(tls, &text, NULL, &tls->context, &err) == 0;
		if (ok)
			log_warn("%s: the key and certificates of before are used", why->text);
	}
	/* what was written since then would not look changed */
	if (ok && make_context(tls, NULL, NULL, &fresh, &err) == 0) {
		tls_context_free(&tls->context);
		tls->context = fresh;
	}
	if (text.data)
		digest_wipe(text.data, text.cap);
	str_fini(&text);
	str_fini(&name);
	tlsmgr_client_free(&manager);
	return ok;
}

static void complain(struct server_tls *tls, const struct err *err)
{
	if (!tls->complaint || strcmp(tls->complaint, err->text) != 0)
		log_warn("%s: disabling TLS support", err->text);
	free(tls->complaint);
	tls->complaint = alloc_strdup(err->text);
}

static void load_chains(struct server_tls *tls)
{
	struct str kept = {0};
	struct err err;

	tls->tried_ms = clock_mono_ms();
	if (make_context(tls, NULL, &kept, &tls->context, &err) == 0)
		keep_chains(tls, &kept);
	else if (!recall_chains(tls, &err))
		complain(tls, &err);
	if (kept.data)
		digest_wipe(kept.data, kept.cap);
	str_fini(&kept);
	if (tls->context)
		log_days_left(tls);
}

static void load(struct server_tls *tls)
{
	const struct smtpd_tls_params *p = tls->params;
	struct err err;

	if (p->loglevel >= 2)
		log_info("initializing the server-side TLS engine");
	if (*p->fingerprint_digest && !tls_digest_known(p->fingerprint_digest)) {
		log_warn("Digest algorithm \"%s\" not found", p->fingerprint_digest);
		log_warn("disabling TLS support");
		return;
	}
	if (choose_ciphers(tls, &err) < 0) {
		log_warn("%s: disabling TLS support", err.text);
		return;
	}
	tls->shared = secure_shared_new(tls->secure, TLSMGR_SMTPD, tls->timeout_ms);
	if (*p->sni_maps)
		tls->names = tls_names_open(p->sni_maps);
	load_chains(tls);
}

struct server_tls *server_tls_open(const struct smtpd_tls_params *params,
    const struct secure_params *secure, const struct core_params *core, struct service *service)
{
	struct server_tls *tls = alloc_zero(1, sizeof(*tls));

	tls->params = params;
	tls->service = service;
	tls->secure = secure;
	tls->timeout_ms = MIN(clock_ms_of(core->ipc_timeout), MANAGER_TIMEOUT_MS);
	tls->level = level_of(params);
	if (params->security_level > SERVER_TLS_UNSET)
		log_warn("smtpd_tls_security_level: unsupported TLS level \"%s\", using "
		         "\"encrypt\"",
		    odd_levels[params->security_level - SERVER_TLS_FINGERPRINT]);
	tls->opened_ms = clock_mono_ms();
	if (tls->level == SERVER_TLS_NONE && !params->wrappermode)
		return tls;
	if (params->req_ccert && !is_mandatory(tls))
		log_warn("Can't require client certs unless TLS is required");
	if (has_chains(params))
		load(tls);
	else
		log_warn("No server certs available. TLS won't be enabled");
	return tls;
}

void server_tls_close(struct server_tls **out)
{
	struct server_tls *tls = *out;

	if (!tls)
		return;
	tls_context_free(&tls->context);
	secure_shared_free(&tls->shared);
	tls_names_close(&tls->names);
	free(tls->cipherlist);
	free(tls->complaint);
	free(tls);
	*out = NULL;
}

/* ---- before the start ---------------------------------------------------------------------- */

static void check_files(struct server_tls *tls, struct conf_report *report)
{
	const struct smtpd_tls_params *p = tls->params;
	struct err err;
	int days;

	/* what is only left out, such as a bad DH file, is in the log, which is read as well */
	if (choose_ciphers(tls, &err) < 0 ||
	    make_context(tls, NULL, NULL, &tls->context, &err) < 0) {
		conf_report_warning(report, "%s: smtpd will answer STARTTLS with 454", err.text);
		return;
	}
	if (!tls_digest_known(p->fingerprint_digest))
		conf_report_warning(report,
		    "smtpd_tls_fingerprint_digest: \"%s\": OpenSSL has no such digest: smtpd will "
		    "answer STARTTLS with 454",
		    p->fingerprint_digest);
	if (tls_context_days_left(tls->context, &days) && days < 0)
		conf_report_warning(report, "TLS certificate %s has expired", first_file(p));
	else if (tls_context_days_left(tls->context, &days) && days < p->expiry_warning_days)
		conf_report_warning(
		    report, "TLS certificate %s expires in %d days", first_file(p), days);
}

void server_tls_check(const struct smtpd_tls_params *p, const struct secure_params *secure,
    struct conf_report *report)
{
	struct server_tls tls = {.params = p, .secure = secure, .level = level_of(p)};

	if (p->security_level > SERVER_TLS_UNSET)
		conf_report_warning(report,
		    "smtpd_tls_security_level: unsupported TLS level \"%s\": a server cannot ask "
		    "for more than encrypt, which is used",
		    odd_levels[p->security_level - SERVER_TLS_FINGERPRINT]);
	if (tls.level == SERVER_TLS_NONE && !p->wrappermode)
		return;
	if (has_chains(p))
		check_files(&tls, report);
	else
		conf_report_warning(report,
		    "No server certs available (smtpd_tls_chain_files, smtpd_tls_cert_file): "
		    "smtpd will answer STARTTLS with 454");
	tls_context_free(&tls.context);
	free(tls.cipherlist);
}

enum server_tls_level server_tls_level(const struct server_tls *tls)
{
	return tls->level;
}

/* ---- renewal ------------------------------------------------------------------------------- */

static void renew(struct server_tls *tls)
{
	struct tls_context *fresh;
	struct str kept = {0};
	struct err err;

	/* before they are read: what changes meanwhile is looked at again */
	tls_context_restamp(tls->context);
	if (make_context(tls, NULL, &kept, &fresh, &err) == 0) {
		log_info(
		    "TLS certificate %s: the renewed files are in use", first_file(tls->params));
		tls_context_free(&tls->context);
		tls->context = fresh;
		keep_chains(tls, &kept);
		log_days_left(tls);
	} else if (err.code == EACCES || err.code == EPERM) {
		log_info("TLS certificate %s has been renewed: the next process may read its key",
		    first_file(tls->params));
		if (tls->service) {
			service_retire_others(tls->service);
			service_retire(tls->service);
		}
	} else {
		log_warn("%s: the renewed files are not used, those of before are", err.text);
	}
	if (kept.data)
		digest_wipe(kept.data, kept.cap);
	str_fini(&kept);
}

/* What was missing at the start may be there now; or the next process may read it. */
static void try_again(struct server_tls *tls)
{
	int64_t now = clock_mono_ms();

	if (!tls->cipherlist || now - tls->tried_ms < LOOK_EVERY_MS)
		return;
	load_chains(tls);
	if (!tls->context && tls->service && now - tls->opened_ms > HOPELESS_FOR_MS)
		service_retire(tls->service);
}

struct tls_context *server_tls_context(struct server_tls *tls)
{
	if (!tls->context)
		try_again(tls);
	if (!tls->context)
		return NULL;
	if (tls_context_stale(tls->context, LOOK_EVERY_MS))
		renew(tls);
	else if (tls->service && clock_mono_ms() - tls->opened_ms > BLIND_FOR_MS &&
	         (!tls_context_sees(tls->context) || (tls->names && tls_names_blind(tls->names))))
		service_retire(tls->service);
	return tls->context;
}
