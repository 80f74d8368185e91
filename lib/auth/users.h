/* SPDX-License-Identifier: ISC */
#ifndef LIB_AUTH_USERS_H
#define LIB_AUTH_USERS_H

#include "lib/auth/auth.h"

/*
 * Users of tables: PLAIN, LOGIN, SCRAM, and tokens where there is a table of these. Case of login
 * names is ignored; who it is is said in lower case. Somebody that nobody knows is told no as
 * slowly, and with challenges of the same looks, as somebody with a wrong password: what passwords
 * are made of is learnt from the first entries of a table that can be walked. SCRAM is offered when
 * all of those have what it needs.
 */
struct auth_users_config {
	const char *maps, *token_maps; /* lists of tables; values as lib/auth/entry.h says */
	const char *token_scope;       /* what a token must be good for; "" : nothing special */
	const char *domain;            /* of names without one; "" : none */
};

/* Copies the texts. Tables that cannot be opened are logged, and answer SASL_LATER. */
struct auth *auth_users_new(const struct auth_users_config *config);

#endif
