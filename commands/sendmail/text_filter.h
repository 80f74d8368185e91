/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_SENDMAIL_TEXT_FILTER_H
#define COMMANDS_SENDMAIL_TEXT_FILTER_H

#include "lib/base/str.h"

/*
 * The message as a program writes it to sendmail's standard input, made into content: lines of any
 * length ending in LF. CR LF becomes LF; a line with a dot alone ends the message (dot_ends);
 * mailbox separators ("From " and ">From " lines) before the header go. Incremental and pure;
 * remembers at most a few bytes.
 */
struct text_filter {
	bool dot_ends;  /* without -i */
	bool drop_from; /* still before the header */
	bool done;      /* the dot was seen */
	/* the rest is the filter's own */
	char head[8];
	size_t head_len;
	bool in_line, skipping, pending_cr, open_line;
};

void text_filter_init(struct text_filter *f, bool dot_ends, bool drop_from);
/* Appends to out. Input behind the dot is ignored. */
void text_filter_put(struct text_filter *f, const char *data, size_t len, struct str *out);
/* End of input: a last line without its end gets one. */
void text_filter_end(struct text_filter *f, struct str *out);

#endif
