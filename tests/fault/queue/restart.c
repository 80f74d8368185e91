/* SPDX-License-Identifier: ISC */
/*
 * Looks at the queue as a restarted system does: directories first, then the journal, where the
 * record of a message that is a file already only waits for its mark. What is found is delivered.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/map.h"
#include "tests/fault/queue/fault.h"
#include "tests/fault/queue/seeded.h"

struct restart {
	struct queue *queue;
	struct map *found; /* id -> struct location */
	FILE *report;
};

static void check_content(struct restart *r, const char *id, const struct message *m)
{
	struct str want = {0}, have = {0};
	unsigned seed = 0;

	str_reserve(&have, m->content_len);
	if (pread(m->fd, have.data, m->content_len, (off_t)m->content_at) ==
	    (ssize_t)m->content_len)
		have.len = m->content_len;
	sscanf(str_text(&have), "X-Seed: %u", &seed);
	seeded_content(&want, seed);
	if (have.len != want.len || memcmp(have.data, want.data, want.len) != 0)
		fprintf(r->report, "X %s is damaged\n", id);
	str_fini(&want);
	str_fini(&have);
}

static bool collect(void *arg, const struct scan_item *item)
{
	struct restart *r = arg;
	struct location *loc;

	if (!item->m) {
		fprintf(r->report, "X %s/%s: %s\n", item->loc.dir, item->id,
		    item->err ? item->err->text : "?");
		return true;
	}
	if (map_get(r->found, item->id)) {
		if (item->loc.lane < 0)
			fprintf(r->report, "X %s is in two directories\n", item->id);
		else
			message_settle(r->queue, &item->loc, item->id, NULL);
		return true;
	}
	check_content(r, item->id, item->m);
	loc = alloc(sizeof(*loc));
	*loc = item->loc;
	map_put(r->found, item->id, loc);
	return true;
}

static void find_all(struct restart *r)
{
	static const char *const dirs[] = {"active", "incoming", "deferred", "hold"};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (queue_scan_dir(r->queue, dirs[i], MESSAGE_ENVELOPE | MESSAGE_CONTENT, collect,
		        r, &err) < 0)
			fprintf(r->report, "X %s\n", err.text);
	}
	if (queue_scan_journal(r->queue, MESSAGE_ENVELOPE | MESSAGE_CONTENT, collect, r, &err) < 0)
		fprintf(r->report, "X %s\n", err.text);
}

int fault_restart(FILE *report)
{
	struct restart r = {.found = map_new(), .report = report};
	const char *id;
	size_t cursor = 0;
	struct err err;
	void *loc;

	if (queue_open(&fault_params, false, &r.queue, &err) < 0) {
		fprintf(report, "X %s\n", err.text);
		return 1;
	}
	find_all(&r);
	while (map_next(r.found, &cursor, &id, &loc))
		fault_deliver(r.queue, loc, id, FAULT_RCPTS, true, report);
	map_free(&r.found, free);
	r.found = map_new();
	find_all(&r);
	if (map_count(r.found) > 0)
		fprintf(report, "X %zu messages come back when all are done\n", map_count(r.found));
	map_free(&r.found, free);
	queue_close(&r.queue);
	return 0;
}
