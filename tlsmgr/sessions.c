/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "tlsmgr/tlsmgr.h"

/* A value is the second when it is over (u64) and the session as it came, base64. */
enum { EXPIRY_LEN = 8, SWEEP_ENTRIES = 500 };

void sessions_open(
    struct session_cache *cache, const char *database, int timeout_s, uint64_t max_bytes)
{
	struct err err;

	cache->timeout_s = timeout_s;
	if (*database && timeout_s > 0 &&
	    table_store_open(database, max_bytes, &cache->store, &err) < 0)
		log_warn("%s_tls_session_cache_database: %s; sessions are not kept", cache->name,
		    err.text);
}

void sessions_close(struct session_cache *cache)
{
	table_store_close(&cache->store);
	str_fini(&cache->place);
}

static void complain(const struct session_cache *cache, const struct err *err)
{
	log_warn("%s TLS session cache: %s", cache->name, err->text);
}

static bool is_over(struct slice value, int64_t now, int timeout_s)
{
	int64_t expires = value.len > EXPIRY_LEN ? (int64_t)le_get64(value.data) : 0;

	/* a clock that was set back, or nonsense of another program, keeps nothing for ever */
	return expires <= now || expires > now + timeout_s;
}

const char *sessions_find(
    struct session_cache *cache, const char *key, int64_t now, struct arena *arena)
{
	const char *session = NULL;
	struct str value = {0};
	struct err err;

	if (!cache->store)
		return NULL;
	switch (table_store_get(cache->store, slice_text(key), &value, &err)) {
	case TABLE_FOUND:
		if (is_over(slice_of(value.data, value.len), now, cache->timeout_s))
			sessions_drop(cache, key);
		else
			session =
			    arena_strndup(arena, value.data + EXPIRY_LEN, value.len - EXPIRY_LEN);
		break;
	case TABLE_NOT_FOUND:
		break;
	case TABLE_ERROR:
		complain(cache, &err);
		break;
	}
	str_fini(&value);
	return session;
}

void sessions_store(struct session_cache *cache, const struct tlsmgr_request *request, int64_t now)
{
	int64_t life = cache->timeout_s;
	char expires[EXPIRY_LEN];
	struct str value = {0};
	struct err err;

	if (!cache->store || !*request->key || !*request->session)
		return;
	if (request->lifetime_s)
		life = MIN(life, (int64_t)request->lifetime_s);
	le_put64(expires, (uint64_t)(now + life));
	str_put(&value, expires, sizeof(expires));
	str_put_text(&value, request->session);
	if (table_store_put(
	        cache->store, slice_text(request->key), slice_of(value.data, value.len), &err) < 0)
		complain(cache, &err);
	cache->changed = true;
	str_fini(&value);
}

void sessions_drop(struct session_cache *cache, const char *key)
{
	struct err err;

	if (!cache->store)
		return;
	if (table_store_remove(cache->store, slice_text(key), &err) < 0)
		complain(cache, &err);
	cache->changed = true;
}

struct sweep {
	int64_t now;
	int timeout_s;
	bool removed;
};

static bool keep(struct slice key UNUSED, struct slice value, void *arg)
{
	struct sweep *sweep = arg;
	bool over = is_over(value, sweep->now, sweep->timeout_s);

	sweep->removed |= over;
	return !over;
}

void sessions_sweep(struct session_cache *cache, int64_t now)
{
	struct sweep sweep = {now, cache->timeout_s, false};
	struct err err;

	if (!cache->store)
		return;
	if (table_store_walk(cache->store, &cache->place, SWEEP_ENTRIES, keep, &sweep, &err) < 0 ||
	    table_store_commit(cache->store, &err) < 0)
		complain(cache, &err);
	cache->changed = false;
}
