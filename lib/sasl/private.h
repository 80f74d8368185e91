/* SPDX-License-Identifier: ISC */
#ifndef LIB_SASL_PRIVATE_H
#define LIB_SASL_PRIVATE_H

#include "lib/sasl/client.h"
#include "lib/sasl/scram.h"
#include "lib/sasl/server.h"

struct sasl_client {
	const struct sasl_mechanism *mechanism;
	char *user, *authzid, *secret, *host, *nonce;
	unsigned port;
	int step;      /* challenges answered */
	bool complete; /* nothing more is to be proved */
	struct str detail;
	struct str first;            /* SCRAM: client-first-message-bare */
	struct str server_signature; /* SCRAM: what server-final must say */
};

struct sasl_server {
	const struct sasl_mechanism *mechanism;
	const struct sasl_backend *backend;
	int step;
	bool over;   /* there was a verdict: nothing more is listened to */
	bool failed; /* a token was refused: the client's next answer leads to the verdict */
	bool proved; /* SCRAM: the client knows the password, and hears that we do */
	struct str user;
	struct str gs2, first, server_first, nonce; /* SCRAM */
	bool decoy;
	struct scram_verifier verifier;
	const char *test_nonce;
};

enum digest_kind sasl_scram_digest(const struct sasl_mechanism *mechanism);

int scram_client_first(struct sasl_client *c, struct str *out, struct err *err);
int scram_client_step(
    struct sasl_client *c, struct slice challenge, struct str *out, struct err *err);

enum sasl_verdict scram_server_step(struct sasl_server *s, struct slice in, struct str *out);

#endif
