/* SPDX-License-Identifier: ISC */
#ifndef SMTP_LOGIN_H
#define SMTP_LOGIN_H

#include "smtp/session.h"

/*
 * Who logs in where: what smtp_sasl_password_maps says, which logins were refused lately, and the
 * tokens. One for each process.
 */
struct token_store;
struct auth {
	const struct smtp_auth_params *params;
	const struct core_params *core;
	const char *family; /* "smtp" or "lmtp", for the names of parameters */
	struct table_chain *passwords, *tokens;
	struct match_list *filter; /* NULL: all mechanisms */
	struct match_list *local;  /* mydestination: senders found by their local part alone */
	struct token_store *store;
};

struct login {
	const char *user, *password; /* in the arena; password "" when a token is used */
	const char *token_source;    /* "" : a password */
};

/* The login for mail of this sender to this server. host may be NULL: not known yet. */
enum table_answer login_find(const struct auth *auth, const struct target *to, const char *host,
    struct arena *arena, struct login *out, struct err *err);

/* ---- refused.c: logins that were refused --------------------------------------------------- */

struct refusal {
	const char *dsn, *text; /* of the server's reply */
};
/* Was this login refused within the time limit? Answers false when the table has trouble. */
bool refused_find(const struct auth *auth, const char *host, const struct login *login,
    struct arena *arena, struct refusal *out);
void refused_put(const struct auth *auth, const char *host, const struct login *login,
    const struct smtp_reply *reply);

/* Hexadecimal SHA-256 of the texts, each with its zero byte; NULL ends them. In arena. */
const char *login_digest(struct arena *arena, const char *first, ...) __attribute__((sentinel));

#endif
