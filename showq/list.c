/* SPDX-License-Identifier: ISC */
/*
 * The queue as it is on disk. Nobody is asked: records in the journal are read where they are,
 * as qmgr would after a restart, and shown as active. The queue changes meanwhile, so a message on
 * the move may be seen twice or not at all.
 *
 * A lane is locked while it is read, so its messages are collected and written when it is let go.
 */
#include "showq/showq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/conf/core.h"
#include "lib/mail/address.h"
#include "lib/peer/bounce.h"
#include "lib/peer/maildrop.h"
#include "lib/peer/showq.h"
#include "lib/sys/fd.h"

enum { FLUSH_AT = 64 * 1024, PATH_SIZE = 256 };

struct listing {
	struct queue *queue;
	const struct core_params *core;
	const char *dir; /* the name of the queue that is being read */
	int fd;
	bool gone; /* the reader is */
	struct str out, quoted;
};

static void flush(struct listing *l, size_t keep)
{
	if (l->out.len <= keep)
		return;
	if (!l->gone && fd_write_all(l->fd, l->out.data, l->out.len) < 0)
		l->gone = true;
	str_clear(&l->out);
}

static const char *shown_address(struct listing *l, const char *address)
{
	if (!address[0])
		return l->core->empty_address_recipient;
	str_clear(&l->quoted);
	address_quote(&l->quoted, address);
	return str_text(&l->quoted);
}

static void put_message(struct listing *l, const char *id, int64_t time, uint64_t size,
    bool expired, const char *sender)
{
	const struct showq_message message = {.queue_name = l->dir,
	    .queue_id = id,
	    .time = time,
	    .size = (int64_t)size,
	    .forced_expire = expired,
	    .sender = shown_address(l, sender)};

	showq_put_message(&l->out, &message);
}

static void put_rcpt(struct listing *l, const char *address, const char *reason)
{
	const struct showq_rcpt rcpt = {.address = shown_address(l, address), .reason = reason};

	showq_put_rcpt(&l->out, &rcpt);
}

/* ---- maildrop: not the queue's records yet -----------------------------------------------------
 */

static void put_waiting(struct listing *l, const char *id, int fd, struct str *rcpts)
{
	struct maildrop_reader reader = {0};
	struct maildrop_envelope env = {0};
	struct maildrop_item item;
	struct arena arena = {0};
	struct err err;

	str_clear(rcpts);
	while (maildrop_read(&reader, fd, &arena, &item, &err) == 1) {
		if (item.type == MAILDROP_ENVELOPE)
			env = item.env;
		else if (item.type == MAILDROP_RCPT)
			str_put(rcpts, item.rcpt.address, strlen(item.rcpt.address) + 1);
		if (item.type == MAILDROP_END)
			break;
	}
	if (env.sender) {
		put_message(l, id, (int64_t)(env.time_us / 1000000), reader.sum.content_len, false,
		    env.sender);
		for (size_t at = 0; at < rcpts->len; at += strlen(rcpts->data + at) + 1)
			put_rcpt(l, rcpts->data + at, "");
		showq_put_message_end(&l->out);
	}
	maildrop_reader_fini(&reader);
	arena_fini(&arena);
}

static bool list_waiting(void *arg, const struct scan_item *item)
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
		put_waiting(l, item->id, fd, &rcpts);
	close(fd);
	str_fini(&rcpts);
	flush(l, FLUSH_AT);
	return !l->gone;
}

/* ---- queue records ------------------------------------------------------------------------------
 */

/* Why recipients wait, by address: texts live in arena. NULL: there is no defer log. */
static struct map *read_reasons(struct listing *l, const char *id, struct arena *arena)
{
	struct bounce_log *log = bounce_log_open(l->queue, "defer", id);
	struct bounce_record record;
	struct map *reasons;

	if (!log)
		return NULL;
	reasons = map_new();
	while (bounce_log_next(log, arena, &record))
		map_put(reasons, record.address, arena_strdup(arena, record.reason));
	bounce_log_close(&log);
	return reasons;
}

static void put_record(struct listing *l, struct message *m, const char *id)
{
	struct arena logs = {0}, arena = {0};
	struct map *reasons = read_reasons(l, id, &logs);
	struct rcpt_cursor cursor = {0};
	struct recipient rcpt;
	struct stat st = {0};
	struct err err;

	put_message(l, id, (int64_t)(m->env.arrival_us / 1000000), m->content_len,
	    m->loc.lane < 0 && fstat(m->fd, &st) == 0 && st.st_mode & S_IXGRP, m->env.sender);
	while (message_next_rcpt(m, &cursor, &arena, &rcpt, &err) == 1) {
		if (rcpt.status == RCPT_TODO) {
			const char *reason = reasons ? map_get(reasons, rcpt.address) : NULL;

			put_rcpt(l, rcpt.address, reason ? reason : "");
		}
		arena_reset(&arena);
	}
	showq_put_message_end(&l->out);
	map_free(&reasons, NULL);
	arena_fini(&arena);
	arena_fini(&logs);
}

/* The scan's message is read-only; reading recipients moves nothing in it but the file's offset. */
static struct message writable(const struct message *m)
{
	return *m;
}

static bool list_journal(void *arg, const struct scan_item *item)
{
	struct listing *l = arg;
	struct message m;

	if (item->m) {
		m = writable(item->m);
		put_record(l, &m, item->id);
	}
	return true;
}

static bool list_file(void *arg, const struct scan_item *item)
{
	struct listing *l = arg;
	struct message m;

	if (item->m) {
		m = writable(item->m);
		put_record(l, &m, item->id);
	} else {
		log_warn("%s/%s: %s", item->loc.dir, item->id,
		    item->err ? item->err->text : "unreadable");
	}
	flush(l, FLUSH_AT);
	return !l->gone;
}

static void scan(struct listing *l, const char *dir, int what, queue_scan_fn *fn)
{
	struct err err;

	l->dir = dir;
	if (!l->gone && queue_scan_dir(l->queue, dir, what, fn, l, &err) < 0)
		log_warn("%s", err.text);
}

int showq_list(struct queue *queue, const struct core_params *core, int fd)
{
	static const char *const dirs[] = {"active", "incoming", "deferred", "hold"};
	struct listing l = {.queue = queue, .core = core, .fd = fd, .dir = "active"};
	struct err err;

	showq_put_begin(&l.out);
	scan(&l, "maildrop", 0, list_waiting);
	l.dir = "active";
	if (queue_scan_journal(queue, MESSAGE_ENVELOPE, list_journal, &l, &err) < 0)
		log_warn("%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		scan(&l, dirs[i], MESSAGE_ENVELOPE, list_file);
	showq_put_end(&l.out);
	flush(&l, 0);
	str_fini(&l.out);
	str_fini(&l.quoted);
	return l.gone ? -1 : 0;
}
