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
#include <time.h>

#include "commands/postsuper/postsuper.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/peer/listing.h"
#include "lib/peer/listing_json.h"

enum { TRIES = 3, PATH_SIZE = 256 };

static const struct {
	const char *dir;
	unsigned bit;
} places[] = {{"deferred", WHERE_DEFERRED}, {"hold", WHERE_HOLD}, {"incoming", WHERE_INCOMING},
    {"active", WHERE_ACTIVE}, {"maildrop", WHERE_MAILDROP}};

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

bool find_message(
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
	if (!(queues & (WHERE_INCOMING | WHERE_ACTIVE)))
		return false;
	if (!p->journal || fresh)
		read_journal(p);
	loc = map_get(p->journal, id);
	if (loc)
		*out = *loc;
	return loc != NULL;
}

void apply_to_id(struct postsuper *p, enum op op, unsigned queues, const char *id)
{
	struct location loc;
	struct err err;

	for (int i = 0; i < TRIES && find_message(p, queues, id, i > 0, &loc); i++) {
		int rc = op_kinds[op].fn(p, &loc, id, &err);

		if (rc == OP_DONE)
			p->done[op]++;
		else if (rc < 0)
			log_warn("%s: %s", id, err.text);
		if (rc != OP_GONE)
			return;
	}
}

/* Names first, changes later: the folders change by what is done. */
struct ids {
	char (*names)[QUEUE_ID_MAX];
	size_t count, cap;
};

static void add_id(struct ids *ids, const char *id)
{
	if (ids->count == ids->cap) {
		ids->cap = ids->cap ? ids->cap * 2 : 256;
		ids->names = alloc_array(ids->names, ids->cap, sizeof(*ids->names));
	}
	snprintf(ids->names[ids->count++], QUEUE_ID_MAX, "%s", id);
}

static bool collect(void *arg, const struct scan_item *item)
{
	add_id(arg, item->id);
	return true;
}

void apply_to_all(struct postsuper *p, enum op op, unsigned queues)
{
	struct ids ids = {0};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (!(queues & places[i].bit))
			continue;
		if (op == OP_DELETE && places[i].bit != WHERE_MAILDROP)
			p->done[op] += wipe_hashed(p, places[i].dir);
		if (queue_scan_dir(p->queue, places[i].dir, MESSAGE_NAME, collect, &ids, &err) < 0)
			log_warn("%s", err.text);
	}
	if (queues & (WHERE_INCOMING | WHERE_ACTIVE)) {
		if (queue_scan_journal(p->queue, MESSAGE_ENVELOPE, collect, &ids, &err) < 0)
			log_warn("%s", err.text);
		read_journal(p);
	}
	p->quiet = true;
	for (size_t i = 0; i < ids.count; i++)
		apply_to_id(p, op, queues, ids.names[i]);
	p->quiet = false;
	free(ids.names);
}

/* ---- selection by what messages are ---------------------------------------------------------- */

struct selection {
	struct postsuper *p;
	enum op op;
	struct where *where; /* with map NULL: all messages */
	struct map *map;     /* ids */
	struct listing_message m;
	struct str json, sender;
	unsigned rcpts; /* that are not done */
	int64_t now;
	struct ids ids; /* what is selected */
};

static bool begin(void *arg, const struct listing_message *m)
{
	struct selection *s = arg;
	const struct where_message asked = {.queue = m->queue,
	    .id = m->id,
	    .sender = m->sender,
	    .arrival = m->arrival,
	    .size = m->size,
	    .expired = m->expired};
	const struct listing_json json = {.queue = m->queue,
	    .id = m->id,
	    .arrival = m->arrival,
	    .size = m->size,
	    .expired = m->expired,
	    .sender = m->sender[0] ? m->sender : s->p->command.core.empty_address_recipient};

	s->m = *m;
	s->rcpts = 0;
	str_clear(&s->sender);
	str_put_text(&s->sender, m->sender);
	str_clear(&s->json);
	if (s->p->json)
		listing_json_begin(&s->json, &json);
	if (s->where)
		where_begin(s->where, &asked, s->now);
	return true;
}

static void rcpt(void *arg, const char *address, const char *reason)
{
	struct selection *s = arg;

	if (s->where)
		where_rcpt(s->where, address, reason);
	if (s->p->json)
		listing_json_rcpt(&s->json, s->rcpts == 0, address, reason);
	s->rcpts++;
}

static void show(struct selection *s)
{
	if (s->p->json) {
		listing_json_close(&s->json);
		printf("%s, \"action\": \"%s\", \"dry_run\": %s}\n", str_text(&s->json),
		    op_kinds[s->op].name, s->p->dry_run ? "true" : "false");
	} else if (s->p->dry_run) {
		text_make_printable(s->sender.data, s->sender.len);
		printf("%s: %s, %s, %lld s, %llu bytes, from=<%s>, nrcpt=%u\n", s->m.id,
		    op_kinds[s->op].name, s->m.queue, (long long)(s->now - s->m.arrival),
		    (unsigned long long)s->m.size, str_text(&s->sender), s->rcpts);
	}
}

static bool end(void *arg)
{
	struct selection *s = arg;

	if ((s->where && !where_end(s->where)) || (s->map && !map_get(s->map, s->m.id)))
		return true;
	show(s);
	add_id(&s->ids, s->m.id);
	return true;
}

void apply_to_selected(struct postsuper *p, enum op op, struct where *where, struct map *ids)
{
	struct selection s = {.p = p, .op = op, .where = where, .map = ids, .now = time(NULL)};
	unsigned queues = op_queues(p, op) & (where ? where_queues(where) : ~0U);
	const struct listing_reader reader = {.queues = queues,
	    .what = LISTING_RCPTS |
	            (p->json || (where && where_asks_reasons(where)) ? LISTING_REASONS : 0),
	    .begin = begin,
	    .rcpt = rcpt,
	    .end = end,
	    .arg = &s};

	if (queues)
		listing_read(p->queue, &reader);
	for (size_t i = 0; i < s.ids.count; i++) {
		if (p->dry_run)
			p->done[op]++;
		else
			apply_to_id(p, op, queues, s.ids.names[i]);
	}
	free(s.ids.names);
	str_fini(&s.json);
	str_fini(&s.sender);
}
