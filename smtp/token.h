/* SPDX-License-Identifier: ISC */
#ifndef SMTP_TOKEN_H
#define SMTP_TOKEN_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "smtp/auth_params.h"

/*
 * Access tokens and where they come from: "file:/path", or "command:/path word ..." (no shell; its
 * environment is PATH, SASL_USERNAME and SASL_SERVER; bounded in time and output). What either
 * prints is read by lib/sasl/token.h. A program's token is kept until shortly before its end, a
 * file is read whenever it is needed.
 */
struct token_store;

struct token_store *token_store_new(const struct smtp_auth_params *params);
void token_store_free(struct token_store **store); /* wipes all */

struct token_wish {
	const char *source; /* as above */
	const char *user, *server;
};

/* The token, in arena. *fresh_out: it was not in the store. -1 with err. */
int token_get(struct token_store *store, const struct token_wish *wish, struct arena *arena,
    const char **token_out, bool *fresh_out, struct err *err);
/* The server does not take it: the next one comes from the source. */
void token_forget(struct token_store *store, const struct token_wish *wish);

#endif
