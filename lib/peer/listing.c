/* SPDX-License-Identifier: ISC */
#include "lib/peer/listing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/mail/address.h"
#include "lib/peer/bounce.h"
#include "lib/peer/maildrop.h"
#include "lib/queue/where.h"

/* Up to so many reasons are looked through one by one; a map pays beyond. */
enum { PATH_SIZE = 256, FEW = 16 };
/* A directory of fewer files is read faster than processes are started; so many are read in a row.
 */
enum { SHARED_FROM = 400, IN_A_ROW = 32, LOOK = MESSAGE_ENVELOPE | MESSAGE_LOOK };

struct listing {
	struct queue *queue;
	const struct listing_reader *reader;
	const char *name; /* of the queue that is being read */
	struct str quoted;
	struct arena logs, arena; /* of the message in hand */
	bool stopped;
};

static const char *shown_address(struct listing *l, const char *address)
{
	if (!address[0] || l->reader->what & LISTING_RAW)
		return address;
	str_clear(&l->quoted);
	address_quote(&l->quoted, address);
	return str_text(&l->quoted);
}

static bool begin(struct listing *l, struct listing_message *m, const char *sender)
{
	m->queue = l->name;
	m->sender = shown_address(l, sender);
	l->stopped = !l->reader->begin(l->reader->arg, m);
	return !l->stopped;
}

static void end(struct listing *l)
{
	if (!l->stopped && l->reader->end)
		l->stopped = !l->reader->end(l->reader->arg);
}

/* ---- maildrop: not the queue's records yet ------------------------------------------------- */

static void read_waiting(struct listing *l, const char *id, int fd, struct str *rcpts)
{
	struct listing_message m = {.id = id, .loc = {.lane = -1, .dir = "maildrop"}};
	struct maildrop_reader reader = {0};
	struct maildrop_envelope env = {0};
	struct maildrop_item item;
	struct err err;

	while (maildrop_read(&reader, fd, &l->arena, &item, &err) == 1) {
		if (item.type == MAILDROP_ENVELOPE)
			env = item.env;
		else if (item.type == MAILDROP_RCPT)
			str_put(rcpts, item.rcpt.address, strlen(item.rcpt.address) + 1);
		if (item.type == MAILDROP_END)
			break;
	}
	m.arrival = (int64_t)(env.time_us / 1000000);
	m.size = reader.sum.content_len;
	m.rcpts = reader.sum.rcpt_count;
	if (env.sender && begin(l, &m, env.sender)) {
		for (size_t at = 0; l->reader->rcpt && at < rcpts->len;
		     at += strlen(rcpts->data + at) + 1)
			l->reader->rcpt(l->reader->arg, shown_address(l, rcpts->data + at), "");
		end(l);
	}
	maildrop_reader_fini(&reader);
	arena_reset(&l->arena);
}

static bool waiting_found(void *arg, const struct scan_item *item)
{
	struct listing *l = arg;
	struct str rcpts = {0};
	char path[PATH_SIZE];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "maildrop/%s", item->id);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return true;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IXUSR)
		read_waiting(l, item->id, fd, &rcpts);
	close(fd);
	str_fini(&rcpts);
	return !l->stopped;
}

/* ---- queue records -------------------------------------------------------------------------- */

/* Why recipients wait: the last record of an address counts. */
struct reasons {
	size_t count;
	const char *addresses[FEW], *texts[FEW];
	struct map *map; /* all of them, once there are many */
};

static void reasons_put(struct reasons *r, const char *address, char *text)
{
	if (!r->map && r->count == FEW) {
		r->map = map_new();
		for (size_t i = 0; i < FEW; i++)
			map_put(r->map, r->addresses[i], (void *)(uintptr_t)r->texts[i]);
	}
	if (r->map) {
		map_put(r->map, address, text);
		return;
	}
	r->addresses[r->count] = address;
	r->texts[r->count++] = text;
}

static const char *reasons_get(const struct reasons *r, const char *address)
{
	const char *text = NULL;

	if (r->map)
		text = map_get(r->map, address);
	for (size_t i = r->count; !r->map && !text && i > 0; i--) {
		if (strcmp(r->addresses[i - 1], address) == 0)
			text = r->texts[i - 1];
	}
	return text ? text : "";
}

static void read_reasons(struct listing *l, const char *id, struct reasons *r)
{
	struct bounce_log *log = bounce_log_open(l->queue, "defer", id);
	struct bounce_record record;

	while (log && bounce_log_next(log, &l->logs, &record))
		reasons_put(r, record.address, arena_strdup(&l->logs, record.reason));
	bounce_log_close(&log);
}

static void read_rcpts(struct listing *l, struct message *m, const char *id)
{
	struct rcpt_cursor cursor = {0};
	struct reasons reasons = {0};
	struct recipient rcpt;
	struct err err;
	int rc;

	if (l->reader->what & LISTING_REASONS)
		read_reasons(l, id, &reasons);
	while ((rc = message_next_rcpt(m, &cursor, &l->arena, &rcpt, &err)) == 1) {
		if (rcpt.status == RCPT_TODO)
			l->reader->rcpt(l->reader->arg, shown_address(l, rcpt.address),
			    reasons_get(&reasons, rcpt.address));
		arena_reset(&l->arena);
	}
	if (rc < 0)
		log_warn("%s/%s: %s", l->name, id, err.text);
	map_free(&reasons.map, NULL);
	arena_reset(&l->logs);
}

