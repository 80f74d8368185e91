/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_TLSPROXY_H
#define LIB_PEER_TLSPROXY_H

#include "lib/base/arena.h"
#include "lib/ipc/frame.h"

/*
 * smtp, lmtp -> tlsproxy over private/tlsproxy: TLS of a connection done by somebody else, so that
 * the connection can go from one delivery agent to the next.
 *
 * The client says TLSPROXY_HELLO with what tells its keys and its trust from others'; the answer,
 * TLSPROXY_READY, says whether the proxy's are the same. Until then nothing has happened to the
 * connection, and the client may still do without. TLSPROXY_CLIENT comes with the descriptor of the
 * server's connection and all that the handshake needs; it is answered by TLSPROXY_OUTCOME. When
 * that says "started", what follows on this same socket is the plain text of the session, both
 * ways, until either end closes. What the outcome is good for is the client's to judge.
 */
enum {
	TLSPROXY_HELLO = 1,
	TLSPROXY_CLIENT = 2,
	TLSPROXY_READY = 100,
	TLSPROXY_OUTCOME = 101,
};
enum { TLSPROXY_TEXT_MAX = 1024 * 1024, TLSPROXY_NAMES_MAX = 10000, TLSPROXY_TLSA_MAX = 1000 };

struct tlsproxy_hello {
	const char *identity; /* tls_context_identity */
};

struct tlsproxy_ready {
	uint32_t willing;
	const char *reason; /* why not */
};

struct tlsproxy_name {
	const char *text;
};

struct tlsproxy_tlsa {
	uint32_t usage, selector, matching;
	const char *data; /* base64 */
};

/* struct tls_client_config, and what the proxy keeps for later. */
struct tlsproxy_request {
	const char *peer, *name;
	uint32_t log_level, verify, lmtp;
	const char *cipherlist;
	uint32_t protocol_min, protocol_max, protocols_excluded;
	struct frame_list names; /* struct tlsproxy_name; or fingerprints */
	const char *trust_anchors, *digest;
	struct frame_list tlsa; /* struct tlsproxy_tlsa */
	const char *tlsa_base;
	const char *resume_key;
	uint32_t limit_ms; /* for the handshake */
	uint32_t idle_ms;  /* no byte for that long: the session is over */
};

/* What became of a handshake, here or in the proxy: what judging and logging read. */
struct tlsproxy_outcome {
	uint32_t result;  /* enum tls_start */
	const char *text; /* why it is not TLS_STARTED */
	uint32_t matched, resumed, peer_cert;
	const char *status, *description; /* "Trusted"; "TLSv1.3 with cipher ..." */
	const char *problem, *peer_cn, *issuer_cn, *cert_fingerprint, *key_fingerprint;
};
extern const struct frame_table tlsproxy_hello_table, tlsproxy_ready_table, tlsproxy_request_table,
    tlsproxy_outcome_table;

/*
 * The client's end. A proxy that is not there, does not answer within timeout_ms, or is not
 * willing, is left alone for a while (logged once each time): TLS is the caller's own then.
 */
struct tlsproxy_client;
struct tlsproxy_client *tlsproxy_client_new(const char *service_name, int timeout_ms);
void tlsproxy_client_free(struct tlsproxy_client **client); /* NULL allowed */

/* A conversation with a willing proxy: its socket is the caller's. -1: there is none. */
int tlsproxy_connect(struct tlsproxy_client *client, const char *identity);
/*
 * The handshake, by the proxy at sock, on the connection peer (of which it gets a copy). beyond
 * gets what came behind the answer: the session's first bytes. -1: the proxy is no more, and
 * nobody knows the state of peer.
 */
int tlsproxy_start(struct tlsproxy_client *client, int sock, int peer,
    const struct tlsproxy_request *request, struct arena *arena, struct tlsproxy_outcome *out,
    struct str *beyond);

#endif
