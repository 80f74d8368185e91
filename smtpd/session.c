/* SPDX-License-Identifier: ISC */
/*
 * One connection, from the greeting to the farewell lines in the log. What a command line goes
 * through is in dispatch.c.
 */
#include "smtpd/smtpd.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/dns/dns.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"
#include "lib/table/debug_peer.h"
#include "smtpd/ehlo.h"
#include "smtpd/limits.h"
#include "smtpd/tls.h"
#include "smtpd/xclient.h"

enum table_answer session_in_mynetworks(struct session *s)
{
	struct err err;

	if (!s->in_mynetworks_known) {
		s->in_mynetworks =
		    match_list_host(s->srv->mynetworks, s->peer.name, s->peer.addr, &err);
		if (s->in_mynetworks == TABLE_ERROR)
			log_warn("%s", err.text);
		s->in_mynetworks_known = true;
	}
	return s->in_mynetworks;
}

const char *session_login(const struct session *s)
{
	return s->login ? s->login : "";
}

void session_set_login(struct session *s, const char *name, const char *method)
{
	s->login = name ? arena_strdup(&s->arena, name) : NULL;
	s->login_method = name ? arena_strdup(&s->arena, method) : NULL;
}

bool session_may_verp(struct session *s)
{
	struct err err;

	return s->srv->verp_clients && match_list_host(s->srv->verp_clients, s->peer.name,
	                                   s->peer.addr, &err) == TABLE_FOUND;
}

void session_init(struct session *s, struct smtpd *srv, int fd)
{
	*s = (struct session){.srv = srv, .protocol = "SMTP", .where = "CONNECT"};
	s->params =
	    srv->service && service_under_stress(srv->service) ? &srv->stress : &srv->config->smtpd;
	stream_init(&s->stream, fd, clock_ms_of(s->params->timeout));
	transcript_reset(srv->transcript);
}

void session_fini(struct session *s)
{
	transaction_end(s);
	access_end(s);
	stream_fini(&s->stream);
	str_fini(&s->line);
	str_fini(&s->scratch);
	str_fini(&s->reject);
	str_fini(&s->data);
	free(s->helo);
	arena_fini(&s->tx.arena);
	arena_fini(&s->arena);
}

void session_greet(struct session *s)
{
	debug_peer_begin(s->srv->debug, s->peer.name, s->peer.addr);
	ehlo_begin(s);
	/* a front end speaks for many clients: these are counted, by their own addresses */
	if (!xclient_allowed(s) && !s->client_counter && limits_connect(s)) {
		chat_reply(s, "%s", str_text(&s->reject));
		return;
	}
	s->local_client = rewrite_clients_match(s);
	if (!s->params->delay_reject && access_client(s)) {
		s->denied = true;
		chat_reply(s, "%s", str_text(&s->reject));
		return;
	}
	chat_reply(s, "220 %s", s->params->banner);
}

/*
 * Whoever speaks before the greeting does not listen to it. The first command hears of it: the
 * greeting may be on its way already.
 */
static void note_early_talk(struct session *s)
{
	struct slice text;

	if (stream_buffered(&s->stream).len == 0 && stream_readable(&s->stream) &&
	    s->stream.fd >= 0)
		stream_fill(&s->stream);
	text = stream_buffered(&s->stream);
	if (text.len == 0)
		return;
	s->bad_pipelining = true;
	str_clear(&s->scratch);
	chat_escape(&s->scratch, slice_of(text.data, MIN(text.len, 100)), 400);
	log_info("improper command pipelining after CONNECT from %s: %s", s->peer.namaddr,
	    str_text(&s->scratch));
}

static const char *const reasons[] = {
    [END_LOST] = "lost connection",
    [END_TIMEOUT] = "timeout",
    [END_ERRORS] = "too many errors",
};

