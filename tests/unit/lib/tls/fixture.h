/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_TLS_FIXTURE_H
#define TESTS_UNIT_LIB_TLS_FIXTURE_H

#include "lib/base/str.h"
#include "lib/tls/session.h"

/* Certificates made on the spot, and two ends that talk TLS in one process, by threads. */

struct made_cert {
	struct str pem;   /* key, certificate, issuers */
	struct str cert;  /* the certificate alone */
	void *key, *x509; /* for certificates that it issues */
};

struct cert_spec {
	const char *cn, *names; /* "DNS:a,DNS:b" or NULL */
	const char *key;        /* "ec", "rsa", "ed25519"; NULL: ec */
	int from_days, to_days; /* from now */
	bool ca;
	const struct made_cert *issuer; /* NULL: by itself */
};
void cert_make(const struct cert_spec *spec, struct made_cert *out);
void cert_free(struct made_cert *cert);
/* What a TLSA record of these numbers says about it (RFC 6698). */
void cert_tlsa(const struct made_cert *cert, unsigned usage, unsigned selector, unsigned matching,
    unsigned char digest[64], struct tls_tlsa *out);
/* A file in the test's folder; the name lives until the process ends. */
const char *cert_file(const char *name, const struct str *pem);
const char *scratch_folder(void);
void scratch_remove(void);

struct tls_context *server_context(
    const char *chain, const char *ca, const struct tls_server_hooks *hooks);
struct tls_context *client_context(const char *chain, const char *ca);

/*
 * Runs a handshake; the server answers each line with itself, "quit" with close_notify, "drop" by
 * an end without. Ends with the client's stream and session in *pair.
 */
struct pair {
	struct stream client, server;
	struct tls_session *session, *server_session;
	enum tls_start started, server_started;
	struct err err, server_err;
	struct tls_context *server_context;
	struct tls_server_config server_config;
	unsigned long thread;
	bool joined;
};
void pair_start(struct pair *p, struct tls_context *server, struct tls_context *client,
    const struct tls_client_config *config);
void pair_say(struct pair *p, const char *line); /* and reads the answer, if one comes */
void pair_end(struct pair *p);

#endif
