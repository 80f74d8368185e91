/* SPDX-License-Identifier: ISC */
/*
 * Sessions to resume: the last ones of this process, and through tlsmgr those of the others. A key
 * says everything that was asked of the server, so that what was enough then is enough now.
 */
#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "smtp/engine.h"

enum { SAVED_MAX = 100 };

static void forget(struct engine *e, const char *key)
{
	struct tls_saved *saved = map_remove(e->saved, key);

	tls_saved_free(&saved);
}

static void remember(struct engine *e, const char *key, struct tls_saved *saved)
{
	struct tls_saved *old;

	/* who talks to that many servers has more use for room than for what is in it */
	while (map_count(e->saved) >= SAVED_MAX) {
		const char *some;
		size_t cursor = 0;
		void *value;

		if (!map_next(e->saved, &cursor, &some, &value))
			break;
		forget(e, some);
	}
	old = map_put(e->saved, key, saved);
	tls_saved_free(&old);
}

static enum tlsmgr_cache cache_of(const struct engine *e)
{
	return e->lmtp ? TLSMGR_LMTP : TLSMGR_SMTP;
}

static int64_t left_s(const struct tls_saved *saved)
{
	return tls_saved_expires(saved) - clock_wall_us() / 1000000;
}

const struct tls_saved *resume_find(struct engine *e, const char *key)
{
	struct tls_saved *saved = map_get(e->saved, key);
	struct str bytes = {0};

	if (saved && left_s(saved) > 0)
		return saved;
	if (saved)
		forget(e, key);
	if (!e->manager || !tlsmgr_find(e->manager, cache_of(e), key, &bytes)) {
		str_fini(&bytes);
		return NULL;
	}
	saved = tls_saved_get(slice_of(bytes.data, bytes.len));
	str_fini(&bytes);
	if (!saved)
		return NULL;
	remember(e, key, saved);
	return saved;
}

void resume_keep(struct engine *e, const char *key, struct tls_session *session)
{
	int64_t limit = e->secure->sessions[cache_of(e)].timeout;
	struct tls_saved *saved;
	struct str bytes = {0};

	if (!tls_session_save(session, &saved))
		return;
	limit = MIN(limit, left_s(saved));
	if (limit <= 0) {
		tls_saved_free(&saved);
		return;
	}
	if (e->manager && tls_saved_put(saved, &bytes))
		tlsmgr_store(
		    e->manager, cache_of(e), key, slice_of(bytes.data, bytes.len), (uint32_t)limit);
	str_fini(&bytes);
	remember(e, key, saved);
}

void resume_drop(struct engine *e, const char *key)
{
	forget(e, key);
	if (e->manager)
		tlsmgr_drop(e->manager, cache_of(e), key);
}