static bool record_found(void *arg, const struct scan_item *item)
{
	struct listing *l = arg;
	struct listing_message shown = {.id = item->id, .loc = item->loc};
	struct message m;

	if (!item->m) {
		log_warn("%s/%s: %s", item->loc.dir, item->id,
		    item->err ? item->err->text : "unreadable");
		return true;
	}
	m = *item->m; /* reading recipients moves nothing that the scan needs */
	shown.arrival = (int64_t)(m.env.arrival_us / 1000000);
	shown.size = m.content_len;
	shown.expired = (m.mode & S_IXGRP) != 0;
	shown.rcpts = m.env.rcpt_count;
	if (!begin(l, &shown, m.env.sender))
		return false;
	if (l->reader->what & (LISTING_RCPTS | LISTING_REASONS))
		read_rcpts(l, &m, item->id);
	end(l);
	return !l->stopped;
}

/* ---- a large directory, by several processes ------------------------------------------------ */

struct names {
	struct listing *l;
	char (*ids)[QUEUE_ID_MAX];
	size_t count, cap;
};

static bool name_found(void *arg, const struct scan_item *item)
{
	struct names *names = arg;

	if (names->count == names->cap) {
		names->cap = names->cap ? names->cap * 2 : 1024;
		names->ids = alloc_array(names->ids, names->cap, sizeof(*names->ids));
	}
	snprintf(names->ids[names->count++], QUEUE_ID_MAX, "%s", item->id);
	return true;
}

static bool read_name(void *arg, struct crew *crew UNUSED, size_t i)
{
	struct names *names = arg;
	struct scan_item item = {.loc = {.lane = -1}, .id = names->ids[i]};
	struct message m;
	struct err err;
	bool go_on;
	int rc;

	snprintf(item.loc.dir, sizeof(item.loc.dir), "%s", names->l->name);
	rc = message_open(names->l->queue, &item.loc, item.id, LOOK, &m, &err);
	if (rc == 1)
		return true;
	if (rc == 0)
		item.m = &m;
	else
		item.err = &err;
	go_on = record_found(names->l, &item);
	if (rc == 0)
		message_close(&m);
	return go_on;
}

static void part_done(void *arg, struct crew *crew)
{
	const struct names *names = arg;

	if (names->l->reader->share)
		names->l->reader->share(names->l->reader->arg, crew);
}

static int read_directory(struct listing *l, const char *dir, struct err *err)
{
	const struct listing_reader *reader = l->reader;
	struct names names = {.l = l};
	struct crew crew = {.chunk = IN_A_ROW,
	    .workers = crew_workers(),
	    .work = read_name,
	    .done = part_done,
	    .arg = &names};
	int rc;

	if (!reader->share)
		return queue_scan_dir(l->queue, dir, LOOK, record_found, l, err);
	rc = queue_scan_dir(l->queue, dir, MESSAGE_NAME, name_found, &names, err);
	crew.count = names.count;
	if (names.count < SHARED_FROM) {
		for (size_t i = 0; i < names.count && !l->stopped; i++)
			read_name(&names, NULL, i);
	} else {
		reader->share(reader->arg, &crew);
		rc = crew_run(&crew, err) < 0 ? -1 : rc;
		reader->share(reader->arg, NULL);
		crew_fini(&crew);
	}
	free(names.ids);
	return rc;
}

int listing_read(struct queue *queue, const struct listing_reader *reader)
{
	static const struct {
		const char *name, *dir; /* dir NULL: the journal */
		unsigned queue;
	} places[] = {{"maildrop", "maildrop", WHERE_MAILDROP},
	    {"active", NULL, WHERE_ACTIVE | WHERE_INCOMING}, {"active", "active", WHERE_ACTIVE},
	    {"incoming", "incoming", WHERE_INCOMING}, {"deferred", "deferred", WHERE_DEFERRED},
	    {"hold", "hold", WHERE_HOLD}};
	struct listing l = {.queue = queue, .reader = reader};
	struct err err;
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(places) && !l.stopped; i++) {
		int one = 0;

		if (!(reader->queues & places[i].queue))
			continue;
		l.name = places[i].name;
		if (!places[i].dir)
			one = queue_scan_journal(queue, MESSAGE_ENVELOPE, record_found, &l, &err);
		else if (places[i].queue == WHERE_MAILDROP)
			one = queue_scan_dir(queue, "maildrop", 0, waiting_found, &l, &err);
		else
			one = read_directory(&l, places[i].dir, &err);
		if (one < 0) {
			log_warn("%s", err.text);
			rc = -1;
		}
	}
	str_fini(&l.quoted);
	arena_fini(&l.logs);
	arena_fini(&l.arena);
	return rc;
}
