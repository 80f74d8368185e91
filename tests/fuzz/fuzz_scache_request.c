/* SPDX-License-Identifier: ISC */
/* fuzz-links: scache */
/* fuzz-parts: serve */
/* What processes ask of scache(8). */
#include "lib/base/log.h"
#include "scache/scache.h"
#include "tests/fuzz/serve/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cache_limits limits = {.ttl_ms = 1000, .sessions = 2};
	struct cache cache = {0};
	struct frame_server server = {
	    .name = "scache", .stall_ms = 1000, .take = cache_take_frame, .arg = &cache};

	server.loop = loop_new();
	cache_init(&cache, server.loop, &limits);
	serve_bytes(server.loop, serve_frames, &server, data, size);
	must(server.clients == 0);
	must(cache.sessions == 0); /* no descriptor came along */
	cache_fini(&cache);
	loop_free(&server.loop);
	return 0;
}
