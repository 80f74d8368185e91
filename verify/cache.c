/* SPDX-License-Identifier: ISC */
/*
 * What is known of addresses, in a file that outlives the process (and in Postfix's form), or in
 * memory when there is none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/sys/clock.h"
#include "verify/verify.h"

enum { COMMIT_MS = 1000, CLEANUP_STEP = 200, CLEANUP_STEP_MS = 20, MEMORY_MAX = 100000 };
enum { STORE_BYTES = 256 << 20 };

void cache_open(struct verifier *v)
{
	struct err err;

	v->memory = map_new();
	v->pending = map_new();
	if (*v->params->map && table_store_open(v->params->map, STORE_BYTES, &v->store, &err) < 0) {
		log_warn("address_verify_map: %s", err.text);
		log_warn("address_verify_map: addresses are remembered in memory only");
		v->store = NULL;
	}
}

void cache_close(struct verifier *v)
{
	table_store_close(&v->store);
	map_free(&v->memory, free);
	map_free(&v->pending, free);
	str_fini(&v->place);
}

/* ---- the two homes ----------------------------------------------------------------------------
 */

/* A key that the file takes: a longer address is cut, and what was cut is hashed. */
static struct slice key_of(const char *address, char buf[TABLE_STORE_KEY_MAX])
{
	enum { KEPT = 400 };
	static const uint64_t same_for_all_time = 0x766572696679;
	size_t len = strlen(address);

	if (len < TABLE_STORE_KEY_MAX)
		return slice_of(address, len);
	len = (size_t)snprintf(buf, TABLE_STORE_KEY_MAX, "%.*s..%016llx", KEPT, address,
	    (unsigned long long)map_hash_seeded(same_for_all_time, address, len));
	return slice_of(buf, len);
}

/* The text of the entry is in arena. */
static bool get(struct verifier *v, const char *address, struct arena *arena, struct entry *out)
{
	char buf[TABLE_STORE_KEY_MAX];
	struct str value = {0};
	struct err err = {0};
	const char *text = NULL;
	bool found;

	if (v->store) {
		enum table_answer answer =
		    table_store_get(v->store, key_of(address, buf), &value, &err);

		if (answer == TABLE_ERROR)
			log_warn("address_verify_map: %s", err.text);
		if (answer == TABLE_FOUND)
			text = str_cstr(&value);
	} else {
		text = map_get(v->memory, address);
	}
	found = text && verify_entry_parse(arena_strdup(arena, text), out);
	str_fini(&value);
	return found;
}

static void remember(struct verifier *v, const char *address, char *value)
{
	if (map_count(v->memory) >= MEMORY_MAX) {
		map_free(&v->memory, free);
		v->memory = map_new();
	}
	free(map_put(v->memory, address, value));
}

static void put(struct verifier *v, const char *address, const struct entry *e)
{
	char buf[TABLE_STORE_KEY_MAX];
	struct str value = {0};
	struct err err;

	entry_print(&value, e);
	if (!v->store) {
		remember(v, address, str_steal(&value));
		return;
	}
	if (table_store_put(v->store, key_of(address, buf), slice_of(value.data, value.len), &err) <
	    0)
		log_warn("address_verify_map: %s", err.text);
	else if (v->loop && !timer_armed(&v->commit))
		timer_start(v->loop, &v->commit, COMMIT_MS);
	str_fini(&value);
}

/* ---- probes on their way -----------------------------------------------------------------------
 */

static void forget_lost(struct verifier *v, int64_t now)
{
	struct map *kept = map_new();
	const char *key;
	size_t cursor = 0;
	void *value;

	while (map_next(v->pending, &cursor, &key, &value)) {
		int64_t *sent = value;

		if (now - *sent > VERIFY_PROBE_TTL || *sent > now)
			free(sent);
		else
			map_put(kept, key, sent);
	}
	map_free(&v->pending, NULL);
	v->pending = kept;
}

