/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FUZZ_SESSION_RULES_H
#define TESTS_FUZZ_SESSION_RULES_H

#include "tests/fuzz/session/play.h"

/* What the rules have seen of the present session. */
struct seen {
	unsigned replies, due;   /* said, and to be said before the next line is read */
	char open_code[4];       /* of a reply of several lines that is not over; "" : none */
	unsigned commits, ends;  /* messages taken, and ends of messages that the client sent */
	unsigned commits_before; /* the line that was read last */
	bool fresh_tls, xclient;
};
extern struct seen seen;

/* rules.c: may it be taken, for these recipients, from this client? */
void rules_look_at_transaction(struct session *s);

/* ---- rules_log.c: each line that is said gets into the log, in time and in order ------------- */

void log_rules_open(void);
/* A line of the log file, or several. */
void log_rules_written(const char *data, size_t len);
/* Somebody is going to wait: the log is owed nothing. */
void log_rules_wait(void);
void log_rules_begin(void);
void log_rules_end(void); /* behind the session */
/* Does the log say, last of all clients' messages, whose this one is? */
bool log_rules_is_present(const char *id);
unsigned log_rules_warnings(void);

/* ---- rules_body.c: what is stored is what was sent --------------------------------------------
 */

void body_begin(void);
void body_committing(bool on);
/* No line end in it? */
bool rules_clean(const char *text);

/* ---- rules_kept.c: what is answered with 250 is in the queue, durably, and nothing else is ----
 */

void kept_begin(void);
/* A line of a reply, before it is sent. */
void kept_reply(const char *line, size_t len);
/* The next line is going to be read, or the session is over. */
void kept_settled(void);
/* All sessions are over, the disk is well again: all messages are sound, another one is taken. */
void kept_check(struct smtpd *server);

#endif
