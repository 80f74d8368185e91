/* SPDX-License-Identifier: ISC */
/*
 * Which messages: by id in the files' directories first, then in the journal, which is read once
 * for all ids. A message may move while we look (qmgr lives), so one that is gone is looked for
 * again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/postsuper/postsuper.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

enum { TRIES = 3, PATH_SIZE = 256 };

static const struct {
	const char *dir;
	unsigned bit;
} places[] = {
    {"hold", IN_HOLD}, {"incoming", IN_INCOMING}, {"active", IN_ACTIVE}, {"deferred", IN_DEFERRED}};

static bool note_location(void *arg, const struct scan_item *item)
{
	struct map *map = arg;
	struct location *loc = alloc(sizeof(*loc));

	*loc = item->loc;
	free(map_put(map, item->id, loc));
	return true;
}

static void read_journal(struct postsuper *p)
{
	struct err err;

	map_free(&p->journal, free);
	p->journal = map_new();
	if (queue_scan_journal(p->queue, MESSAGE_ENVELOPE, note_location, p->journal, &err) < 0)
		log_warn("%s", err.text);
}

static bool find(
    struct postsuper *p, unsigned queues, const char *id, bool fresh, struct location *out)
{
	const struct location *loc;

	/* twice: qmgr may rename it from a folder not yet looked at into one that was */
	for (size_t i = 0; i < 2 * ARRAY_LEN(places); i++) {
		size_t place = i % ARRAY_LEN(places);
		char path[PATH_SIZE];
		struct stat st;

		if (!(queues & places[place].bit))
			continue;
		queue_path(p->queue, places[place].dir, id, path, sizeof(path));
		if (lstat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			*out = (struct location){.lane = -1};
			snprintf(out->dir, sizeof(out->dir), "%s", places[place].dir);
			return true;
		}
	}
	if (!(queues & (IN_INCOMING | IN_ACTIVE)))
		return false;
	if (!p->journal || fresh)
		read_journal(p);
	loc = map_get(p->journal, id);
	if (loc)
		*out = *loc;
	return loc != NULL;
}

void apply_to_id(struct postsuper *p, enum op op, op_fn *fn, unsigned queues, const char *id)
{
	struct location loc;
	struct err err;

	for (int i = 0; i < TRIES && find(p, queues, id, i > 0, &loc); i++) {
		int rc = fn(p, &loc, id, &err);

		if (rc == 0)
			p->done[op]++;
		else if (rc < 0)
			log_warn("%s: %s", id, err.text);
		if (rc != 1)
			return;
	}
}

/* Names first, changes later: the folders change by what is done. */
struct ids {
	char (*names)[QUEUE_ID_MAX];
	size_t count, cap;
};

static bool collect(void *arg, const struct scan_item *item)
{
	struct ids *ids = arg;

	if (ids->count == ids->cap) {
		ids->cap = ids->cap ? ids->cap * 2 : 256;
		ids->names = alloc_array(ids->names, ids->cap, sizeof(*ids->names));
	}
	snprintf(ids->names[ids->count++], QUEUE_ID_MAX, "%s", item->id);
	return true;
}

void apply_to_all(struct postsuper *p, enum op op, op_fn *fn, unsigned queues)
{
	struct ids ids = {0};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (queues & places[i].bit &&
		    queue_scan_dir(p->queue, places[i].dir, 0, collect, &ids, &err) < 0)
			log_warn("%s", err.text);
	}
	if (queues & (IN_INCOMING | IN_ACTIVE)) {
		if (queue_scan_journal(p->queue, MESSAGE_ENVELOPE, collect, &ids, &err) < 0)
			log_warn("%s", err.text);
		read_journal(p);
	}
	p->quiet = true;
	for (size_t i = 0; i < ids.count; i++)
		apply_to_id(p, op, fn, queues, ids.names[i]);
	p->quiet = false;
	free(ids.names);
}
