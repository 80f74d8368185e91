/* SPDX-License-Identifier: ISC */
#include "scache/scache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/err.h"
#include "lib/sys/fd.h"

/* Destinations that led to one endpoint, and the other way round, that are remembered. */
enum { LINKS_MAX = 100 };

struct endpoint {
	char *key;
	struct list sessions; /* struct kept, the last stored first */
	struct list links;    /* struct link */
};

struct destination {
	char *key;
	struct list links; /* struct link, the last renewed first */
	size_t count;
};

struct link {
	struct list of_destination, of_endpoint;
	struct destination *destination;
	struct endpoint *endpoint;
	struct cache *cache;
	struct timer end;
};

struct kept {
	struct list of_endpoint, by_end;
	struct endpoint *endpoint;
	struct cache *cache;
	struct watch watch;
	struct timer end;
	int64_t end_ms;
	int fd;
	struct arena arena; /* the texts of session */
	struct scache_session session;
};

void cache_init(struct cache *cache, struct loop *loop, const struct cache_limits *limits)
{
	*cache = (struct cache){.loop = loop, .limits = *limits};
	cache->endpoints = map_new();
	cache->destinations = map_new();
	list_init(&cache->by_end);
}

void cache_counts_reset(struct cache *cache)
{
	cache->counts = (struct cache_counts){
	    .destinations_max = map_count(cache->destinations),
	    .endpoints_max = map_count(cache->endpoints),
	    .sessions_max = cache->sessions,
	};
}

static void note_sizes(struct cache *cache)
{
	struct cache_counts *n = &cache->counts;

	n->destinations_max = MAX(n->destinations_max, map_count(cache->destinations));
	n->endpoints_max = MAX(n->endpoints_max, map_count(cache->endpoints));
	n->sessions_max = MAX(n->sessions_max, cache->sessions);
}

/* ---- endpoints and links -------------------------------------------------------------------- */

static struct endpoint *endpoint_get(struct cache *cache, const char *key)
{
	struct endpoint *e = map_get(cache->endpoints, key);

	if (e)
		return e;
	e = alloc_zero(1, sizeof(*e));
	e->key = alloc_strdup(key);
	list_init(&e->sessions);
	list_init(&e->links);
	map_put(cache->endpoints, key, e);
	return e;
}

static void endpoint_free_if_unused(struct cache *cache, struct endpoint *e)
{
	if (!list_empty(&e->sessions) || !list_empty(&e->links))
		return;
	map_remove(cache->endpoints, e->key);
	free(e->key);
	free(e);
}

static void link_free(struct link *link)
{
	struct cache *cache = link->cache;
	struct destination *d = link->destination;
	struct endpoint *e = link->endpoint;

	timer_cancel(cache->loop, &link->end);
	list_remove(&link->of_destination);
	list_remove(&link->of_endpoint);
	free(link);
	if (--d->count == 0) {
		map_remove(cache->destinations, d->key);
		free(d->key);
		free(d);
	}
	endpoint_free_if_unused(cache, e);
}

static void link_ended(struct timer *timer)
{
	link_free(CONTAINER_OF(timer, struct link, end));
}

static struct destination *destination_get(struct cache *cache, const char *key)
{
	struct destination *d = map_get(cache->destinations, key);

	if (d)
		return d;
	d = alloc_zero(1, sizeof(*d));
	d->key = alloc_strdup(key);
	list_init(&d->links);
	map_put(cache->destinations, key, d);
	return d;
}

/* Mail for the destination may use the endpoint's connections from now on. */
static void link_renew(struct cache *cache, const char *key, struct endpoint *e, uint32_t ttl_ms)
{
	struct destination *d = destination_get(cache, key);
	struct link *link = NULL;

	LIST_EACH (node, &d->links) {
		struct link *l = LIST_ITEM(node, struct link, of_destination);

		if (l->endpoint == e)
			link = l;
	}
	if (!link) {
		if (d->count >= LINKS_MAX)
			link_free(LIST_ITEM(d->links.prev, struct link, of_destination));
		link = alloc_zero(1, sizeof(*link));
		*link = (struct link){.destination = d, .endpoint = e, .cache = cache};
		link->end.expired = link_ended;
		list_init(&link->of_destination);
		list_push(&e->links, &link->of_endpoint);
		d->count++;
	}
	list_remove(&link->of_destination);
	list_push_front(&d->links, &link->of_destination);
	timer_start(cache->loop, &link->end, MIN((int64_t)ttl_ms, cache->limits.ttl_ms));
}

/* ---- connections ---------------------------------------------------------------------------- */

/* Takes the connection out; its descriptor is the caller's. */
static int kept_remove(struct kept *k)
{
	struct cache *cache = k->cache;
	int fd = k->fd;

	watch_cancel(cache->loop, &k->watch);
	timer_cancel(cache->loop, &k->end);
	list_remove(&k->of_endpoint);
	list_remove(&k->by_end);
	cache->sessions--;
	endpoint_free_if_unused(cache, k->endpoint);
	arena_fini(&k->arena);
	free(k);
	return fd;
}

