/* SPDX-License-Identifier: ISC */
/*
 * TLS as a step of session_open: what the policy asks for, STARTTLS (RFC 3207), the handshake, and
 * whether the certificate is what it should be. Which session is good enough for whom: tls_keys.c.
 */
#include "smtp/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/secure/outcome.h"
#include "lib/sys/clock.h"
#include "smtp/engine.h"
#include "smtp/policy.h"
#include "smtp/proxy.h"

struct handshake {
	const struct smtp_client *c;
	struct session *s;
	const struct target *to;
	struct arena *arena;
	struct trouble *why;
	struct policy *policy;
	struct tlsproxy_outcome outcome;
};

static enum session_step fail(struct handshake *h, const char *dsn, const char *text)
{
	trouble_set(h->why, h->arena, dsn, "%s", text);
	h->why->mta = arena_strdup(h->arena, h->s->host);
	h->s->spent = true;
	return STEP_FAILED;
}

/*
 * May this message go on in plain text, now that TLS has failed? Not in its first minutes: a
 * passing trouble is more likely than one that stays.
 */
static bool plain_text_will_do(const struct handshake *h)
{
	int64_t age_us = clock_wall_us() - (int64_t)h->to->request->arrival_us;
	struct str login = {0};
	bool will;

	will = h->policy->level == LEVEL_MAY && !h->c->tls->params->wrappermode &&
	       age_us >= (int64_t)h->c->tls->params->plain_text_after * 1000000;
	if (will) /* and no password goes where it may be seen */
		session_auth_key(h->c, h->to, &login);
	will = will && (login.len == 0 || strcmp(str_text(&login), "none") == 0);
	str_fini(&login);
	return will;
}

bool session_tls_optional(const struct smtp_client *c, const struct target *to, struct arena *arena)
{
	struct policy policy;
	const struct handshake h = {.c = c, .to = to, .policy = &policy};

	if (!c->tls)
		return false;
	policy_find(c, to, arena, &policy);
	policy_complete(c, to, arena, &policy);
	return plain_text_will_do(&h);
}

/* ---- the handshake --------------------------------------------------------------------------- */

static void log_established(struct handshake *h)
{
	struct tlsproxy_outcome *o = &h->outcome;

	/* the MX that named the host could be forged */
	if (h->policy->level == LEVEL_HALF_DANE && o->matched)
		o->status = "Trusted";
	if (h->c->tls->params->loglevel >= 1)
		log_info("%s TLS connection established to %s: %s", o->status, h->s->relay,
		    o->description);
}

static void log_peer(const struct handshake *h)
{
	const struct tlsproxy_outcome *o = &h->outcome;

	if (h->c->tls->params->loglevel < 2)
		return;
	if (o->resumed)
		log_info("%s: Reusing old session", h->s->relay);
	if (o->peer_cert)
		log_info("%s: subject_CN=%s, issuer_CN=%s, fingerprint=%s, pkey_fingerprint=%s",
		    h->s->relay, o->peer_cn, o->issuer_cn, o->cert_fingerprint, o->key_fingerprint);
}

static void log_mismatch(const struct handshake *h)
{
	const char *problem = h->outcome.problem;
	bool by_number = strncmp(problem, "num=", 4) == 0;

	log_info("%scertificate verification failed for %s: %s", by_number ? "server " : "",
	    h->s->relay, problem);
}

static enum session_step judge(struct handshake *h)
{
	struct session *s = h->s;

	s->secured = true;
	if (policy_is_verified(h->policy) && !h->outcome.matched) {
		log_mismatch(h);
		log_peer(h);
		log_established(h);
		return fail(h, "4.7.5", "Server certificate not verified");
	}
	log_peer(h);
	log_established(h);
	if (!s->tls)
		s->tls_words = alloc_printf("%s %s", h->outcome.status, h->outcome.description);
	s->tls_verified = policy_is_verified(h->policy) && h->policy->level != LEVEL_HALF_DANE;
	return STEP_DONE;
}

static enum session_step not_started(struct handshake *h)
{
	struct session *s = h->s;

	if (h->outcome.result == TLS_LOCAL) {
		log_warn("%s: TLS: %s", s->relay, h->outcome.text);
		s->spent = s->dead = true;
		return fail(h, "4.7.5", "client TLS configuration problem");
	}
	if (h->c->tls->params->loglevel > 0 || policy_is_mandatory(h->policy))
		log_info("SSL_connect error to %s: %s", s->relay, h->outcome.text);
	s->dead = true;
	fail(h, "4.7.5", "Cannot start TLS: handshake failure");
	h->why->again_plain = plain_text_will_do(h);
	return STEP_FAILED;
}

