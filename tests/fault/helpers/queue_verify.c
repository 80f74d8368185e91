/* SPDX-License-Identifier: ISC */
/*
 * Looks at a queue as a restarted system does and holds it against the reports of queue_work:
 * each accepted, unfinished message is there once, whole; no recipient that was delivered is still
 * to do; no finished message comes back (unless "power" is given: marks are not synced).
 * usage: queue_verify SPOOL REPORT [power]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/queue/store.h"
#include "tests/fault/helpers/seeded.h"

static const struct queue_params params = {2, 65536, 20000, "deferred, defer", 1};

struct found {
	char status[2];
	struct str content;
};

struct verify {
	struct map *found; /* id -> struct found; a file wins over a journal record */
	int bad;
};

static bool collect(void *arg, const struct scan_item *item)
{
	struct verify *v = arg;
	struct message m;
	struct found *f;
	struct rcpt_cursor cursor = {0, 0};
	struct arena arena = {0};
	struct recipient rcpt;
	struct err err;

	(void)m;
	if (!item->m) {
		printf("%s/%s: %s\n", item->loc.dir, item->id, item->err ? item->err->text : "?");
		return true; /* damaged: not there; if it was promised that is told below */
	}
	if (map_get(v->found, item->id))
		return true;
	f = alloc_zero(1, sizeof(*f));
	str_reserve(&f->content, item->m->content_len);
	if (pread(item->m->fd, f->content.data, item->m->content_len,
		(off_t)item->m->content_at) != (ssize_t)item->m->content_len)
		v->bad++;
	f->content.len = item->m->content_len;
	m = *item->m;
	for (int i = 0; i < 2 && message_next_rcpt(&m, &cursor, &arena, &rcpt, &err) == 1; i++)
		f->status[i] = (char)rcpt.status;
	arena_fini(&arena);
	map_put(v->found, item->id, f);
	return true;
}

static void complain(struct verify *v, const char *id, const char *what)
{
	printf("%s: %s\n", id, what);
	v->bad++;
}

static void check_line(struct verify *v, const char *line, struct map *finished, bool power)
{
	char id[64];
	unsigned n;
	struct found *f;

	if (sscanf(line, "A %63s %u", id, &n) == 2) {
		struct str want = {0};

		f = map_get(v->found, id);
		seeded_content(&want, n);
		if (!f && !map_get(finished, id))
			complain(v, id, "was accepted and is lost");
		if (f && (f->content.len != want.len ||
			     memcmp(f->content.data, want.data, want.len) != 0))
			complain(v, id, "is damaged");
		str_fini(&want);
	} else if (sscanf(line, "D %63s %u", id, &n) == 2 && !power) {
		f = map_get(v->found, id);
		if (f && f->status[n] == RCPT_TODO)
			complain(v, id, "a delivered recipient comes back");
	} else if (sscanf(line, "F %63s", id) == 1 && !power) {
		if (map_get(v->found, id))
			complain(v, id, "was finished and comes back");
	}
}

int main(int argc, char **argv)
{
	static const char *const dirs[] = {"active", "deferred", "hold", "incoming"};
	struct verify v = {.found = map_new()};
	struct map *finished = map_new();
	bool power = argc > 3 && strcmp(argv[3], "power") == 0;
	char line[512], id[64];
	struct queue *queue;
	struct err err;
	unsigned n;
	FILE *report;

	report = argc > 2 ? fopen(argv[2], "r") : NULL;
	if (!report || chdir(argv[1]) < 0)
		return 2;
	log_open(LOG_TO_STDERR, 2, 0);
	if (queue_open(&params, false, &queue, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	for (size_t i = 0; i < 4; i++)
		queue_scan_dir(queue, dirs[i], MESSAGE_ENVELOPE | MESSAGE_CONTENT, collect, &v, &err);
	queue_scan_journal(queue, MESSAGE_ENVELOPE | MESSAGE_CONTENT, collect, &v, &err);
	while (fgets(line, sizeof(line), report)) {
		/* recipient 1 is delivered last: who dies before it says "finished" has finished */
		if (sscanf(line, "F %63s", id) == 1 ||
		    (sscanf(line, "D %63s %u", id, &n) == 2 && n == 1))
			map_put(finished, id, report);
	}
	rewind(report);
	while (fgets(line, sizeof(line), report))
		check_line(&v, line, finished, power);
	return v.bad ? 1 : 0;
}