static bool may_probe(struct verifier *v, int64_t now)
{
	size_t limit = (size_t)v->params->pending_limit;

	if (map_count(v->pending) >= limit)
		forget_lost(v, now);
	if (map_count(v->pending) < limit)
		return true;
	log_warn("address_verify_pending_request_limit: %zu probes are on their way: no more",
	    map_count(v->pending));
	return false;
}

static void probe(struct verifier *v, const char *address, struct entry *e, int64_t now)
{
	struct err err;
	int64_t *sent;

	if (!may_probe(v, now))
		return;
	if (!v->probe(v, address, &err)) {
		log_warn("address verification of %s: %s", address, err.text);
		return;
	}
	sent = alloc(sizeof(*sent));
	*sent = now;
	free(map_put(v->pending, address, sent));
	e->probed = now;
	put(v, address, e);
}

/* ---- questions and answers ---------------------------------------------------------------------
 */

void cache_query(struct verifier *v, const char *address, int64_t now, struct arena *arena,
    struct verify_answer *out)
{
	struct entry e;

	if (!get(v, address, arena, &e) || entry_expired(&e, v->params, now))
		e = (struct entry){
		    .status = VERIFY_TODO, .text = "Address verification in progress"};
	*out = (struct verify_answer){.status = e.status, .text = e.text};
	if (entry_wants_probe(&e, v->params, now))
		probe(v, address, &e, now);
}

void cache_update(struct verifier *v, const struct verify_update *update, int64_t now)
{
	struct arena arena = {0};
	struct entry old, e = {.status = (enum verify_status)update->status,
	                      .probed = 0,
	                      .updated = now,
	                      .text = update->text};
	bool known = get(v, update->address, &arena, &old);

	free(map_remove(v->pending, update->address));
	/*
	 * One failure does not make a good address bad while it is believed; it is probed anew when
	 * somebody asks again.
	 */
	if (e.status != VERIFY_OK && known && old.status == VERIFY_OK &&
	    !entry_expired(&old, v->params, now)) {
		old.probed = 0;
		put(v, update->address, &old);
	} else if (e.status == VERIFY_OK || v->params->negative_cache) {
		put(v, update->address, &e);
	}
	arena_fini(&arena);
}

/* ---- timers
 * -------------------------------------------------------------------------------------- */

static void commit_due(struct timer *timer)
{
	struct verifier *v = CONTAINER_OF(timer, struct verifier, commit);
	struct err err;

	if (v->store && table_store_commit(v->store, &err) < 0)
		log_warn("address_verify_map: %s", err.text);
}

struct cleanup {
	struct verifier *v;
	int64_t now;
};

static bool is_kept(struct slice key, struct slice value, void *arg)
{
	const struct cleanup *c = arg;
	struct str text = {0};
	struct entry e;
	bool kept;

	(void)key;
	str_put(&text, value.data, value.len);
	kept = str_cstr(&text) && verify_entry_parse(str_text(&text), &e) &&
	       !entry_expired(&e, c->v->params, c->now);
	str_fini(&text);
	return kept;
}

/* In small steps, so that nobody waits for it. */
static void cleanup_due(struct timer *timer)
{
	struct verifier *v = CONTAINER_OF(timer, struct verifier, cleanup);
	struct cleanup c = {v, clock_wall_us() / 1000000};
	struct err err;
	int more = table_store_walk(v->store, &v->place, CLEANUP_STEP, is_kept, &c, &err);

	if (more < 0)
		log_warn("address_verify_map: %s", err.text);
	if (more > 0) {
		timer_start(v->loop, timer, CLEANUP_STEP_MS);
		return;
	}
	str_clear(&v->place);
	if (!timer_armed(&v->commit))
		timer_start(v->loop, &v->commit, COMMIT_MS);
	timer_start(v->loop, timer, (int64_t)v->params->cleanup_interval * 1000);
}

void cache_start(struct verifier *v)
{
	v->commit.expired = commit_due;
	v->cleanup.expired = cleanup_due;
	if (v->store && v->params->cleanup_interval > 0)
		timer_start(v->loop, &v->cleanup, (int64_t)v->params->cleanup_interval * 1000);
}