/* A session kept for resumption: its key is the server and a digest of all that was asked of it. */
static void log_cache(
    const struct smtp_client *c, const struct session *s, const char *done, const char *where)
{
	const char *cache = c->lmtp ? "lmtp" : "smtp";

	if (c->tls->params->loglevel >= 2)
		log_info("%s session %s&%s&%s %s %s cache", done, cache, s->relay, s->resume_key,
		    where, cache);
}

static void start_own(
    struct handshake *h, struct tls_context *context, struct tls_client_config *config)
{
	struct session *s = h->s;
	enum tls_start started;
	struct err err;

	log_cache(h->c, s, "looking for", "in");
	config->resume = secure_resume_find(h->c->tls->resume, s->resume_key);
	if (config->resume)
		log_cache(h->c, s, "reloaded", "from");
	started = tls_client_start(context, &s->stream, config, &s->tls, &err);
	secure_outcome(started, s->tls, &err, config->log_level, h->arena, &h->outcome);
	if (started != TLS_STARTED && config->resume)
		secure_resume_drop(h->c->tls->resume, s->resume_key);
}

/* Fills h->outcome. false: the proxy is no more, *h->why says what to do. */
static bool start_tls(
    struct handshake *h, struct tls_context *context, struct tls_client_config *config)
{
	struct session *s = h->s;
	int64_t limit_ms = clock_ms_of(h->c->tls->params->starttls_timeout);
	bool shared = h->policy->reuse && !h->to->no_proxy && h->c->shared;
	int proxy = shared ? proxy_connect(h->c->tls, context) : -1;

	s->stream.timeout_ms = (int)limit_ms;
	s->stream.deadline_ms = clock_mono_ms() + limit_ms;
	if (s->give_up_ms)
		s->stream.deadline_ms = MIN(s->stream.deadline_ms, s->give_up_ms);
	limit_ms = s->stream.deadline_ms - clock_mono_ms();
	if (proxy < 0) {
		start_own(h, context, config);
	} else if (proxy_start(h->c, s, proxy, config, limit_ms, h->arena, &h->outcome) < 0) {
		s->dead = true;
		fail(h, "4.7.5", "Cannot start TLS: tlsproxy ended");
		h->why->again_direct = true;
		return false;
	}
	s->stream.deadline_ms = 0;
	return true;
}

static enum session_step shake_hands(struct handshake *h, struct tls_context *context)
{
	const struct policy *p = h->policy;
	const struct smtp_tls_params *params = h->c->tls->params;
	struct tls_client_config config = {.peer = h->s->relay,
	    .name = p->sni,
	    .log_level = params->loglevel,
	    .verify = p->tlsa_count                   ? TLS_VERIFY_DANE
	              : p->level == LEVEL_FINGERPRINT ? TLS_VERIFY_FINGERPRINT
	              : p->level >= LEVEL_VERIFY      ? TLS_VERIFY_NAME
	                                              : TLS_VERIFY_NONE,
	    .cipherlist = p->cipherlist,
	    .protocols = p->protocol_bounds,
	    .names = p->names,
	    .name_count = p->name_count,
	    .trust_anchors = p->anchors,
	    .fingerprints = p->names,
	    .fingerprint_count = p->name_count,
	    .digest = params->fingerprint_digest,
	    .tlsa = p->tlsa,
	    .tlsa_count = p->tlsa_count,
	    .tlsa_base = p->tlsa_base};
	struct session *s = h->s;

	policy_resume_key(h->c, s->relay, p, s->resume_key);
	if (params->loglevel >= 2) {
		log_info("setting up TLS connection to %s", s->relay);
		log_info("%s: TLS cipher list \"%s\"", s->relay, p->cipherlist);
	}
	if (!start_tls(h, context, &config))
		return STEP_FAILED;
	return h->outcome.result == TLS_STARTED ? judge(h) : not_started(h);
}

/* ---- STARTTLS -------------------------------------------------------------------------------- */

static enum session_step starttls(struct handshake *h, struct tls_context *context)
{
	struct session *s = h->s;
	enum chat_result result;

