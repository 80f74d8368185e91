/* SPDX-License-Identifier: ISC */
#include "scache/scache.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"

static bool store(struct cache *cache, const struct frame *frame, int *passed, struct arena *arena,
    struct err *err)
{
	struct scache_store store;

	if (frame_decode(frame, &scache_store_table, &store, arena, err) < 0)
		return false;
	if (cache_store(cache, &store, *passed, err) < 0)
		return false;
	*passed = -1;
	return true;
}

static bool find(struct cache *cache, struct frame_client *client, const struct frame *frame,
    struct arena *arena, struct err *err)
{
	struct scache_answer answer;
	struct scache_find find;
	struct str out = {0};
	bool sent;
	int fd;

	if (frame_decode(frame, &scache_find_table, &find, arena, err) < 0)
		return false;
	fd = cache_find(cache, &find, arena, &answer);
	frame_encode(&out, SCACHE_ANSWER, frame->id, &scache_answer_table, &answer);
	sent = frame_client_answer(client, &out, fd);
	if (fd >= 0)
		close(fd); /* it is the client's now, or, when it did not arrive, lost like any
		              other */
	str_fini(&out);
	(void)sent; /* a client that is gone needs no complaint */
	return true;
}

bool cache_take_frame(
    struct frame_client *client, const struct frame *frame, int *passed, void *arg)
{
	struct cache *cache = arg;
	struct arena arena = {0};
	struct err err = {0};
	bool good;

	if (frame->type == SCACHE_STORE) {
		good = store(cache, frame, passed, &arena, &err);
	} else if (frame->type == SCACHE_FIND) {
		good = find(cache, client, frame, &arena, &err);
	} else {
		err_set(&err, 0, "request of unknown type %u", frame->type);
		good = false;
	}
	if (!good)
		log_warn("private/scache: a client is turned away: %s", err.text);
	arena_fini(&arena);
	return good;
}

static unsigned percent(unsigned hits, unsigned misses)
{
	uint64_t all = (uint64_t)hits + misses;

	return all ? (unsigned)(100 * (uint64_t)hits / all) : 0;
}

void cache_log_counts(struct cache *cache, int64_t since_wall_us)
{
	const struct cache_counts *n = &cache->counts;
	time_t since = (time_t)(since_wall_us / 1000000);
	struct tm tm;
	char when[32] = "";

	if (!n->destination_hits && !n->destination_misses && !n->endpoint_hits &&
	    !n->endpoint_misses && !n->sessions_max)
		return;
	if (localtime_r(&since, &tm))
		strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	log_info("statistics: start interval %s", when);
	if (n->destination_hits || n->destination_misses)
		log_info("statistics: domain lookup hits=%u miss=%u success=%u%%",
		    n->destination_hits, n->destination_misses,
		    percent(n->destination_hits, n->destination_misses));
	if (n->endpoint_hits || n->endpoint_misses)
		log_info("statistics: address lookup hits=%u miss=%u success=%u%%",
		    n->endpoint_hits, n->endpoint_misses,
		    percent(n->endpoint_hits, n->endpoint_misses));
	if (n->sessions_max)
		log_info("statistics: max simultaneous domains=%zu addresses=%zu connection=%zu",
		    n->destinations_max, n->endpoints_max, n->sessions_max);
	cache_counts_reset(cache);
}
