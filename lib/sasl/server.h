/* SPDX-License-Identifier: ISC */
#ifndef LIB_SASL_SERVER_H
#define LIB_SASL_SERVER_H

#include "lib/sasl/mechanism.h"
#include "lib/sasl/scram.h"

/*
 * The server's side of an authentication: responses in, challenges out, both as bytes (base64 and
 * the bound on a response's length are the protocol's). No I/O of its own: who the users are is
 * asked of a backend, in the middle of a step.
 */
struct sasl_server;

enum sasl_answer { SASL_YES, SASL_NO, SASL_TRY_LATER };

struct sasl_backend {
	/* PLAIN and LOGIN. NULL: not offered. */
	enum sasl_answer (*password)(void *arg, const char *user, const char *password);
	/* SCRAM: the user's verifier of this kind. SASL_NO: no such user. */
	enum sasl_answer (*verifier)(
	    void *arg, const char *user, enum digest_kind kind, struct scram_verifier *out);
	/*
	 * Tokens: whose is it? user is whom the client wants to be, "" when it leaves that to the
	 * token; the login name is appended to user_out.
	 */
	enum sasl_answer (*token)(
	    void *arg, const char *user, const char *token, struct str *user_out);
	void *arg;
	/*
	 * SCRAM with an unknown user goes on as with a known one: its salt is computed of this
	 * secret, which should be the same in all processes and over restarts.
	 */
	struct slice decoy_key;
	int decoy_iterations; /* of the verifiers that there are */
};

enum sasl_verdict {
	SASL_CONTINUE,  /* send the challenge */
	SASL_ACCEPTED,  /* sasl_server_user says who */
	SASL_REFUSED,   /* 535 */
	SASL_MALFORMED, /* 501 */
	SASL_LATER,     /* 454 */
};

enum { SASL_USER_MAX = 255, SASL_SECRET_MAX = 8192 };

/* NULL: the mechanism is not spoken here, or the backend lacks it. The backend must outlive it. */
struct sasl_server *sasl_server_new(
    const struct sasl_mechanism *mechanism, const struct sasl_backend *backend);
void sasl_server_free(struct sasl_server **server);
void sasl_server_set_nonce(
    struct sasl_server *server, const char *nonce); /* for tests; not copied */

/*
 * What the client sent; response.data is NULL when the AUTH command brought no initial response
 * (an empty one has data). The challenge is appended to out.
 */
enum sasl_verdict sasl_server_step(
    struct sasl_server *server, struct slice response, struct str *out);

/* The login name; before SASL_ACCEPTED it is only what the client claimed ("" : nothing yet). */
const char *sasl_server_user(const struct sasl_server *server);

#endif