	stream_put(&s->stream, "STARTTLS\r\n", 10);
	result = session_reply(s, h->c->tls->params->starttls_timeout);
	if (result != CHAT_OK) {
		session_trouble(s, result, "performing the STARTTLS handshake", h->arena, h->why);
		h->why->again_plain = plain_text_will_do(h);
		return STEP_FAILED;
	}
	if (s->reply.code != 220) {
		if (h->policy->level == LEVEL_MAY && s->reply.code != 421)
			return STEP_NONE; /* it said no: then as before */
		return fail(h, "4.7.4",
		    arena_printf(h->arena,
		        "TLS is required, but host %s refused to start TLS: %.1000s", s->name,
		        str_text(&s->reply.text)));
	}
	if (stream_buffered(&s->stream).len > 0) {
		/* whoever sent it wants it to be taken for what comes encrypted */
		log_warn("%s: data behind the answer to STARTTLS", s->relay);
		s->dead = true;
		fail(h, "4.7.5",
		    arena_printf(h->arena, "host %s sent plain text behind its answer to STARTTLS",
		        s->name));
		h->why->again_plain = plain_text_will_do(h);
		return STEP_FAILED;
	}
	return shake_hands(h, context);
}

static enum session_step start(struct handshake *h, bool wrap)
{
	const struct policy *p = h->policy;
	struct session *s = h->s;
	bool offered = wrap || (s->ehlo.features & FEATURE_STARTTLS);
	struct tls_context *context;

	session_tls_note(h->c, s, h->to);
	if (p->level == LEVEL_INVALID) {
		*h->why = p->why;
		h->why->mta = arena_strdup(h->arena, s->host);
		s->spent = true;
		return STEP_FAILED;
	}
	if (p->level == LEVEL_NONE) {
		if (offered && h->c->tls->params->note_starttls_offer)
			log_info("Host offered STARTTLS: [%s]", s->host);
		return STEP_NONE;
	}
	if (p->level == LEVEL_MAY && (!offered || h->to->no_tls))
		return STEP_NONE;
	if (!offered)
		return fail(h, "4.7.4",
		    arena_printf(
		        h->arena, "TLS is required, but was not offered by host %s", s->name));
	context = engine_context(h->c->tls);
	if (context)
		return wrap ? shake_hands(h, context) : starttls(h, context);
	if (p->level == LEVEL_MAY)
		return STEP_NONE;
	return fail(h, "4.7.5", "TLS is required, but our TLS engine is unavailable");
}

static enum session_step secure(const struct smtp_client *c, struct session *s,
    const struct target *to, struct arena *arena, struct trouble *why, bool wrap)
{
	struct policy policy;
	struct handshake h = {c, s, to, arena, why, &policy, {0}};

	policy_find(c, to, arena, &policy);
	policy_complete(c, to, arena, &policy);
	return start(&h, wrap);
}

enum session_step session_wrap_tls(const struct smtp_client *c, struct session *s,
    const struct target *to, struct arena *arena, struct trouble *why)
{
	if (!c->tls || !c->tls->params->wrappermode)
		return STEP_NONE;
	return secure(c, s, to, arena, why, true);
}

enum session_step session_start_tls(const struct smtp_client *c, struct session *s,
    const struct target *to, struct arena *arena, struct trouble *why)
{
	if (!c->tls)
		return STEP_NONE;
	return secure(c, s, to, arena, why, false);
}

/* ---- afterwards ------------------------------------------------------------------------------ */

void session_tls_ready(const struct smtp_client *c, struct session *s)
{
	if (s->tls && secure_resume_keep(c->tls->resume, s->resume_key, s->tls))
		log_cache(c, s, "save", "to");
}

void session_tls_reused(const struct smtp_client *c, const struct session *s)
{
	const char *rest = s->tls_words ? strchr(s->tls_words, ' ') : NULL;

	if (rest && c->tls && c->tls->params->loglevel >= 1)
		log_info("%.*s TLS connection reused to %s: %s", (int)(rest - s->tls_words),
		    s->tls_words, s->relay, rest + 1);
}

void session_tls_end(struct session *s)
{
	if (s->tls && *tls_session_error(s->tls))
		log_warn("TLS library problem: %s: %s", s->relay, tls_session_error(s->tls));
	if (s->dead)
		tls_session_free(&s->tls);
	else
		tls_session_close(&s->tls);
}

bool session_tls_is_verified(const struct session *s)
{
	return s->tls_verified;
}
