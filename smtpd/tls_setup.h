/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_TLS_SETUP_H
#define SMTPD_TLS_SETUP_H

#include "lib/secure/secure.h"
#include "lib/secure/shared.h"
#include "smtpd/tls_names.h"
#include "smtpd/tls_params.h"

/*
 * What main.cf comes to: the level, ciphers and protocols, and a context of the files as they are
 * now. Nothing of the files is remembered: that is tls_engine.h's.
 */
struct tls_setup {
	const struct smtpd_tls_params *params;
	const struct secure_params *secure;
	enum server_tls_level level;  /* never SERVER_TLS_UNSET */
	struct secure_shared *shared; /* sessions and ticket keys of all processes; NULL: none */
	struct tls_names *names;      /* certificates by name; NULL: none */
	/* of tls_setup_ciphers */
	char *cipherlist;
	struct tls_protocols protocols;
};

/* Texts stay the caller's; shared and names are the setup's from when they are set. */
void tls_setup_init(struct tls_setup *setup, const struct smtpd_tls_params *params,
    const struct secure_params *secure);
void tls_setup_fini(struct tls_setup *setup);

/* A level that servers do not have and for which encrypt is taken; NULL: there is none. */
const char *tls_setup_odd_level(const struct smtpd_tls_params *params);
/* Has a client no choice? */
bool tls_setup_is_mandatory(const struct tls_setup *setup);
bool tls_setup_has_chains(const struct smtpd_tls_params *params);
/* The first of the files with certificates, for messages. */
const char *tls_setup_file(const struct smtpd_tls_params *params);

/* 0, or -1 with err. */
int tls_setup_ciphers(struct tls_setup *setup, struct err *err);
/*
 * After tls_setup_ciphers. text: chains to use instead of the files' content; or NULL, then kept
 * (may be NULL) gets what was read, which is secret. 0, or -1 with err.
 */
int tls_setup_context(const struct tls_setup *setup, const struct str *text, struct str *kept,
    struct tls_context **out, struct err *err);

#endif
