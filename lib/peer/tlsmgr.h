/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_TLSMGR_H
#define LIB_PEER_TLSMGR_H

#include "lib/base/arena.h"
#include "lib/ipc/frame.h"

/*
 * smtp, lmtp, smtpd, tlsproxy -> tlsmgr over private/tlsmgr: TLS sessions to resume and the keys of
 * session tickets, shared by all processes.
 *
 * TLSMGR_FIND is answered by TLSMGR_SESSION. TLSMGR_STORE and TLSMGR_DROP have no answer. Keys of
 * sessions are texts that the users of one cache agree on; a client's says all that it asks of the
 * peer, so that a session of somebody less demanding is never found. TLSMGR_TICKET asks for a
 * ticket key by name, or for the current one (name ""), and is answered by TLSMGR_TICKET_KEY.
 */
enum {
	TLSMGR_FIND = 1,
	TLSMGR_STORE = 2,
	TLSMGR_DROP = 3,
	TLSMGR_TICKET = 4,
	TLSMGR_KEEP = 5,
	TLSMGR_RECALL = 6,
	TLSMGR_INHERIT = 7,
	TLSMGR_SESSION = 100,
	TLSMGR_TICKET_KEY = 101,
	TLSMGR_CHAINS = 102,
};
enum { TLSMGR_KEY_MAX = 500, TLSMGR_SESSION_MAX = 64 * 1024, TLSMGR_SECRET_MAX = 64 };

enum tlsmgr_cache { TLSMGR_SMTP, TLSMGR_LMTP, TLSMGR_SMTPD, TLSMGR_CACHES };

struct tlsmgr_request {
	uint32_t cache; /* enum tlsmgr_cache */
	const char *key;
	const char *session; /* base64; STORE only */
	uint32_t lifetime_s; /* STORE only: what the peer allows; 0: as configured */
};

struct tlsmgr_session {
	uint32_t found;
	const char *session; /* base64 */
};

struct tlsmgr_ticket {
	const char *name; /* hexadecimal, or "" */
};

struct tlsmgr_ticket_key {
	uint32_t found;   /* 0: no; 1: the current one; 2: an old one, tickets are still taken */
	const char *name; /* hexadecimal, as the secrets are */
	const char *cipher_key, *mac_key;
	uint32_t current_s;  /* how long it stays the current one */
	uint32_t accepted_s; /* how long tickets by it are taken */
};

/*
 * A server's own keys and certificates, as they were last found good (KEEP, which has no answer;
 * and RECALL, answered by CHAINS): who starts while the files are being renewed goes on with those.
 */
struct tlsmgr_chains {
	const char *name; /* of the files */
	const char *text; /* PEM; "": none */
};
enum { TLSMGR_CHAINS_MAX = 256 * 1024 };
extern const struct frame_table tlsmgr_chains_table;
extern const struct frame_table tlsmgr_request_table, tlsmgr_session_table, tlsmgr_ticket_table,
    tlsmgr_ticket_key_table;

/*
 * The client's end. tlsmgr is no part of what makes TLS work: without it, or when it does not
 * answer within timeout_ms, handshakes are full ones, and it is left alone for a while.
 */
struct tlsmgr_client;
struct tlsmgr_client *tlsmgr_client_new(const char *service_name, int timeout_ms);
void tlsmgr_client_free(struct tlsmgr_client **client); /* NULL allowed */

/* Appends the session's bytes to out. */
bool tlsmgr_find(
    struct tlsmgr_client *client, enum tlsmgr_cache cache, const char *key, struct str *out);
void tlsmgr_store(struct tlsmgr_client *client, enum tlsmgr_cache cache, const char *key,
    struct slice session, uint32_t lifetime_s);
void tlsmgr_drop(struct tlsmgr_client *client, enum tlsmgr_cache cache, const char *key);
/* name NULL: the current key. false: nobody knows one. */
bool tlsmgr_ticket_key(struct tlsmgr_client *client, const char *name, struct arena *arena,
    struct tlsmgr_ticket_key *out);
void tlsmgr_keep(struct tlsmgr_client *client, const char *name, const char *text);
/*
 * For tlsmgr(8) itself, at its end by a reload: what it has goes to its own socket, where the next
 * one finds it (KEEP, and INHERIT for each ticket key, by which tickets are then still taken).
 */
void tlsmgr_inherit(struct tlsmgr_client *client, const struct tlsmgr_ticket_key *key);
/* Appends the text to out. false: there is none. */
bool tlsmgr_recall(struct tlsmgr_client *client, const char *name, struct str *out);

#endif
