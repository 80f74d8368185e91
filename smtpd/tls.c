/* SPDX-License-Identifier: ISC */
/* STARTTLS (RFC 3207), TLS from the first byte on (RFC 8314 3), and what is said about it. */
#include "smtpd/tls.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/tls/session.h"
#include "smtpd/auth.h"
#include "smtpd/ehlo.h"
#include "smtpd/limits.h"
#include "smtpd/restrict.h"
#include "smtpd/tls_engine.h"
#include "smtpd/xclient.h"

static const struct smtpd_tls_params *tls_params(const struct session *s)
{
	return s->params == &s->srv->stress ? &s->srv->stress_tls : &s->srv->config->tls;
}

static const char *service_of(const struct session *s)
{
	return s->srv->service ? service_name(s->srv->service) : "smtp";
}

/* ---- what is said about it ------------------------------------------------------------------ */

static bool certificate_required(const struct session *s)
{
	const struct smtpd_tls_params *p = tls_params(s);

	return p->req_ccert && (s->srv->tls_level == SERVER_TLS_ENCRYPT || p->wrappermode);
}

static void log_established(const struct session *s)
{
	const struct tls_info *info = s->tls_info;
	struct str text = {0};

	if (tls_params(s)->loglevel >= 2) {
		if (tls_session_resumed(s->tls))
			log_info("%s: Reusing old session", s->peer.namaddr);
		tls_session_log_names(s->tls);
		if (info->peer_cert)
			log_info(
			    "%s: subject_CN=%s, issuer=%s, fingerprint=%s, pkey_fingerprint=%s",
			    s->peer.namaddr, info->peer_cn, info->issuer_cn, info->cert_fingerprint,
			    info->key_fingerprint);
	}
	if (info->peer_cert && !s->tls_trusted && certificate_required(s)) {
		const char *problem = tls_session_problem(s->tls);

		if (*problem)
			log_info(
			    "certificate verification failed for %s: %s", s->peer.namaddr, problem);
		else /* with no CA to trust, none is looked at */
			log_info("certificate verification failed for %s: untrusted issuer /CN=%s",
			    s->peer.namaddr, info->issuer_cn);
	}
	if (tls_params(s)->loglevel < 1)
		return;
	tls_session_describe(s->tls, &text);
	log_info("%s TLS connection established from %s%s%s: %s", tls_session_status(s->tls),
	    s->peer.namaddr, *info->served_name ? " to " : "", info->served_name, str_text(&text));
	str_fini(&text);
}

/* A name in a comment of a header: nothing in it ends the comment. */
static void put_comment(struct str *out, const char *text)
{
	for (; *text; text++)
		str_put_char(out,
		    (unsigned char)*text < 32 || *text == 127 || strchr("()\\\"", *text) ? '?'
		                                                                         : *text);
}

void session_tls_put_received(const struct session *s, struct str *out)
{
	const struct tls_info *info = s->tls_info;
	const struct smtpd_tls_params *p = tls_params(s);
	struct str text = {0};
	const char *at, *fold;

	if (!info || !p->received_header)
		return;
	tls_session_describe(s->tls, &text);
	at = str_text(&text);
	str_put_text(out, "\r\n\t(using ");
	while ((fold = strstr(at, " key-exchange ")) || (fold = strstr(at, " client-signature "))) {
		str_put(out, at, (size_t)(fold - at));
		str_put_text(out, "\r\n\t ");
		at = fold + 1;
	}
	str_printf(out, "%s)", at);
	str_fini(&text);
	if (info->peer_cert) {
		str_put_text(out, "\r\n\t(Client CN \"");
		put_comment(out, info->peer_cn);
		str_put_text(out, "\", Issuer \"");
		put_comment(out, info->issuer_cn);
		str_printf(out, "\" (%s))", s->tls_trusted ? "verified OK" : "not verified");
	} else if (p->ask_ccert || p->req_ccert) {
		str_put_text(out, "\r\n\t(Client did not present a certificate)");
	} else {
		str_put_text(out, "\r\n\t(No client certificate requested)");
	}
}

/* ---- the handshake ------------------------------------------------------------------------- */

/*
 * A client without the certificate that it needs hears of it after its next command (EHLO); where
 * TLS came first it waits for a greeting, and gets this one.
 */
static void refuse_certificate(struct session *s)
{
	const char *why = session_tls_ccert(s) ? "Client certificate not trusted"
	                                       : "No client certificate presented";

	log_info("NOQUEUE: abort: TLS from %s: %s", s->peer.namaddr, why);
	if (s->srv->config->tls.wrappermode || chat_read(s))
		chat_reply(s, "421 4.7.1 %s Error: %s", s->srv->config->core->myhostname, why);
}

