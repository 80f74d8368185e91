/* SPDX-License-Identifier: ISC */
#ifndef SMTP_REWRITE_H
#define SMTP_REWRITE_H

#include "lib/shape/checks.h"
#include "smtp/generic.h"

/*
 * Content changed on its way out: smtp_header_checks and their like, smtp_generic_maps in the
 * header, and 8-bit parts made quoted-printable for a server that takes no others (RFC 6152
 * section 3). Streaming, in bounded memory. Only what has to be looked at passes here.
 */
enum {
	REWRITE_HEADER = 1 << 0, /* the message's own header */
	REWRITE_PARTS = 1 << 1,  /* all of it */
	REWRITE_TO_7BIT = 1 << 2,
};

struct rewrite_plan {
	const struct smtp_content_params *params;
	struct generic *generic; /* NULL: none */
	struct checks *checks;   /* NULL: none */
	const char *id;          /* of the message, for logs */
	unsigned what;           /* REWRITE_*; 0: the content goes out as it is */
};

/* smtp_header_checks and the like; NULL: none. The params must outlive it. */
struct checks *rewrite_open_checks(const struct smtp_content_params *params, bool lmtp);

struct rewrite;
/* The plan must outlive it. What comes out is appended to `out`. */
struct rewrite *rewrite_begin(const struct rewrite_plan *plan, struct str *out);
/* CRLF content in pieces of any size. -1 with err: a table failed, the message is to wait. */
int rewrite_put(struct rewrite *rewrite, const char *data, size_t len, struct err *err);
/* The content is over. Frees; *rewrite may be NULL. */
int rewrite_end(struct rewrite **rewrite, struct err *err);

#endif
