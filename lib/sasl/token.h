/* SPDX-License-Identifier: ISC */
#ifndef LIB_SASL_TOKEN_H
#define LIB_SASL_TOKEN_H

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * An access token as a file or a program gives it. Pure. Either the answer of an authorisation
 * server, a JSON object (RFC 6749 5.1) with "access_token" and perhaps "expires_in" in seconds; or
 * plain text: the token on the first line, and perhaps the seconds on the second.
 */
enum { TOKEN_MAX = 8192, TOKEN_TEXT_MAX = 64 * 1024, TOKEN_DEPTH_MAX = 16 };

struct token_text {
	struct str token; /* zero the struct before the first use; token_text_fini */
	int lifetime;     /* seconds; -1: not said */
};

/* 0, or -1 with err, which never quotes the text: it is a secret. */
int token_text_parse(struct slice text, struct token_text *out, struct err *err);
void token_text_fini(struct token_text *token); /* wipes it */

#endif
