/* SPDX-License-Identifier: ISC */
/*
 * The dialogue of one client session as a table of stages: each stage has sent something and waits
 * for a reply. A session serves message after message: over one connection with -d, over a new one
 * each otherwise. With -P the commands of a transaction leave in one write and the replies are
 * taken in order; `ahead` says that the next stages' commands are already out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/smtp-source/session.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"

void stages_go(struct session *s, enum stage stage)
{
	s->stage = stage;
	s->since_ms = loop_now_ms(s->source->loop);
}

static void quit(struct session *s)
{
	stages_go(s, STAGE_QUIT);
	speak_line(s, "QUIT");
}

void stages_take_message(struct session *s)
{
	struct source *source = s->source;

	s->busy = true;
	snprintf(s->token, sizeof(s->token), "%016llx.%08lx", (unsigned long long)source->run_id,
	    source->started++);
}

void stages_begin(struct session *s)
{
	if (!s->busy)
		stages_take_message(s);
	s->rcpt_sent = s->rcpt_done = s->rcpt_accepted = s->end_done = 0;
	stages_go(s, STAGE_MAIL);
	speak_mail(s);
	s->ahead = s->source->pipeline && s->pipelining;
	if (s->ahead) {
		while (s->rcpt_sent < s->source->recipients)
			speak_rcpt(s);
		speak_line(s, "DATA");
	}
}

static void after_message(struct session *s)
{
	struct source *source = s->source;

	if (!source->keep_session || source->started == source->messages)
		quit(s);
	else if (session_pause_ms(source) > 0)
		timer_start(source->loop, &s->timer, session_pause_ms(source));
	else
		stages_begin(s);
}

static void note_accepted(struct session *s, const char *reply)
{
	struct str line = {0};

	if (s->source->accepted_fd < 0)
		return;
	str_printf(&line, "%s %s\n", s->token, reply);
	if (write(s->source->accepted_fd, line.data, line.len) != (ssize_t)line.len)
		fatal("write to the file of -J: %s", strerror(errno));
	str_fini(&line);
}

/* What each stage does with its (last line of a) reply. `ok`: the code is of the class expected. */
static void got_greeting(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	if (s->source->old) {
		stages_begin(s);
		return;
	}
	stages_go(s, STAGE_HELO);
	speak_helo(s);
}

static void got_helo(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	if (!s->source->tls || s->tls.session) {
		stages_begin(s);
		return;
	}
	stages_go(s, STAGE_STARTTLS);
	speak_line(s, "STARTTLS");
}

static void got_starttls(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	secure_begin(&s->tls, s->source, s->fd);
	s->shaking = true;
}

static void got_mail(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	if (!ok && !s->ahead) {
		session_message_done(s, false);
		stages_go(s, STAGE_RSET);
		speak_line(s, "RSET");
		return;
	}
	stages_go(s, STAGE_RCPT);
	if (!s->ahead)
		speak_rcpt(s);
}

static void got_rcpt(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	s->rcpt_done++;
	s->rcpt_accepted += ok;
	if (s->rcpt_done < s->source->recipients) {
		stages_go(s, STAGE_RCPT);
		if (!s->ahead)
			speak_rcpt(s);
		return;
	}
	if (s->rcpt_accepted == 0 && !s->ahead) {
		session_message_done(s, false);
		stages_go(s, STAGE_RSET);
		speak_line(s, "RSET");
		return;
	}
	stages_go(s, STAGE_DATA);
	if (!s->ahead)
		speak_line(s, "DATA");
}

static void got_data(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	if (!ok) {
		session_message_done(s, false);
		stages_go(s, STAGE_RSET);
		speak_line(s, "RSET");
		return;
	}
	stages_go(s, STAGE_END);
	if (s->rcpt_accepted == 0)
		str_put_text(&s->out, ".\r\n"); /* RFC 2920 3.1: nobody takes it */
	else
		speak_content(s);
}

static void got_end(struct session *s, const char *reply, bool ok)
{
	bool last = !s->source->lmtp || ++s->end_done >= s->rcpt_accepted;

	if (ok && s->rcpt_accepted > 0)
		note_accepted(s, reply);
	if (s->source->time_answers && s->rcpt_accepted > 0)
		answers_add(&s->source->answers, clock_mono_us() - s->ended_us);
	if (!last)
		return;
	session_message_done(s, ok && s->rcpt_accepted > 0);
	after_message(s);
}

static void got_rset(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	after_message(s);
}

static void got_quit(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	session_next(s, session_pause_ms(s->source));
}

static const struct stage_row {
	const char *name;
	char expect;    /* first digit of the reply code */
	bool must_have; /* a refusal ends the connection even with -A */
	void (*got)(struct session *s, const char *reply, bool ok);
} stages[STAGE_COUNT] = {
    [STAGE_GREETING] = {"connection", '2', true, got_greeting},
    [STAGE_HELO] = {"HELO", '2', true, got_helo},
    [STAGE_STARTTLS] = {"STARTTLS", '2', true, got_starttls},
    [STAGE_MAIL] = {"MAIL FROM", '2', false, got_mail},
    [STAGE_RCPT] = {"RCPT TO", '2', false, got_rcpt},
    [STAGE_DATA] = {"DATA", '3', false, got_data},
    [STAGE_END] = {"end of data", '2', false, got_end},
    [STAGE_RSET] = {"RSET", '2', true, got_rset},
    [STAGE_QUIT] = {"QUIT", '2', false, got_quit},
};

bool stages_reply(struct session *s, char *line)
{
	const struct stage_row *row = &stages[s->stage];
	char why[1200];
	bool ok;

	if (log_verbose())
		fprintf(stderr, "<<< %s\n", line);
	if (strspn(line, "0123456789") != 3 || (line[3] && line[3] != ' ' && line[3] != '-')) {
		snprintf(why, sizeof(why), "%s: not an SMTP reply: %.500s", row->name, line);
		session_failed(s, why);
		return false;
	}
	if (s->stage == STAGE_HELO && text_eq_nocase(line + 3 + (line[3] != 0), "PIPELINING"))
		s->pipelining = true;
	if (line[3] == '-')
		return true;
	if (s->stage == STAGE_END && s->with_body) {
		snprintf(why, sizeof(why), "reply before the end of data: %.500s", line);
		session_failed(s, why);
		return false;
	}
	ok = line[0] == row->expect;
	if (!ok && s->stage != STAGE_QUIT &&
	    (!s->source->no_abort || row->must_have || strncmp(line, "421", 3) == 0)) {
		snprintf(why, sizeof(why), "%s: unexpected reply: %.500s", row->name, line);
		session_failed(s, why);
		return false;
	}
	if (s->stage == STAGE_GREETING) {
		s->connecting = false;
		s->tries = 0;
	}
	row->got(s, line, ok);
	return s->fd >= 0 && s->stage != STAGE_GREETING && !s->shaking;
}

const char *stages_name(enum stage stage)
{
	return stages[stage].name;
}
