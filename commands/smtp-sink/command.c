/* SPDX-License-Identifier: ISC */
/*
 * The dialogue as a table of commands. What -f, -r, -q, -Q and -W ask for is applied in one place,
 * before the command's own function is called.
 */
#include "commands/smtp-sink/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static void do_connect(struct session *s, const char *arg)
{
	char line[512];

	(void)arg;
	if (s->sink->pix)
		snprintf(line, sizeof(line), "220 ********");
	else
		snprintf(line, sizeof(line), "220 %s%s", s->sink->hostname,
		    s->sink->no_esmtp ? ""
		    : s->sink->lmtp   ? " LMTP"
		                      : " ESMTP");
	session_reply(s, line);
}

void command_reset(struct session *s)
{
	str_clear(&s->mail);
	str_clear(&s->rcpts);
	str_clear(&s->content);
	s->rcpt_count = 0;
}

static void set_helo(struct session *s, const char *arg, const char *proto)
{
	command_reset(s);
	str_clear(&s->helo);
	str_put_text(&s->helo, arg);
	s->proto = proto;
}

static void do_helo(struct session *s, const char *arg)
{
	char line[512];

	set_helo(s, arg, "SMTP");
	snprintf(line, sizeof(line), "250 %s", s->sink->hostname);
	session_reply(s, line);
}

static void put_features(struct session *s)
{
	const struct sink *sink = s->sink;
	const struct {
		bool off;
		const char *text;
	} features[] = {
	    {sink->no_pipelining, "PIPELINING"},
	    {sink->no_8bitmime, "8BITMIME"},
	    {sink->no_auth, "AUTH PLAIN LOGIN"},
	    {sink->no_xclient, "XCLIENT NAME HELO"},
	    {sink->no_xforward, "XFORWARD NAME ADDR PROTO HELO"},
	    {sink->no_codes, "ENHANCEDSTATUSCODES"},
	    {sink->no_dsn, "DSN"},
	    {!sink->tls || s->tls, "STARTTLS"},
	};
	char line[512], last[512];

	snprintf(last, sizeof(last), "%.500s", sink->hostname);
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if (features[i].off)
			continue;
		snprintf(line, sizeof(line), "250-%.500s", last);
		session_reply(s, line);
		snprintf(last, sizeof(last), "%s", features[i].text);
	}
	snprintf(line, sizeof(line), "250 %.500s", last);
	session_reply(s, line);
}

static void do_ehlo(struct session *s, const char *arg)
{
	set_helo(s, arg, s->sink->lmtp ? "LMTP" : "ESMTP");
	put_features(s);
}

static void do_mail(struct session *s, const char *arg)
{
	if (!text_starts_nocase(arg, "FROM:")) {
		session_reply(s, "501 5.5.4 Syntax: MAIL FROM:<address>");
		return;
	}
	if (s->mail.len > 0) {
		session_reply(s, "503 5.5.1 Error: a transaction is open");
		return;
	}
	str_put_text(&s->mail, arg + 5);
	if (s->mail.len == 0)
		str_put_char(&s->mail, ' ');
	session_reply(s, "250 2.1.0 Ok");
}

static void do_rcpt(struct session *s, const char *arg)
{
	const struct sink *sink = s->sink;

	if (!text_starts_nocase(arg, "TO:")) {
		session_reply(s, "501 5.5.4 Syntax: RCPT TO:<address>");
		return;
	}
	if (s->mail.len == 0) {
		session_reply(s, "503 5.5.1 Error: MAIL first");
		return;
	}
	for (size_t i = 0; i < sink->rcpt_rule_count; i++) {
		if (strstr(arg, sink->rcpt_rules[i].text)) {
			session_reply(s, sink->rcpt_rules[i].reply);
			return;
		}
	}
	str_put_text(&s->rcpts, arg + 3);
	str_put_char(&s->rcpts, '\n');
	s->rcpt_count++;
	session_reply(s, "250 2.1.5 Ok");
}

static void delay(struct session *s, int ms)
{
	s->delayed = true;
	timer_start(s->sink->loop, &s->timer, ms);
}

static void do_data(struct session *s, const char *arg)
{
	(void)arg;
	if (s->rcpt_count == 0) {
		session_reply(s, s->mail.len ? "554 5.5.1 Error: no valid recipients"
		                             : "503 5.5.1 Error: RCPT first");
		return;
	}
	session_reply(s, "354 End data with <CR><LF>.<CR><LF>");
	s->in_data = s->at_line_start = true;
	s->current = SINK_DATA;
	if (s->sink->abort_delay_ms >= 0)
		delay(s, s->sink->abort_delay_ms);
	else if (s->sink->read_delay_ms > 0)
		delay(s, s->sink->read_delay_ms);
}

static void do_dot(struct session *s, const char *arg)
{
	int replies = s->sink->lmtp ? s->rcpt_count : 1;

	(void)arg;
	if (dump_wanted(s->sink))
		dump_message(s);
	while (replies-- > 0)
		session_reply(s, "250 2.0.0 Ok");
	s->sink->messages++;
	command_reset(s);
	sink_counters_changed(s->sink);
}

static void do_ok(struct session *s, const char *arg)
{
	(void)arg;
	session_reply(s, "250 2.0.0 Ok");
}

static void do_rset(struct session *s, const char *arg)
{
	command_reset(s);
	do_ok(s, arg);
}

static void do_vrfy(struct session *s, const char *arg)
{
	(void)arg;
	session_reply(s, "252 2.0.0 Ok");
}

