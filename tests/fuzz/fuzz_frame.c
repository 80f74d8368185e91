/* SPDX-License-Identifier: ISC */
/* Frames between processes: any bytes give values whose texts are there, or an error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/peer/bounce.h"
#include "lib/peer/deliver.h"
#include "lib/peer/note.h"
#include "lib/peer/scache.h"
#include "lib/peer/tlsproxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct frame_table *const tables[] = {&note_table, &deliver_request_table,
    &deliver_result_table, &bounce_request_table, &bounce_answer_table, &scache_store_table,
    &scache_find_table, &scache_answer_table, &tlsproxy_hello_table, &tlsproxy_ready_table,
    &tlsproxy_request_table, &tlsproxy_outcome_table};

/* What was decoded encodes to what decodes to the same. */
static void round_trip(const struct frame_table *table, const void *value, struct arena *arena)
{
	struct str coded = {0}, again = {0};
	void *copy = arena_zero(arena, 1, table->size);
	struct frame frame;

	frame_encode(&coded, 1, 2, table, value);
	must(frame_peek(coded.data, coded.len, &frame, NULL) == 1 && frame.size == coded.len);
	must(frame_decode(&frame, table, copy, arena, NULL) == 0);
	frame_encode(&again, 1, 2, table, copy);
	must(coded.len == again.len && memcmp(coded.data, again.data, coded.len) == 0);
	str_clear(&coded);
	frame_print(&coded, table, value);
	str_fini(&coded);
	str_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct frame frame;
	struct err err;

	if (size > 100000)
		return 0;
	while (frame_peek(data, size, &frame, &err) == 1) {
		for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
			void *value = arena_zero(&arena, 1, tables[i]->size);

			if (frame_decode(&frame, tables[i], value, &arena, &err) == 0)
				round_trip(tables[i], value, &arena);
		}
		data += frame.size;
		size -= frame.size;
	}
	arena_fini(&arena);
	return 0;
}
