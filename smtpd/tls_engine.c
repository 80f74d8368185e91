/* SPDX-License-Identifier: ISC */
#include "smtpd/tls_engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/tls/digest.h"
#include "smtpd/tls_setup.h"

enum { MANAGER_TIMEOUT_MS = 5000, LOOK_EVERY_MS = 1000 };
/* A process that cannot look at the files makes room for one that could, after so long. */
enum { BLIND_FOR_MS = 60 * 1000, HOPELESS_FOR_MS = 5 * 1000 };

struct server_tls {
	struct tls_setup setup;
	struct service *service;
	int timeout_ms; /* of tlsmgr */
	struct tls_context *context;
	int64_t opened_ms, tried_ms;
	char *complaint; /* why there is no context: logged once */
};

static void log_days_left(const struct server_tls *tls)
{
	const struct smtpd_tls_params *p = tls->setup.params;
	int days;

	if (!tls_context_days_left(tls->context, &days))
		return;
	if (days < 0)
		log_warn("TLS certificate %s has expired", tls_setup_file(p));
	else if (days < p->expiry_warning_days)
		log_warn("TLS certificate %s expires in %d days", tls_setup_file(p), days);
	else if (p->loglevel >= 1)
		log_info("TLS certificate %s is good for %d days", tls_setup_file(p), days);
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
	    tlsmgr_client_new(tls->setup.secure->tlsmgr_service_name, tls->timeout_ms);
	struct str name = {0}, before = {0};

	put_name(tls->setup.params, &name);
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
	    tlsmgr_client_new(tls->setup.secure->tlsmgr_service_name, tls->timeout_ms);
	struct str name = {0}, text = {0};
	struct tls_context *fresh;
	struct err err;
	bool ok = false;

	put_name(tls->setup.params, &name);
	if (tlsmgr_recall(manager, str_text(&name), &text)) {
		ok = tls_setup_context(&tls->setup, &text, NULL, &tls->context, &err) == 0;
		if (ok)
			log_warn("%s: the key and certificates of before are used", why->text);
	}
	/* what was written since then would not look changed */
	if (ok && tls_setup_context(&tls->setup, NULL, NULL, &fresh, &err) == 0) {
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
	if (tls_setup_context(&tls->setup, NULL, &kept, &tls->context, &err) == 0)
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
	const struct smtpd_tls_params *p = tls->setup.params;
	struct err err;

	if (p->loglevel >= 2)
		log_info("initializing the server-side TLS engine");
	if (*p->fingerprint_digest && !tls_digest_known(p->fingerprint_digest)) {
		log_warn("Digest algorithm \"%s\" not found", p->fingerprint_digest);
		log_warn("disabling TLS support");
		return;
	}
	if (tls_setup_ciphers(&tls->setup, &err) < 0) {
		log_warn("%s: disabling TLS support", err.text);
		return;
	}
	tls->setup.shared = secure_shared_new(tls->setup.secure, TLSMGR_SMTPD, tls->timeout_ms);
	if (*p->sni_maps)
		tls->setup.names = tls_names_open(p->sni_maps);
	load_chains(tls);
}

struct server_tls *server_tls_open(const struct smtpd_tls_params *params,
    const struct secure_params *secure, const struct core_params *core, struct service *service)
{
	struct server_tls *tls = alloc_zero(1, sizeof(*tls));

	tls_setup_init(&tls->setup, params, secure);
	tls->service = service;
	tls->timeout_ms = MIN(clock_ms_of(core->ipc_timeout), MANAGER_TIMEOUT_MS);
	if (tls_setup_odd_level(params))
		log_warn("smtpd_tls_security_level: unsupported TLS level \"%s\", using "
		         "\"encrypt\"",
		    tls_setup_odd_level(params));
	tls->opened_ms = clock_mono_ms();
	if (tls->setup.level == SERVER_TLS_NONE && !params->wrappermode)
		return tls;
	if (params->req_ccert && !tls_setup_is_mandatory(&tls->setup))
		log_warn("Can't require client certs unless TLS is required");
	if (tls_setup_has_chains(params))
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
	tls_setup_fini(&tls->setup);
	free(tls->complaint);
	free(tls);
	*out = NULL;
}

enum server_tls_level server_tls_level(const struct server_tls *tls)
{
	return tls->setup.level;
}

/* ---- renewal ------------------------------------------------------------------------------- */

static void renew(struct server_tls *tls)
{
	struct tls_context *fresh;
	struct str kept = {0};
	struct err err;

	/* before they are read: what changes meanwhile is looked at again */
	tls_context_restamp(tls->context);
	if (tls_setup_context(&tls->setup, NULL, &kept, &fresh, &err) == 0) {
		log_info("TLS certificate %s: the renewed files are in use",
		    tls_setup_file(tls->setup.params));
		tls_context_free(&tls->context);
		tls->context = fresh;
		keep_chains(tls, &kept);
		log_days_left(tls);
	} else if (err.code == EACCES || err.code == EPERM) {
		log_info("TLS certificate %s has been renewed: the next process may read its key",
		    tls_setup_file(tls->setup.params));
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

	if (!tls->setup.cipherlist || now - tls->tried_ms < LOOK_EVERY_MS)
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
	         (!tls_context_sees(tls->context) ||
	             (tls->setup.names && tls_names_blind(tls->setup.names))))
		service_retire(tls->service);
	return tls->context;
}
