/* SPDX-License-Identifier: ISC */
#ifndef LIB_SMTP_REPLY_H
#define LIB_SMTP_REPLY_H

#include <stdbool.h>

#include "lib/base/str.h"

/*
 * An SMTP reply (RFC 5321 4.2, RFC 2034), collected line by line. Pure.
 */
struct smtp_reply {
	int code;     /* 200..599, the last line's; 0 before the first line */
	char dsn[12]; /* "5.1.1" when a line begins with an enhanced status of the code's class */
	struct str text;  /* all lines as received, codes included, joined by single blanks... */
	struct str lines; /* ...and by LF (codes included too), for EHLO features */
	int line_count;
	bool complete;
};

enum { SMTP_REPLY_MAX_LINES = 200, SMTP_REPLY_MAX_TEXT = 20000 };

void smtp_reply_reset(struct smtp_reply *r); /* before the first use: zero the struct */
void smtp_reply_fini(struct smtp_reply *r);
/* One line without its line end. 1: reply complete, 0: more lines follow, -1: not SMTP. */
int smtp_reply_line(struct smtp_reply *r, struct slice line);

/* Splits "5.1.1 text" : copies a valid enhanced status ([245].d+.d+) to dsn (12 bytes), returns the
 * text behind it; dsn is "" and text is returned as is when there is none. */
const char *smtp_dsn_split(const char *text, char dsn[12]);

#endif