static void judge(struct session *s)
{
	if (!tls_session_resumed(s->tls) && limits_new_tls(s))
		chat_reply(s, "%s", str_text(&s->reject));
	else if (certificate_required(s) && !session_tls_ccert_trusted(s))
		refuse_certificate(s);
}

/* false: the session is over. */
static bool shake_hands(struct session *s, struct tls_context *context)
{
	const struct smtpd_tls_params *p = tls_params(s);
	const struct tls_server_config config = {
	    .peer = s->peer.namaddr, .log_level = p->loglevel, .digest = p->fingerprint_digest};
	int timeout_ms = s->stream.timeout_ms;
	enum tls_start started;
	struct err err;

	if (p->loglevel >= 2)
		log_info("setting up TLS connection from %s", s->peer.namaddr);
	s->stream.timeout_ms = clock_ms_of(p->starttls_timeout);
	s->stream.deadline_ms = clock_mono_ms() + clock_ms_of(p->starttls_timeout);
	started = tls_server_start(context, &s->stream, &config, &s->tls, &err);
	s->stream.timeout_ms = timeout_ms;
	s->stream.deadline_ms = 0;
	if (started != TLS_STARTED) {
		if (started == TLS_LOCAL)
			log_warn("TLS for %s: %s", s->peer.namaddr, err.text);
		/* in what state the conversation is, nobody knows: not a word more */
		s->stream.failed = true;
		chat_failed(s, IO_EOF);
		return false;
	}
	s->tls_info = tls_session_info(s->tls);
	s->tls_trusted = tls_session_trusted(s->tls);
	s->encrypted = true;
	log_established(s);
	judge(s);
	return s->end == END_NONE;
}

/* RFC 3207 4.2: what was said in plain text was said by anybody. */
static void forget_client(struct session *s)
{
	transaction_end(s);
	auth_forget(s);
	free(s->helo);
	s->helo = NULL;
	s->protocol = "SMTP";
	auth_forget(s);
}

bool session_tls_offered(struct session *s)
{
	return !s->encrypted && s->srv->tls_level != SERVER_TLS_NONE &&
	       s->srv->tls_level != SERVER_TLS_UNSET;
}

int cmd_starttls(struct session *s, struct slice args)
{
	struct tls_context *context;

	if (args.len > 0) {
		chat_reply(s, "501 5.5.4 Syntax: STARTTLS");
		return -1;
	}
	if (s->encrypted) {
		chat_reply(s, "554 5.5.1 Error: TLS already active");
		return -1;
	}
	if (!ehlo_offered(s, EHLO_STARTTLS)) {
		chat_reply(s, "502 5.5.1 Error: command not implemented");
		return -1;
	}
	context = server_tls_context(s->srv->tls);
	if (!context) {
		chat_reply(s, "454 4.7.0 TLS not available due to local problem");
		return -1;
	}
	if (limits_new_tls_reached(s)) {
		log_warn("Refusing STARTTLS request from %s for service %s", s->peer.namaddr,
		    service_of(s));
		chat_reply(
		    s, "454 4.7.0 Error: too many new TLS sessions from %s", s->peer.namaddr);
		return -1;
	}
	chat_reply(s, "220 2.0.0 Ready to start TLS");
	if (stream_flush(&s->stream) != IO_OK) {
		chat_failed(s, IO_EOF);
		return -1;
	}
	if (!shake_hands(s, context)) /* a certificate that is missing is no fault of STARTTLS */
		return s->encrypted && certificate_required(s) ? 0 : -1;
	forget_client(s);
	return 0;
}

void session_tls_wrap(struct session *s)
{
	struct tls_context *context;

	if (!s->srv->config->tls.wrappermode || !s->srv->tls)
		return;
	context = server_tls_context(s->srv->tls);
	/* before the work of a handshake is done for who has too many connections */
	if (!xclient_allowed(s) && limits_connect(s))
		;
	else if (!context)
		log_warn("Wrapper-mode request dropped from %s for service %s. TLS context "
		         "initialization failed. For details see earlier warnings in your logs.",
		    s->peer.namaddr, service_of(s));
	else if (limits_new_tls_reached(s))
		log_warn("Refusing TLS service request from %s for service %s", s->peer.namaddr,
		    service_of(s));
	else {
		shake_hands(s, context);
		return;
	}
	s->stream.failed = true;
	s->end = END_ORDERLY;
}

void session_tls_end(struct session *s)
{
	if (!s->tls)
		return;
	s->tls_info = NULL;
	s->encrypted = false;
	if (s->end == END_ORDERLY || s->end == END_TIMEOUT || s->end == END_ERRORS)
		tls_session_close(&s->tls);
	else
		tls_session_free(&s->tls);
}
