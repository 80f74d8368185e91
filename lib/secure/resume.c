/* SPDX-License-Identifier: ISC */
#include "lib/secure/resume.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/map.h"
#include "lib/sys/clock.h"

enum { SAVED_MAX = 100 };

struct secure_resume {
	struct tlsmgr_client *manager; /* NULL: sessions are not shared */
	enum tlsmgr_cache cache;
	int64_t timeout_s;
	struct map *saved; /* key -> struct tls_saved */
};

struct secure_resume *secure_resume_new(
    const struct secure_params *params, enum tlsmgr_cache cache, bool shared, int timeout_ms)
{
	struct secure_resume *r = alloc_zero(1, sizeof(*r));

	r->cache = cache;
	r->timeout_s = params->sessions[cache].timeout;
	r->saved = map_new();
	if (shared && *params->sessions[cache].database)
		r->manager = tlsmgr_client_new(params->tlsmgr_service_name, timeout_ms);
	return r;
}

static void free_saved(void *value)
{
	struct tls_saved *saved = value;

	tls_saved_free(&saved);
}

void secure_resume_free(struct secure_resume **resume)
{
	struct secure_resume *r = *resume;

	if (!r)
		return;
	map_free(&r->saved, free_saved);
	tlsmgr_client_free(&r->manager);
	free(r);
	*resume = NULL;
}

static void forget(struct secure_resume *r, const char *key)
{
	struct tls_saved *saved = map_remove(r->saved, key);

	if (saved)
		tls_saved_free(&saved);
}

static void remember(struct secure_resume *r, const char *key, struct tls_saved *saved)
{
	struct tls_saved *old;

	/* who talks to that many servers has more use for room than for what is in it */
	while (map_count(r->saved) >= SAVED_MAX) {
		const char *some;
		size_t cursor = 0;
		void *value;

		if (!map_next(r->saved, &cursor, &some, &value))
			break;
		forget(r, some);
	}
	old = map_put(r->saved, key, saved);
	if (old)
		tls_saved_free(&old);
}

static int64_t left_s(const struct tls_saved *saved)
{
	return tls_saved_expires(saved) - clock_wall_us() / 1000000;
}

const struct tls_saved *secure_resume_find(struct secure_resume *r, const char *key)
{
	struct tls_saved *saved = map_get(r->saved, key);
	struct str bytes = {0};

	if (saved && left_s(saved) > 0)
		return saved;
	if (saved)
		forget(r, key);
	if (!r->manager || !tlsmgr_find(r->manager, r->cache, key, &bytes)) {
		str_fini(&bytes);
		return NULL;
	}
	saved = tls_saved_get(slice_of(bytes.data, bytes.len));
	str_fini(&bytes);
	if (!saved)
		return NULL;
	remember(r, key, saved);
	return saved;
}

bool secure_resume_keep(struct secure_resume *r, const char *key, struct tls_session *session)
{
	struct tls_saved *saved;
	struct str bytes = {0};
	int64_t limit;

	if (!tls_session_save(session, &saved))
		return false;
	limit = MIN(r->timeout_s, left_s(saved));
	if (limit <= 0) {
		tls_saved_free(&saved);
		return true;
	}
	if (r->manager && tls_saved_put(saved, &bytes))
		tlsmgr_store(
		    r->manager, r->cache, key, slice_of(bytes.data, bytes.len), (uint32_t)limit);
	str_fini(&bytes);
	remember(r, key, saved);
	return true;
}

void secure_resume_drop(struct secure_resume *r, const char *key)
{
	forget(r, key);
	if (r->manager)
		tlsmgr_drop(r->manager, r->cache, key);
}