static void do_quit(struct session *s, const char *arg)
{
	(void)arg;
	session_reply(s, "221 2.0.0 Bye");
	s->closing = true;
	s->sink->quits++;
	sink_counters_changed(s->sink);
}

static void do_auth(struct session *s, const char *arg)
{
	if (strchr(arg, ' ')) {
		session_reply(s, "235 2.7.0 Authentication successful");
		return;
	}
	session_reply(s, "334 ");
	s->auth_line = true;
}

static void do_xclient(struct session *s, const char *arg)
{
	command_reset(s);
	do_connect(s, arg);
}

static void do_starttls(struct session *s, const char *arg)
{
	(void)arg;
	if (!s->sink->tls || s->tls) {
		session_reply(s, "502 5.5.1 Error: no TLS here");
		return;
	}
	session_reply(s, "220 2.0.0 Ready to start TLS");
	command_reset(s);
	s->start_tls = true;
}

static const struct command {
	const char *name;
	void (*run)(struct session *s, const char *arg);
	bool typed; /* a client can send it as a command */
} commands[SINK_COMMANDS] = {
    [SINK_CONNECT] = {"CONNECT", do_connect, false},
    [SINK_HELO] = {"HELO", do_helo, true},
    [SINK_EHLO] = {"EHLO", do_ehlo, true},
    [SINK_LHLO] = {"LHLO", do_ehlo, true},
    [SINK_MAIL] = {"MAIL", do_mail, true},
    [SINK_RCPT] = {"RCPT", do_rcpt, true},
    [SINK_VRFY] = {"VRFY", do_vrfy, true},
    [SINK_DATA] = {"DATA", do_data, true},
    [SINK_DOT] = {".", do_dot, false},
    [SINK_RSET] = {"RSET", do_rset, true},
    [SINK_NOOP] = {"NOOP", do_ok, true},
    [SINK_QUIT] = {"QUIT", do_quit, true},
    [SINK_AUTH] = {"AUTH", do_auth, true},
    [SINK_XCLIENT] = {"XCLIENT", do_xclient, true},
    [SINK_XFORWARD] = {"XFORWARD", do_ok, true},
    [SINK_STARTTLS] = {"STARTTLS", do_starttls, true},
};

int command_find(const char *name)
{
	for (int i = 0; i < SINK_COMMANDS; i++) {
		if (text_eq_nocase(name, commands[i].name))
			return i;
	}
	return -1;
}

/* Refused as -f, -r, -q, -Q say? */
static bool refused(struct session *s, enum sink_command which)
{
	const struct sink *sink = s->sink;
	int flags = sink->actions[which].flags, replies = 1;
	const char *reply = flags & SINK_HARD ? sink->hard_reply : sink->soft_reply;

	if (flags & SINK_DISCONNECT) {
		str_clear(&s->out);
		s->closing = true;
		return true;
	}
	if (flags & SINK_CLOSE_421) {
		session_reply(s, "421 4.0.0 Service closing transmission channel");
		s->closing = true;
		return true;
	}
	if (!(flags & (SINK_HARD | SINK_SOFT)))
		return false;
	if (which == SINK_DOT) {
		replies = sink->lmtp ? s->rcpt_count : 1;
		command_reset(s);
	}
	while (replies-- > 0)
		session_reply(s, reply);
	if (which == SINK_CONNECT || which == SINK_QUIT)
		s->closing = true;
	return true;
}

static void run(struct session *s, enum sink_command which, const char *arg)
{
	if (!refused(s, which))
		commands[which].run(s, arg);
}

static void start(struct session *s, enum sink_command which, const char *arg)
{
	const struct sink_action *action = &s->sink->actions[which];
	int times = 1;

	if (action->flags & SINK_LOG)
		syslog(LOG_MAIL | LOG_INFO, "%s %.100s", commands[which].name, arg);
	if (action->delay_ms == 0) {
		run(s, which, arg);
		return;
	}
	if (action->odds > 0) {
		while (random() % 100 < action->odds)
			times++;
		times--;
	}
	s->current = which;
	str_clear(&s->delayed_line);
	str_put_text(&s->delayed_line, arg);
	delay(s, action->delay_ms * times);
}

void command_resume(struct session *s)
{
	if (s->in_data) { /* the delay came after the 354 */
		if (s->sink->abort_delay_ms < 0)
			return;
		session_reply(s, "550 5.3.0 Error: command failed");
		s->deaf = true;
		return;
	}
	run(s, s->current, str_text(&s->delayed_line));
}

void command_greet(struct session *s)
{
	start(s, SINK_CONNECT, "");
}

void command_end_of_data(struct session *s)
{
	start(s, SINK_DOT, "");
}

void command_line(struct session *s, char *line)
{
	size_t verb_len = strcspn(line, " \t");
	char *arg = line + verb_len;
	int which;

	if (s->auth_line) {
		s->auth_line = false;
		session_reply(s, "235 2.7.0 Authentication successful");
		return;
	}
	if (*arg)
		*arg++ = '\0';
	arg += strspn(arg, " \t");
	which = command_find(line);
	if (which < 0 || !commands[which].typed ||
	    (which == SINK_EHLO && (s->sink->no_esmtp || s->sink->lmtp)) ||
	    (which == SINK_LHLO && !s->sink->lmtp) || (which == SINK_HELO && s->sink->lmtp)) {
		session_reply(s, "500 5.5.1 Error: unknown command");
		return;
	}
	start(s, (enum sink_command)which, arg);
}
