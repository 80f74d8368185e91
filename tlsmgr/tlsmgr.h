/* SPDX-License-Identifier: ISC */
#ifndef TLSMGR_TLSMGR_H
#define TLSMGR_TLSMGR_H

#include "lib/ipc/server.h"
#include "lib/peer/tlsmgr.h"
#include "lib/table/store.h"

/*
 * The TLS session cache and the keys of session tickets, for all processes. Sessions are in LMDB
 * files and outlive a restart; ticket keys are in this process's memory alone, so that nobody who
 * gets at the disk later can read what was said under them.
 */

/* ---- tickets.c: pure but for the random numbers -------------------------------------------- */

enum { TICKET_NAME_LEN = 16, TICKET_SECRET_LEN = 32, TICKET_KEYS_MAX = 3 };

struct ticket_key {
	unsigned char name[TICKET_NAME_LEN];
	unsigned char cipher_key[TICKET_SECRET_LEN], mac_key[TICKET_SECRET_LEN];
	int64_t current_until_ms, accepted_until_ms; /* clock_mono_ms */
};

struct ticket_keys {
	int lifetime_s; /* of a ticket */
	struct ticket_key keys[TICKET_KEYS_MAX];
	size_t count; /* the newest last */
};

/*
 * A key gives out tickets for half of their life, and takes them for a whole life more. *out gets
 * the key of that hexadecimal name, or (name "") the current one; found is 0, 1 or 2 as in
 * struct tlsmgr_ticket_key. Texts live in arena.
 */
void tickets_find(struct ticket_keys *keys, const char *name, int64_t now_ms, struct arena *arena,
    struct tlsmgr_ticket_key *out);
/* Gives the i-th key, the oldest first, as another tlsmgr takes it; false: there is none. */
bool tickets_bequeath(const struct ticket_keys *keys, size_t i, int64_t now_ms, struct arena *arena,
    struct tlsmgr_ticket_key *out);
/* Tickets by the key are taken, and given out where there is no key yet. */
int tickets_inherit(
    struct ticket_keys *keys, const struct tlsmgr_ticket_key *key, int64_t now_ms, struct err *err);
void tickets_wipe(struct ticket_keys *keys);

/* ---- sessions.c ----------------------------------------------------------------------------- */

struct session_cache {
	const char *name;          /* "smtp", for log lines */
	struct table_store *store; /* NULL: there is none */
	int timeout_s;
	bool changed;     /* since the last commit */
	struct str place; /* of the sweep */
};

/* A database that cannot be used is said in the log; then there is no cache. */
void sessions_open(
    struct session_cache *cache, const char *database, int timeout_s, uint64_t max_bytes);
void sessions_close(struct session_cache *cache);
/* The session as base64 in arena, or NULL. Times are seconds since 1970. */
const char *sessions_find(
    struct session_cache *cache, const char *key, int64_t now, struct arena *arena);
void sessions_store(struct session_cache *cache, const struct tlsmgr_request *request, int64_t now);
void sessions_drop(struct session_cache *cache, const char *key);
/* Commits, and removes some of what is over; call every few seconds. */
void sessions_sweep(struct session_cache *cache, int64_t now);

/* ---- chains.c ------------------------------------------------------------------------------- */

enum { CHAINS_KEPT_MAX = 64 };

/* Keys and certificates of servers, by the names of their files. In memory alone. */
struct kept_chains {
	struct {
		char *name, *text;
	} items[CHAINS_KEPT_MAX];
	size_t count; /* the one that was kept last is the last */
};
void chains_keep(struct kept_chains *kept, const char *name, const char *text);
const char *chains_find(const struct kept_chains *kept, const char *name); /* "" : none */
void chains_wipe(struct kept_chains *kept);

/* ---- serve.c -------------------------------------------------------------------------------- */

struct tlsmgr {
	struct session_cache caches[TLSMGR_CACHES];
	struct ticket_keys tickets;
	struct kept_chains chains;
};
bool tlsmgr_take_frame(
    struct frame_client *client, const struct frame *frame, int *passed, void *arg);

#endif