void session_tell_postmaster(struct session *s, const char *ending)
{
	const struct core_params *core = s->srv->config->core;
	struct transcript_notice notice = {.recipient = s->params->error_notice_recipient,
	    .bounce_recipient = s->params->bounce_notice_recipient,
	    .ending = ending,
	    .conf = s->srv->service ? service_conf(s->srv->service) : NULL};

	if (!s->srv->transcript)
		return;
	notice.subject = arena_printf(
	    &s->arena, "%s SMTP server: errors from %s", core->mail_name, s->peer.namaddr);
	transcript_send(s->srv->transcript, s->srv->queue, core, &notice);
	transcript_reset(s->srv->transcript);
}

static void say_farewell(struct session *s)
{
	const char *host = s->srv->config->core->myhostname;

	if (s->end == END_TIMEOUT && !s->stream.failed) {
		s->stream.deadline_ms = 0;
		s->stream.timeout_ms = MIN(s->stream.timeout_ms, 10000);
		chat_reply(s, "421 4.4.2 %s Error: timeout exceeded", host);
	}
	stream_flush(&s->stream);
}

static void log_end(struct session *s)
{
	uint32_t done = 0, tried = 0;

	if (s->end != END_ORDERLY && s->tx.shaper &&
	    (strcmp(s->where, "DATA") == 0 || strcmp(s->where, "BDAT") == 0))
		log_info("%s after %s (%llu bytes) from %s", reasons[s->end], s->where,
		    (unsigned long long)s->tx.data_bytes, s->peer.namaddr);
	else if (s->end != END_ORDERLY &&
	         (s->end != END_LOST || strcmp(s->where, "END-OF-MESSAGE") != 0))
		/* clients that hang up when their mail is taken are too many to be told of */
		log_info("%s after %s from %s", reasons[s->end], s->where, s->peer.namaddr);

	str_clear(&s->scratch);
	for (size_t i = 0; i <= command_count; i++) {
		if (s->tried[i] == 0)
			continue;
		str_printf(&s->scratch, " %s=%u",
		    i < command_count ? commands[i].count_name : "unknown", s->done[i]);
		if (s->tried[i] != s->done[i])
			str_printf(&s->scratch, "/%u", s->tried[i]);
		done += s->done[i];
		tried += s->tried[i];
	}
	str_printf(&s->scratch, " commands=%u", done);
	if (tried != done || tried == 0)
		str_printf(&s->scratch, "/%u", tried);
	log_info("disconnect from %s%s", s->peer.namaddr, str_text(&s->scratch));
}

void session_run(struct session *s)
{
	debug_peer_begin(s->srv->debug, s->peer.name, s->peer.addr);
	log_info("connect from %s", s->peer.namaddr);
	xclient_begin(s);
	if (!s->orphan)
		session_tls_wrap(s);
	if (s->orphan)
		chat_reply(s, "421 4.3.0 %s Server local error", s->srv->config->core->myhostname);
	else if (s->end == END_NONE) {
		note_early_talk(s);
		session_greet(s);
	}
	while (s->end == END_NONE) {
		if (s->errors >= s->params->hard_error_limit) {
			chat_reply(s, "421 4.7.0 %s Error: too many errors",
			    s->srv->config->core->myhostname);
			s->end = END_ERRORS;
			break;
		}
		if (s->srv->service)
			service_alive(s->srv->service);
		if (chat_read(s))
			dispatch_line(s);
	}
	say_farewell(s);
	session_tls_end(s);
	log_end(s);
	debug_peer_end(s->srv->debug);
	limits_leave(s);
	session_tell_postmaster(s, s->end == END_ORDERLY ? NULL : reasons[s->end]);
	transaction_end(s);
}

void session_serve(struct smtpd *srv, int fd)
{
	struct session s;

	session_init(&s, srv, fd);
	dns_resolver_forget(srv->resolver);
	peer_from_fd(srv, fd, &s.arena, &s.peer);
	s.orphan = !upstream_begin(&s);
	session_run(&s);
	s.stream.fd = -1; /* the engine's to close */
	session_fini(&s);
	queue_tend(srv->queue);
}
