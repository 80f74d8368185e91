/* SPDX-License-Identifier: ISC */
/* What a session says to the server, into its output buffer. */
#include "commands/smtp-source/session.h"

#include <stdio.h>

#include "lib/base/log.h"

void speak_line(struct session *s, const char *text)
{
	if (log_verbose())
		fprintf(stderr, ">>> %s\n", text);
	str_put_text(&s->out, text);
	str_put_text(&s->out, "\r\n");
}

void speak_helo(struct session *s)
{
	char line[512];
	const struct source *source = s->source;

	snprintf(line, sizeof(line), "%s %s",
	    source->lmtp                      ? "LHLO"
	    : source->pipeline || source->tls ? "EHLO"
	                                      : "HELO",
	    source->myhostname);
	speak_line(s, line);
}

void speak_mail(struct session *s)
{
	char line[1100];

	snprintf(line, sizeof(line), "MAIL FROM:<%s>", s->source->from);
	speak_line(s, line);
}

void speak_rcpt(struct session *s)
{
	struct source *source = s->source;
	char line[1100];

	if (source->number_recipients)
		snprintf(
		    line, sizeof(line), "RCPT TO:<%ld%s>", ++source->next_recipient, source->to);
	else if (source->recipients > 1)
		snprintf(line, sizeof(line), "RCPT TO:<%d%s>", s->rcpt_sent + 1, source->to);
	else
		snprintf(line, sizeof(line), "RCPT TO:<%s>", source->to);
	s->rcpt_sent++;
	speak_line(s, line);
}

void speak_content(struct session *s)
{
	message_head(s->source, s->token, &s->out);
	s->with_body = true;
	s->body_at = 0;
}
