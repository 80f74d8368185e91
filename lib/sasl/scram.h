/* SPDX-License-Identifier: ISC */
#ifndef LIB_SASL_SCRAM_H
#define LIB_SASL_SCRAM_H

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/tls/digest.h"

/*
 * What both ends of SCRAM (RFC 5802, RFC 7677) share: keys, names, attributes, and verifiers, the
 * form in which a server keeps a password. Passwords and names are used as they are: text that is
 * not ASCII is not normalised (RFC 4013), so both ends must write it alike, as they mostly do.
 */
enum {
	SCRAM_ITERATIONS_MIN = 4096, /* RFC 5802 5.1: a server that asks for less is not served */
	SCRAM_ITERATIONS_MAX = 1000000, /* bounds what a peer can make us compute: about a second */
	SCRAM_ITERATIONS = 4096,        /* of new verifiers */
	SCRAM_SALT_MAX = 256,
	SCRAM_NONCE_BYTES = 18,
	SCRAM_MESSAGE_MAX = 8192,
};

struct scram_keys {
	unsigned char client_key[DIGEST_LEN_MAX], stored_key[DIGEST_LEN_MAX];
	unsigned char server_key[DIGEST_LEN_MAX];
};

/* -1: iterations out of bounds, or libcrypto refuses. Wipe the keys after use. */
int scram_derive(enum digest_kind kind, struct slice password, struct slice salt, int iterations,
    struct scram_keys *out);

/*
 * "SCRAM-SHA-256$4096:salt$StoredKey:ServerKey", the last three base64 (RFC 5803; PostgreSQL
 * writes the same). SCRAM-SHA-1 likewise.
 */
struct scram_verifier {
	enum digest_kind kind;
	int iterations;
	unsigned char salt[SCRAM_SALT_MAX];
	size_t salt_len;
	unsigned char stored_key[DIGEST_LEN_MAX], server_key[DIGEST_LEN_MAX];
};

int scram_verifier_parse(struct slice text, struct scram_verifier *out, struct err *err);
void scram_verifier_print(struct str *out, const struct scram_verifier *verifier);
/* A verifier of a password; salt of 1..SCRAM_SALT_MAX bytes. */
int scram_verifier_make(enum digest_kind kind, struct slice password, struct slice salt,
    int iterations, struct scram_verifier *out);
/* Is this the password? Takes as long either way. */
bool scram_verifier_check(const struct scram_verifier *verifier, struct slice password);

/* ---- messages ------------------------------------------------------------------------------ */

/* Takes "x=value" and the comma behind it off *rest. false: another attribute, or none. */
bool scram_take(struct slice *rest, char name, struct slice *value_out);
/* Skips "x=value" extensions behind the known ones; false when something else is there. */
bool scram_take_extensions(struct slice *rest);

/* '=' and ',' of names as =3D and =2C, and back; decode is false when malformed. */
void scram_name_encode(struct str *out, const char *name);
bool scram_name_decode(struct slice text, struct str *out);

/* Appends a fresh nonce as base64. -1: the system has no random bytes. */
int scram_nonce(struct str *out);

#endif
