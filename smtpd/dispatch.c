/* SPDX-License-Identifier: ISC */
/*
 * One command line, on its way to the function of its command (commands.c): what it may look like,
 * whether it may be said now, and what it counts as.
 */
#include "smtpd/smtpd.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/smtp/command.h"
#include "smtpd/tls.h"

/* The client begins anew: a long transcript does so, too. */
static void begin_transcript(struct session *s)
{
	if (transcript_lines(s->srv->transcript) > (size_t)s->params->history_flush_threshold)
		session_tell_postmaster(s, NULL);
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

void dispatch_line(struct session *s)
{
	if (filter_command(s))
		serve_command(s);
}
