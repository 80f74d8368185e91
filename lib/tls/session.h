/* SPDX-License-Identifier: ISC */
#ifndef LIB_TLS_SESSION_H
#define LIB_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/io/stream.h"
#include "lib/tls/context.h"

/*
 * TLS on one stream: from the handshake on, the stream reads and writes through it (stream_ops).
 * Free it before the stream is ended. All waiting is the stream's, within its time limits.
 */
struct tls_session;

/* A client's session to resume by a later one. It holds secrets. */
struct tls_saved;

/* How a client judges its peer. */
enum tls_verify {
	TLS_VERIFY_NONE,        /* encryption is all; the certificate is judged for the log */
	TLS_VERIFY_FINGERPRINT, /* the certificate or its key has one of the digests */
	TLS_VERIFY_DANE,        /* by TLSA records (RFC 6698, RFC 7672) */
	TLS_VERIFY_NAME,        /* a trusted issuer, and one of the names (RFC 6125) */
};

struct tls_tlsa {
	unsigned usage, selector, matching;
	const unsigned char *data;
	size_t len;
};

struct tls_client_config {
	const char *peer; /* for log lines: "mail.example.com[192.0.2.1]:25" */
	const char *name; /* server name to ask for (SNI); "" : none */
	int log_level;    /* as smtp_tls_loglevel: 2 logs the steps of the handshake */
	enum tls_verify verify;

	const char *cipherlist; /* "" : the context's */
	struct tls_protocols protocols;

	/* TLS_VERIFY_NAME, and TLS_VERIFY_DANE for usage 2: ".example.com" is any host below it. */
	const char *const *names;
	size_t name_count;
	const char
	    *trust_anchors; /* PEM of those alone to trust, instead of the context's; or "" */

	/* TLS_VERIFY_FINGERPRINT: "AB:CD:..." of the certificate or of its public key */
	const char *const *fingerprints;
	size_t fingerprint_count;
	const char *digest; /* "sha256" */

	const struct tls_tlsa *tlsa;
	size_t tlsa_count;
	const char *tlsa_base; /* the name of which they are */

	const struct tls_saved *resume; /* a session of before; may be NULL */
};

enum tls_start {
	TLS_STARTED,
	TLS_REFUSED,   /* the handshake failed: err says why */
	TLS_LOST,      /* the connection ended in it */
	TLS_TIMED_OUT, /* not within the stream's limits */
	TLS_LOCAL,     /* we are not able to: err says why */
};

/*
 * The client's handshake on a connected stream with no input buffered. When a certificate is not
 * what was asked for the handshake still succeeds: the caller looks at tls_session_matched, so that
 * it can say so to the log and to the peer in an orderly way. *out is NULL but for TLS_STARTED.
 */
enum tls_start tls_client_start(struct tls_context *context, struct stream *stream,
    const struct tls_client_config *config, struct tls_session **out, struct err *err);

struct tls_server_config {
	const char *peer; /* "client.example.com[192.0.2.1]" */
	int log_level;
	const char *digest; /* of the client's fingerprints */
};
/* A handshake that fails is logged. */
enum tls_start tls_server_start(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct tls_session **out, struct err *err);

/*
 * The same for event loops, in steps: begin says nothing yet; step goes on with the handshake as
 * far as that is possible without waiting, then says what to wait for (POLLIN, POLLOUT). After
 * TLS_STEP_DONE the stream reads and writes by TLS; after TLS_STEP_FAILED the session is only to be
 * freed. NULL from begin: err says why.
 */
enum tls_step { TLS_STEP_DONE, TLS_STEP_WAIT, TLS_STEP_FAILED };
struct tls_session *tls_client_begin(struct tls_context *context, struct stream *stream,
    const struct tls_client_config *config, struct err *err);
struct tls_session *tls_server_begin(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct err *err);
enum tls_step tls_session_step(struct tls_session *s, short *wait_for, struct err *err);
/* As the stream's own functions (stream_ops). 0 from read: the peer's end. */
long tls_session_read(struct tls_session *s, void *buf, size_t len, short *wait_for);
long tls_session_write(struct tls_session *s, const void *buf, size_t len, short *wait_for);

/* Says goodbye (close_notify) where that is still possible, without waiting. Then frees. */
void tls_session_close(struct tls_session **session);
/* Without a word. NULL allowed. */
void tls_session_free(struct tls_session **session);

/* ---- what became of it -------------------------------------------------------------------- */

bool tls_session_trusted(const struct tls_session *s); /* a chain to somebody trusted */
bool tls_session_matched(const struct tls_session *s); /* all that the config asked for */
bool tls_session_resumed(const struct tls_session *s);
/* Why not trusted or not matched, for a log line: "certificate has expired", ...; "" when it is. */
const char *tls_session_problem(const struct tls_session *s);
/* subject=/CN=... and issuer=... of the peer's certificate to the log, if it has shown one. */
void tls_session_log_names(const struct tls_session *s);
/* The peer's end came without close_notify: what was read may be cut short. */
bool tls_session_truncated(const struct tls_session *s);
/* What ended a client's reading or writing, in the library's words; "" : nothing did. A server's
 * is in the log. */
const char *tls_session_error(const struct tls_session *s);

/* Which directions the kernel does: such a socket can be used by who has no session (both). */
enum { TLS_KERNEL_SEND = 1 << 0, TLS_KERNEL_RECEIVE = 1 << 1 };
int tls_session_kernel(const struct tls_session *s);
/* Does the kernel do both, and is nothing of what it gave still in this process? */
bool tls_session_is_kernels(const struct tls_session *s);

struct tls_info {
	const char *protocol;          /* "TLSv1.3" */
	const char *cipher;            /* "TLS_AES_256_GCM_SHA384" */
	int bits_used, bits_algorithm; /* 256, 256 */
	const char *server_name;       /* SNI, "" : none */
	const char *served_name; /* the same when a server has a chain of that name, else "" */
	/* of the peer's certificate; "" when it showed none */
	const char *peer_cn, *issuer_cn, *cert_fingerprint, *key_fingerprint;
	bool peer_cert;
};
/* Texts live as long as the session. */
const struct tls_info *tls_session_info(struct tls_session *s);

/*
 * The words of Postfix's line behind "Trusted TLS connection established from/to peer: ":
 * "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 ...". Appended.
 */
void tls_session_describe(struct tls_session *s, struct str *out);
/* "Anonymous", "Untrusted", "Trusted", "Verified". */
const char *tls_session_status(const struct tls_session *s);

/* ---- to go on later ------------------------------------------------------------------------ */

enum { TLS_SAVED_MAX = 64 * 1024 };

/* What the server gave out last, once; the caller's to free. false: nothing new. */
bool tls_session_save(struct tls_session *s, struct tls_saved **out);
void tls_saved_free(struct tls_saved **saved); /* NULL allowed */
/* As bytes, appended, and back. NULL: no such bytes. */
bool tls_saved_put(const struct tls_saved *saved, struct str *out);
struct tls_saved *tls_saved_get(struct slice bytes);
int64_t tls_saved_expires(
    const struct tls_saved *saved); /* seconds since 1970, the server's word */

#endif
