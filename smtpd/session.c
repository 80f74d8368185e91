/* SPDX-License-Identifier: ISC */
/* One connection: greeting, commands, farewell lines in the log. */
#include "smtpd/smtpd.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/smtp/command.h"
#include "lib/sys/clock.h"
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

static void tell_postmaster(struct session *s, const char *ending)
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

/* The client begins anew: a long transcript does so, too. */
static void begin_transcript(struct session *s)
{
	if (transcript_lines(s->srv->transcript) > (size_t)s->params->history_flush_threshold)
		tell_postmaster(s, NULL);
}

/* Something that speaks another protocol: an HTTP request, a header, a TLS hello. */
static bool is_forbidden(struct session *s, struct slice verb)
{
	struct err err;

	if (slice_has(verb, ':'))
		return true;
	str_clear(&s->scratch);
	str_put(&s->scratch, verb.data, MIN(verb.len, 100));
	return match_list_text(s->srv->forbidden_commands, str_text(&s->scratch), &err) ==
	       TABLE_FOUND;
}

/* An error of the client that is nobody's policy. Counted once it was answered: the first reply
 * that is slow is the one behind smtpd_soft_error_limit errors. */
static void count_error(struct session *s)
{
	s->errors++;
	transcript_trouble(s->srv->transcript, CLASS_PROTOCOL);
}

/* full: the line with what stands behind a zero byte */
static void unknown_command(struct session *s, struct slice verb, struct slice full)
{
	s->where = "UNKNOWN";
	if (is_forbidden(s, verb)) {
		str_clear(&s->scratch);
		chat_escape(&s->scratch, full, 100);
		log_warn(
		    "non-SMTP command from %s: %.100s", s->peer.namaddr, str_text(&s->scratch));
		chat_reply(s, "221 2.7.0 Error: I can break rules, too. Goodbye.");
		if (s->end == END_NONE)
			s->end = END_ORDERLY;
		return;
	}
	chat_reply(s, "500 5.5.2 Error: command not recognized");
	count_error(s);
}

/*
 * RFC 2920 3.1: some commands have to be the last of a group, and plain SMTP has no groups at all.
 * false: the session is over for it.
 */
static bool pipelining_allowed(struct session *s, const struct command *command)
{
	struct slice behind = stream_buffered(&s->stream);

	bool fine = behind.len == 0 ||
	            (strcmp(s->protocol, "ESMTP") == 0 && !(command->flags & COMMAND_LAST));

	if (!s->bad_pipelining && !fine) {
		s->bad_pipelining = true;
		str_clear(&s->scratch);
		chat_escape(&s->scratch, slice_of(behind.data, MIN(behind.len, 100)), 400);
		log_info("improper command pipelining after %s from %s: %s", command->verb,
		    s->peer.namaddr, str_text(&s->scratch));
	}
	if (!s->bad_pipelining || !s->params->forbid_unauth_pipelining)
		return true;
	chat_reply(s, "554 5.5.0 Error: SMTP protocol synchronization");
	if (s->end == END_NONE)
		s->end = END_ORDERLY;
	return false;
}

static int run_command(struct session *s, const struct command *command, struct slice args)
{
	const char *refusal = s->tx.active ? command->when_busy : command->when_idle;

	if (command->flags & COMMAND_JUNK && s->junk++ > s->params->junk_command_limit)
		s->errors++;
	if (command->flags & COMMAND_HELO && s->params->helo_required && !s->helo)
		refusal = command->run == cmd_etrn ? "503 Error: send HELO/EHLO first"
		                                   : "503 5.5.1 Error: send HELO/EHLO first";
	if (session_tls_missing(s) && !(command->flags & COMMAND_PLAIN))
		refusal = "530 5.7.0 Must issue a STARTTLS command first";
	if (refusal) {
		chat_reply(s, "%s", refusal);
		return -1;
	}
	return command->run(s, args);
}

static bool is_noop(struct session *s, struct slice verb)
{
	const struct conf_list *list = &s->params->noop_commands;

	for (size_t i = 0; i < list->count; i++)
		if (slice_eq_nocase(verb, list->items[i]))
			return true;
	return false;
}

