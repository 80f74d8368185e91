/* SPDX-License-Identifier: ISC */
#ifndef LOCAL_VERDICT_H
#define LOCAL_VERDICT_H

#include "lib/base/attr.h"
#include "lib/peer/status.h"

/* How one delivery ended: what agent_sent or agent_failed will say. */
struct verdict {
	enum outcome outcome;
	char dsn[12];
	char text[1200];
	char diag[128]; /* "x-unix; user unknown", or "" */
};

void verdict_set(struct verdict *v, enum outcome outcome, const char *dsn, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/*
 * A file operation failed with `code` (an errno). A full or too large mailbox is the recipient's
 * permanent trouble only where the limit is ours (EFBIG); all that may pass by itself, or that an
 * administrator can mend, waits.
 */
void verdict_errno(struct verdict *v, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "prefix" (and nothing else) before the text. */
void verdict_prefix(struct verdict *v, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
