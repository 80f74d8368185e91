/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_SMTP_SOURCE_SESSION_H
#define COMMANDS_SMTP_SOURCE_SESSION_H

#include "commands/smtp-source/source.h"

/* One client session: private to session.c, stages.c and speak.c. */
enum { INPUT_MAX = 8192 };

enum stage {
	STAGE_GREETING,
	STAGE_HELO,
	STAGE_STARTTLS,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_END,
	STAGE_RSET,
	STAGE_QUIT,
	STAGE_COUNT
};

struct session {
	struct source *source;
	struct watch watch;
	struct timer timer;
	int fd; /* -1: not connected */
	enum stage stage;
	bool pipelining; /* -P: the server offers PIPELINING */
	bool ahead;      /* -P: commands up to DATA are out */
	bool connecting; /* no greeting yet */
	bool shaking;    /* the TLS handshake is under way */
	struct secure tls;
	bool busy; /* a message was taken and is not finished */
	int tries; /* connections tried for this message */
	int rcpt_sent, rcpt_done, rcpt_accepted, end_done;
	int64_t since_ms; /* when the awaited reply was asked for */
	int64_t ended_us; /* -a: when the end of the content was out */
	char token[TOKEN_MAX];
	struct str out; /* pending output before the shared body */
	size_t out_at;
	bool with_body;
	size_t body_at;
	size_t in_len;
	char in[INPUT_MAX];
};

/* session.c: the connection. */
void session_message_done(struct session *s, bool accepted);
int64_t session_pause_ms(const struct source *source); /* -w, -R: before the next message */
/* The connection is gone, or was given up: the next message needs a new one. */
void session_next(struct session *s, int64_t pause);
/* Without -A ends the program; with it, gives up this message and goes on with the next. */
void session_failed(struct session *s, const char *why);

/* stages.c: what is said. Sends nothing by itself; what is to be sent is in s->out. */
void stages_go(struct session *s, enum stage stage);
void stages_take_message(struct session *s); /* the next of those still to be sent */
void stages_begin(struct session *s);        /* a transaction */
/* One line of the server. false: the session has gone on to another connection. */
bool stages_reply(struct session *s, char *line);
const char *stages_name(enum stage stage);

/* speak.c. A line, with its end. */
void speak_line(struct session *s, const char *text);
void speak_helo(struct session *s);
void speak_mail(struct session *s);
void speak_rcpt(struct session *s); /* the next one */
void speak_content(struct session *s);

#endif
