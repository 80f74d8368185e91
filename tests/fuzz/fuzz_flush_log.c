/* SPDX-License-Identifier: ISC */
/*
 * Records of flush(8): any bytes of a site's log give valid queue ids, each once, and whatever is
 * not taken is in the log again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/peer/flush.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct taken {
	struct map *seen;
	size_t most; /* are taken */
};

static bool take(void *arg, const char *id)
{
	struct taken *t = arg;

	if (map_count(t->seen) == t->most)
		return false;
	must(queue_id_valid(id) && !map_get(t->seen, id));
	map_put(t->seen, id, t);
	return true;
}

/* A request of any process that reaches the socket. */
static void decode(const uint8_t *data, size_t size)
{
	struct flush_request request;
	struct arena arena = {0};
	struct frame frame;
	struct err err = {0};

	if (frame_peek(data, size, &frame, &err) == 1 &&
	    frame_decode(&frame, &flush_request_table, &request, &arena, &err) == 0)
		must(strlen(request.site) + strlen(request.id) <= size);
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	struct taken t = {.seen = map_new(), .most = size ? data[0] % 4 : 0};
	struct err err = {0};
	size_t first;
	FILE *file;

	if (!*path)
		snprintf(path, sizeof(path), "/tmp/fuzz_flush_log_%ld", (long)getpid());
	decode(data, size);
	file = fopen(path, "w");
	must(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
	must(flush_log_take(path, take, &t, &err) == 0);
	first = map_count(t.seen);
	t.most = SIZE_MAX;
	must(flush_log_take(path, take, &t, &err) == 0); /* the others, and none twice */
	must(map_count(t.seen) >= first);
	map_free(&t.seen, NULL);
	must(unlink(path) == 0);
	return 0;
}
