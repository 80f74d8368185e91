/* SPDX-License-Identifier: ISC */
#ifndef LIB_AUTH_ENTRY_H
#define LIB_AUTH_ENTRY_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/sasl/scram.h"

/* Values of the tables behind smtpd_sasl_type = table; smtpd_users(5). Pure. */

enum { ENTRY_HASH_MAX = 384, ENTRY_PASSWORD_MAX = 256, ENTRY_NAME_MAX = 255 };

/*
 * What is known of a user: words, each a form of the same password. "$y$...", "$6$...", "$2b$..."
 * and the like are libcrypt's, with or without {CRYPT} and its kin before them; "SCRAM-SHA-256$..."
 * and "{SCRAM-SHA-256}iterations,salt,stored,server" are verifiers; "{PLAIN}..." and
 * "{PLAIN.B64}..." are the password. "disabled": nobody gets in. "user=NAME": who it is.
 */
struct user_entry {
	bool disabled;
	char hash[ENTRY_HASH_MAX];         /* "" : none */
	char password[ENTRY_PASSWORD_MAX]; /* "" : none */
	bool has_verifier[3];              /* by enum digest_kind */
	struct scram_verifier verifier[3];
	char user[ENTRY_NAME_MAX + 1]; /* "" : the name asked for */
};
/* -1 with err, which says what was expected and never quotes a secret. */
int user_entry_parse(struct slice text, struct user_entry *out, struct err *err);
void user_entry_wipe(struct user_entry *entry);

/*
 * What is known of an access token: "user=joe expires=1764000000 scope=smtp,imap", the first of
 * them needed. "active=false" is a token that is good no more, as in RFC 7662.
 */
struct token_entry {
	char user[ENTRY_NAME_MAX + 1];
	int64_t expires;    /* seconds since 1970; 0: never */
	struct slice scope; /* of the text parsed; words between commas, colons may be in them */
	bool inactive;
};
int token_entry_parse(struct slice text, struct token_entry *out, struct err *err);
/* Is this scope among those of the token? wanted "" : any token will do. */
bool token_entry_allows(const struct token_entry *entry, const char *wanted);

#endif
