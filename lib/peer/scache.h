/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_SCACHE_H
#define LIB_PEER_SCACHE_H

#include "lib/base/arena.h"
#include "lib/ipc/frame.h"

/*
 * smtp -> scache over private/scache: open connections between two transactions, for whoever has
 * mail for the same server next.
 *
 * SCACHE_STORE comes with the connection's descriptor and has no answer. SCACHE_FIND names a
 * destination, or endpoints in the order of preference, and is answered by SCACHE_ANSWER, with the
 * descriptor of a connection that scache no longer has, or with found = 0.
 *
 * A key says all that makes a connection fit for a user: beside the destination (or the address
 * and port) the name that was given in EHLO, the own address, the login, the level of TLS and what
 * the certificate was checked against. Two users with different keys never see one another's
 * connections; scache compares keys byte by byte and looks at nothing else.
 */
enum { SCACHE_STORE = 1, SCACHE_FIND = 2, SCACHE_ANSWER = 100 };
enum { SCACHE_KEY_MAX = 2048, SCACHE_ENDPOINTS_MAX = 100 };

/* What the next user has to know of a connection. */
struct scache_session {
	const char *host, *name, *relay, *xforward; /* as in struct session */
	uint32_t features, uses;
	uint64_t size_limit, opened_ms; /* opened_ms: clock_mono_ms, one clock for all processes */
	uint32_t mail_max, rcpt_max, rcpt_domain_max; /* as in struct ehlo, like xforward */
	const char *tls; /* "" for none, else what the log says of it */
	uint32_t final;  /* opened to the last server that could be tried */
};

struct scache_store {
	const char *endpoint;    /* key */
	const char *destination; /* key of the destination that led there; "" for none */
	uint32_t endpoint_ms, destination_ms; /* to live, from now */
	struct scache_session session;
};

struct scache_key {
	const char *key;
};

struct scache_find {
	const char *destination;     /* or "" */
	struct frame_list endpoints; /* struct scache_key; looked up when destination is "" */
};

struct scache_answer {
	uint32_t found;
	uint32_t which;       /* of the endpoints asked for */
	const char *endpoint; /* the connection's key */
	struct scache_session session;
};
extern const struct frame_table scache_store_table, scache_find_table, scache_answer_table;

/*
 * The client's end: one connection, made when first needed. A server that does not answer within
 * timeout_ms, or is not there, is left alone for a while (logged once each time): delivery goes on
 * without it.
 */
struct scache_client;
struct scache_client *scache_client_new(const char *path, int timeout_ms);
void scache_client_free(struct scache_client **client);
/* Gives a copy of fd away; true: the caller closes its own and says nothing more on it. */
bool scache_put(struct scache_client *client, const struct scache_store *store, int fd);
/* A connected socket, now the caller's, with *out in arena; -1: none. */
int scache_get(struct scache_client *client, const struct scache_find *find, struct arena *arena,
    struct scache_answer *out);

#endif
