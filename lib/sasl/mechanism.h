/* SPDX-License-Identifier: ISC */
#ifndef LIB_SASL_MECHANISM_H
#define LIB_SASL_MECHANISM_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/conf/conf.h"

/* The SASL mechanisms (RFC 4422) that this library speaks, and what each is worth. */
enum sasl_security { /* as the words of smtp_sasl_security_options ask for it */
	SASL_NOPLAINTEXT = 1 << 0,
	SASL_NOACTIVE = 1 << 1,
	SASL_NODICTIONARY = 1 << 2,
	SASL_NOANONYMOUS = 1 << 3,
	SASL_MUTUAL_AUTH = 1 << 4,
	SASL_FORWARD_SECRECY = 1 << 5,
};

enum sasl_kind {
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_1,
	SASL_CRAM_MD5,
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_OAUTHBEARER,
	SASL_XOAUTH2,
};

struct sasl_mechanism {
	const char *name;
	enum sasl_kind kind;
	unsigned security; /* enum sasl_security: what it gives */
	bool bearer;       /* the secret is a token that somebody else issued */
	bool server;       /* lib/sasl/server.h speaks it too */
};

/* Best first, tokens last. NULL behind the last. */
const struct sasl_mechanism *sasl_mechanism_at(size_t i);
/* By name, case ignored; NULL: not ours. */
const struct sasl_mechanism *sasl_mechanism_find(struct slice name);

/* The words, for rows of parameter tables. */
extern const struct conf_enum sasl_security_names[];

/*
 * The best mechanism of those that `offered` names (split at blanks) and that gives what `wanted`
 * asks for. bearer: the secret is known to be a token, and only such mechanisms count; otherwise
 * they are used when nothing else is left. NULL: none.
 */
const struct sasl_mechanism *sasl_mechanism_choose(
    struct slice offered, unsigned wanted, bool bearer);

#endif
