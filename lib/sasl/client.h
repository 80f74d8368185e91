/* SPDX-License-Identifier: ISC */
#ifndef LIB_SASL_CLIENT_H
#define LIB_SASL_CLIENT_H

#include "lib/sasl/mechanism.h"

/*
 * The client's side of an authentication: challenges in, responses out, both as bytes (base64 is
 * the protocol's). No I/O, no logging; what a server sends can only lead to an error.
 */
struct sasl_client;

struct sasl_identity {
	const char *user;    /* the login name */
	const char *authzid; /* whom to act as; "" : the user itself */
	const char *secret;  /* password, or token */
	const char *host;    /* the server's name and port, for OAUTHBEARER; "" and 0: left out */
	unsigned port;
	const char *nonce; /* NULL: random; for tests */
};

/* Copies the identity. -1 with err: it cannot be said in this mechanism (a zero byte, ...). */
int sasl_client_new(const struct sasl_mechanism *mechanism, const struct sasl_identity *who,
    struct sasl_client **out, struct err *err);
void sasl_client_free(struct sasl_client **client); /* wipes the secret */

/* 1: *out is the initial response; 0: the server speaks first; -1 with err. */
int sasl_client_first(struct sasl_client *client, struct str *out, struct err *err);
/* The response to a challenge (appended to out), or -1 with err: cancel the exchange. */
int sasl_client_step(
    struct sasl_client *client, struct slice challenge, struct str *out, struct err *err);
/* May the server's success be believed? (With mutual authentication: has it proved itself?) */
bool sasl_client_complete(const struct sasl_client *client);
/* What the server said of why a token is not good, printable; "" : nothing. */
const char *sasl_client_detail(const struct sasl_client *client);

#endif
