/* SPDX-License-Identifier: ISC */
#ifndef SCACHE_SCACHE_H
#define SCACHE_SCACHE_H

#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/event/loop.h"
#include "lib/ipc/server.h"
#include "lib/peer/scache.h"

/*
 * The shared connection cache. A connection (struct kept) rests under its endpoint; a destination
 * is a set of links to endpoints, so that mail for it needs no look-up in the DNS while one of
 * them has a connection. Connections and links end by themselves, each at its own time; a
 * connection on which anything can be read ends at once: the server hung up, or is about to.
 */
struct cache_limits {
	int ttl_ms;      /* connection_cache_ttl_limit: no life is longer */
	size_t sessions; /* connections at once; the one nearest its end makes room */
};

struct cache_counts {
	unsigned destination_hits, destination_misses;
	unsigned endpoint_hits, endpoint_misses;
	size_t destinations_max, endpoints_max, sessions_max;
};

struct cache {
	struct loop *loop;
	struct cache_limits limits;
	struct map *endpoints;    /* key -> struct endpoint: those with connections or links */
	struct map *destinations; /* key -> struct destination: those with links */
	struct list by_end;       /* struct kept, the next to end first */
	size_t sessions;
	struct cache_counts counts; /* since the last cache_counts_reset */
};

void cache_init(struct cache *cache, struct loop *loop, const struct cache_limits *limits);
void cache_fini(struct cache *cache); /* says QUIT on what is left */

/* Takes fd, which must be a connected stream socket. 0, or -1 with err: fd is still the caller's.
 */
int cache_store(struct cache *cache, const struct scache_store *store, int fd, struct err *err);

/* A connection and what is known of it, both the caller's then; *session_out in arena. -1: none. */
int cache_find(struct cache *cache, const struct scache_find *find, struct arena *arena,
    struct scache_answer *answer_out);

void cache_counts_reset(struct cache *cache);

/* ---- serve.c: requests of smtp processes --------------------------------------------------- */

bool cache_take_frame(
    struct frame_client *client, const struct frame *frame, int *passed, void *cache);
/* "statistics: ..." lines; nothing when nothing was asked since the last. */
void cache_log_counts(struct cache *cache, int64_t since_wall_us);

#endif
