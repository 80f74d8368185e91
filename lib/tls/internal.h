/* SPDX-License-Identifier: ISC */
#ifndef LIB_TLS_INTERNAL_H
#define LIB_TLS_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "lib/base/arena.h"
#include "lib/tls/session.h"

/* Between the files of lib/tls only. */

struct tls_file_stamp {
	const char *path;
	int64_t mtime_ns, size;
	uint64_t inode;
};

struct tls_context {
	struct tls_context_config config;
	struct tls_common common;
	SSL_CTX *ssl;
	bool has_anchors; /* somebody is trusted: peers' certificates are judged */
	bool has_chain;
	char *identity;
	int64_t first_expiry; /* of own certificates, seconds since 1970; 0: none */
	struct tls_file_stamp *stamps;
	size_t stamp_count;
	int64_t looked_ms;
	EVP_CIPHER *ticket_cipher;
	struct map *named; /* chains by server name: server.c */
};

/* ---- openssl.c ------------------------------------------------------------------------------ */

/* Once per process, before anything else of the library is used. -1: a bad configuration file. */
int tls_library_init(const struct tls_common *common, struct err *err);
/* err_set with what the library has to say appended; empties its error queue. Returns -1. */
int tls_err(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What the library has to say, in its words without numbers. Empties its error queue. */
void tls_library_errors(char *out, size_t size);
/* The same as warnings in the log, one for each. */
void tls_library_warn(void);

/* ---- lazy.c ---------------------------------------------------------------------------------- */

/* Maps the library; nothing happens when that has been done. */
int tls_lazy_open(struct err *err);
/* The same for a call that comes first: ends the process when there is no library. */
void tls_lazy_load(void);

/* ---- chain.c -------------------------------------------------------------------------------- */

struct tls_chain {
	EVP_PKEY *key;
	X509 *leaf;
	STACK_OF(X509) * issuers;
};

struct tls_chains {
	struct tls_chain *items;
	size_t count;
};
void tls_chains_free(struct tls_chains *chains);

/* Keys with the certificates behind them, as in chain files and SNI tables. */
int tls_chains_parse(const char *name, struct slice pem, struct tls_chains *out, struct err *err);
/* Puts them to a context (or to one session: ctx NULL), or over those of the same kinds. */
int tls_chains_use(const struct tls_chains *chains, SSL_CTX *ctx, SSL *ssl, bool over,
    const char *name, struct err *err);
/* All own chains of a configuration, read and put. */
int tls_context_load_chains(struct tls_context *context, struct err *err);
/* The file as it is now. */
struct tls_file_stamp tls_stamp_of(const char *path);
/* Remembers a file for tls_context_stale. */
void tls_context_stamp(struct tls_context *context, const char *path);

/* ---- server.c: what contexts of servers need ------------------------------------------------ */

void tls_server_prepare(struct tls_context *context);
void tls_server_forget_names(struct tls_context *context);

/* ---- verify.c ------------------------------------------------------------------------------- */

struct tls_judge {
	enum tls_verify verify;
	const char *const *names;
	size_t name_count;
	const char *const *fingerprints;
	size_t fingerprint_count;
	const char *digest;
	bool multi_label, legacy_fingerprints;

	int first_error, first_depth; /* X509_V_ERR_... of the chain */
	char *first_subject;          /* the issuer that is missing, ... */
	bool judged;                  /* the chain was looked at */

	bool trusted, matched;
	char problem[300];
};

/* Before the handshake of a client. */
int tls_judge_prepare(struct tls_judge *judge, struct tls_context *context, SSL *ssl,
    const struct tls_client_config *config, struct err *err);
/* Callbacks. The first stands before the library's look at a chain; the second notes what is wrong
 * with it and never ends the handshake. */
int tls_judge_chain(X509_STORE_CTX *store, void *arg);
int tls_judge_callback(int ok, X509_STORE_CTX *store);
/* After the handshake. */
void tls_judge_decide(struct tls_judge *judge, SSL *ssl);

/* "AB:CD:..." of a certificate or of its public key; false when the digest is unknown. */
bool tls_fingerprint_cert(X509 *cert, const char *digest, struct str *out);
bool tls_fingerprint_key(X509 *cert, const char *digest, bool legacy, struct str *out);

/* ---- protocols.c, client.c ------------------------------------------------------------------- */

uint64_t tls_protocol_options(const struct tls_protocols *p);
int tls_client_new_session(SSL *ssl, SSL_SESSION *session);

/* ---- dump.c --------------------------------------------------------------------------------- */

/* All that is read and written, in hexadecimal, to the log; or no longer. */
void tls_dump(SSL *ssl, bool on);
/* "Read 13 chars: ..." of what was said under TLS. */
void tls_dump_chars(const char *what, const void *data, size_t len);

/* ---- session.c ------------------------------------------------------------------------------ */

struct tls_session {
	struct tls_context *context;
	SSL *ssl;
	struct stream *stream;
	struct arena arena;
	char *peer;
	int log_level;
	bool server, established, closed, truncated, broken;
	char error[256];
	struct tls_judge judge;
	SSL_SESSION *fresh; /* given out by the server, not exported yet */
	char *server_name;  /* asked for by the client */
	bool named;         /* a chain of that name was used */
	const char *digest;
	struct tls_info *info; /* once asked for */
};

struct tls_session *tls_session_new(
    struct tls_context *context, struct stream *stream, const char *peer, int log_level);
/* The handshake; on failure the session is freed and *session NULL. */
enum tls_start tls_session_handshake(struct tls_session **session, struct err *err);

#endif