/* A last word, so that the server's log shows no lost connection; nobody waits for its answer. */
static void kept_quit(struct kept *k)
{
	int fd = kept_remove(k);

	(void)!send(fd, "QUIT\r\n", 6, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void kept_ended(struct timer *timer)
{
	kept_quit(CONTAINER_OF(timer, struct kept, end));
}

static void server_spoke(struct watch *watch, int events)
{
	(void)events;
	close(kept_remove(CONTAINER_OF(watch, struct kept, watch)));
}

static int check_connection(int fd, struct err *err)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer), type_len = sizeof(int);
	int type = 0;

	if (fd < 0)
		return err_set(err, 0, "no descriptor came with a connection");
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0)
		return err_sys(err, "a descriptor that is no socket");
	if (type != SOCK_STREAM)
		return err_set(err, 0, "a socket that is no stream");
	if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0)
		return err_sys(err, "a socket without connection");
	return 0;
}

/* In order of their ends; what is new usually ends last. */
static void list_by_end(struct cache *cache, struct kept *k)
{
	struct list *at = &cache->by_end;

	while (at->prev != &cache->by_end &&
	       LIST_ITEM(at->prev, struct kept, by_end)->end_ms > k->end_ms)
		at = at->prev;
	list_add_before(at, &k->by_end);
}

static void session_copy(
    struct arena *arena, struct scache_session *to, const struct scache_session *from)
{
	*to = *from;
	to->host = arena_strdup(arena, from->host);
	to->name = arena_strdup(arena, from->name);
	to->relay = arena_strdup(arena, from->relay);
	to->xforward = arena_strdup(arena, from->xforward);
	to->tls = arena_strdup(arena, from->tls);
}

int cache_store(struct cache *cache, const struct scache_store *store, int fd, struct err *err)
{
	int64_t ttl = MIN((int64_t)store->endpoint_ms, cache->limits.ttl_ms);
	struct endpoint *e;
	struct kept *k;

	if (check_connection(fd, err) < 0)
		return -1;
	if (!*store->endpoint)
		return err_set(err, 0, "a connection without an endpoint");
	if (cache->sessions >= cache->limits.sessions)
		kept_quit(LIST_ITEM(cache->by_end.next, struct kept, by_end));
	e = endpoint_get(cache, store->endpoint);
	k = alloc_zero(1, sizeof(*k));
	*k = (struct kept){.endpoint = e, .cache = cache, .fd = fd};
	session_copy(&k->arena, &k->session, &store->session);
	fd_set_nonblock(fd, true);
	fd_set_cloexec(fd, true);
	list_push_front(&e->sessions, &k->of_endpoint);
	k->end_ms = loop_now_ms(cache->loop) + ttl;
	list_by_end(cache, k);
	k->end.expired = kept_ended;
	timer_start(cache->loop, &k->end, ttl);
	k->watch.ready = server_spoke;
	watch_start(cache->loop, &k->watch, fd, LOOP_READ);
	cache->sessions++;
	if (*store->destination)
		link_renew(cache, store->destination, e, store->destination_ms);
	note_sizes(cache);
	return 0;
}

/* The youngest connection of the endpoint on which the server has said nothing. */
static int endpoint_take(struct endpoint *e, struct arena *arena, struct scache_answer *out)
{
	while (!list_empty(&e->sessions)) {
		struct kept *k = LIST_ITEM(e->sessions.next, struct kept, of_endpoint);
		bool last = list_empty(&e->links) && k->of_endpoint.next == &e->sessions;
		char byte;

		if (recv(k->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) {
			session_copy(arena, &out->session, &k->session);
			out->endpoint = arena_strdup(arena, e->key);
			out->found = 1;
			return kept_remove(k);
		}
		close(kept_remove(k));
		if (last)
			break; /* the endpoint is gone */
	}
	return -1;
}

static int find_destination(
    struct cache *cache, const char *key, struct arena *arena, struct scache_answer *out)
{
	struct destination *d = map_get(cache->destinations, key);

	if (!d)
		return -1;
	LIST_EACH (node, &d->links) {
		struct link *l = LIST_ITEM(node, struct link, of_destination);
		int fd = endpoint_take(l->endpoint, arena, out);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

static int find_endpoint(struct cache *cache, const struct frame_list *keys, struct arena *arena,
    struct scache_answer *out)
{
	const struct scache_key *items = keys->items;

	for (size_t i = 0; i < keys->count; i++) {
		struct endpoint *e = map_get(cache->endpoints, items[i].key);
		int fd = e ? endpoint_take(e, arena, out) : -1;

		out->which = (uint32_t)i;
		if (fd >= 0)
			return fd;
	}
	return -1;
}

int cache_find(struct cache *cache, const struct scache_find *find, struct arena *arena,
    struct scache_answer *out)
{
	struct cache_counts *n = &cache->counts;
	int fd;

	*out = (struct scache_answer){.found = 0};
	if (*find->destination) {
		fd = find_destination(cache, find->destination, arena, out);
		*(fd >= 0 ? &n->destination_hits : &n->destination_misses) += 1;
	} else {
		fd = find_endpoint(cache, &find->endpoints, arena, out);
		*(fd >= 0 ? &n->endpoint_hits : &n->endpoint_misses) += 1;
	}
	return fd;
}

void cache_fini(struct cache *cache)
{
	while (!list_empty(&cache->by_end))
		kept_quit(LIST_ITEM(cache->by_end.next, struct kept, by_end));
	for (;;) {
		size_t cursor = 0;
		const char *key;
		void *value;

		if (!map_next(cache->destinations, &cursor, &key, &value))
			break;
		link_free(LIST_ITEM(
		    ((struct destination *)value)->links.next, struct link, of_destination));
	}
	map_free(&cache->destinations, NULL);
	map_free(&cache->endpoints, NULL);
}