/* smtpd_command_filter. false: it failed, and the session ends. */
static bool filter_command(struct session *s)
{
	const char *text = str_text(&s->line), *host = s->srv->config->core->myhostname;
	enum table_answer answer;
	struct str other = {0};
	struct err err;

	if (table_chain_empty(s->srv->command_filter))
		return true;
	text += strspn(text, " \t");
	answer = table_chain_get(s->srv->command_filter, text, &other, &err);
	if (answer == TABLE_FOUND) {
		text_make_printable(s->line.data, s->line.len);
		log_info("%s: replacing command \"%.100s\" with \"%.100s\"", s->peer.namaddr, text,
		    str_text(&other));
		str_clear(&s->line);
		str_put(&s->line, str_text(&other), other.len);
	} else if (answer == TABLE_ERROR) {
		text_make_printable(s->line.data, s->line.len);
		log_warn("%s: lookup error for \"%.100s\"", err.text, text);
		log_info("%s: reject: %s from %s: 421 4.3.0 %s Server local data error",
		    s->tx.id[0] ? s->tx.id : "NOQUEUE", s->where, s->peer.namaddr, host);
		transcript_trouble(s->srv->transcript, CLASS_DATA);
		chat_reply(s, "421 4.3.0 %s Server local data error", host);
	}
	str_fini(&other);
	return answer != TABLE_ERROR;
}

/* Who was refused at the door hears it again. */
static bool refuse_denied(struct session *s, const struct command *command)
{
	if (!s->denied || (command && command->run == cmd_quit))
		return false;
	chat_reply(s, "503 5.7.0 Error: access denied for %s", s->peer.namaddr);
	s->errors++;
	return true;
}

static void serve_command(struct session *s)
{
	struct slice full = slice_of(str_text(&s->line), s->line.len), line, verb, args;
	const struct command *command;
	uint32_t troubles;
	size_t index;
	bool in_mail;
	int result;

	if (s->srv->shape->smtputf8_enable && !chat_utf8_valid(full)) {
		chat_reply(s, "500 5.5.2 Error: bad UTF-8 syntax");
		count_error(s);
		return;
	}
	str_cut(&s->line, strnlen(full.data, full.len));
	line = slice_of(full.data, s->line.len);
	smtp_command_split(line, &verb, &args);
	if (verb.len == 0) {
		chat_reply(s, "500 5.5.2 Error: bad syntax");
		count_error(s);
		return;
	}
	if (is_noop(s, verb)) {
		chat_reply(s, "250 2.0.0 Ok");
		if (s->junk++ > s->params->junk_command_limit)
			s->errors++;
		return;
	}
	command = command_find(verb);
	index = command ? (size_t)(command - commands) : command_count;
	s->tried[index]++;
	if (refuse_denied(s, command))
		return;
	if (!command) {
		unknown_command(s, verb, full);
		return;
	}
	s->where = command->verb;
	if (!pipelining_allowed(s, command))
		return;
	troubles = transcript_troubles(s->srv->transcript);
	if (command->flags & COMMAND_ANEW)
		begin_transcript(s);
	in_mail = s->tx.active && !(command->flags & COMMAND_ANEW);
	result = run_command(s, command, args);
	if (result < 0) {
		s->errors++;
		/* unless the command has said what kind of trouble it is, or there was no end to it
		 */
		if (transcript_troubles(s->srv->transcript) == troubles &&
		    (s->end == END_NONE || s->end == END_ORDERLY))
			transcript_trouble(s->srv->transcript, CLASS_PROTOCOL);
	} else if (result == 0)
		s->done[index]++;
	if (in_mail && !s->tx.active)
		begin_transcript(s);
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
		if (chat_read(s) && filter_command(s))
			serve_command(s);
	}
	say_farewell(s);
	session_tls_end(s);
	log_end(s);
	limits_leave(s);
	tell_postmaster(s, s->end == END_ORDERLY ? NULL : reasons[s->end]);
	transaction_end(s);
}

void session_serve(struct smtpd *srv, int fd)
{
	struct session s;

	session_init(&s, srv, fd);
	peer_from_fd(srv, fd, &s.arena, &s.peer);
	s.orphan = !upstream_begin(&s);
	session_run(&s);
	s.stream.fd = -1; /* the engine's to close */
	session_fini(&s);
}
