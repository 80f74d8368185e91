/* SPDX-License-Identifier: ISC */
/*
 * One writer for both homes. Content collects in memory; at commit it goes into a lane of the
 * journal, or, when no lane has room, the message is to be held, or it outgrew
 * journal_message_limit, into a file incoming/tmp.* that is named by its id once it is durable.
 * While content passes the writer notes what a delivery wants to know of it: lines that begin with
 * a dot, lines over 998 bytes, bytes above 127.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/crc32c.h"
#include "lib/base/log.h"
#include "lib/queue/internal.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { SPILL_CHUNK = 65536, LINE_LIMIT = 998, SPARE_MAX = 65536 };

struct queue_writer {
	struct queue *queue;
	char id[QUEUE_ID_MAX];
	struct str content; /* not yet in the file */
	int fd;             /* -1 while in memory */
	char temp[QUEUE_TEMP_MAX];
	bool second_name;
	uint64_t size;
	uint32_t crc;
	uint32_t flags;
	size_t line_len; /* of the line being written, CR included */
	bool failed;
};

struct queue_writer *queue_writer_new(struct queue *queue, const char *id)
{
	struct queue_writer *w = alloc_zero(1, sizeof(*w));

	w->queue = queue;
	w->fd = -1;
	snprintf(w->id, sizeof(w->id), "%s", id);
	w->content = queue->spare; /* memory of the last message */
	queue->spare = (struct str){0};
	str_clear(&w->content);
	return w;
}

void queue_writer_keep_second_name(struct queue_writer *w)
{
	w->second_name = true;
}

uint64_t queue_writer_size(const struct queue_writer *w)
{
	return w->size;
}

static bool has_high_bytes(const char *p, size_t len)
{
	uint64_t word, seen = 0;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		seen |= word;
	}
	while (len-- > 0)
		seen |= (unsigned char)*p++;
	return (seen & 0x8080808080808080u) != 0;
}

static void look_at_lines(struct queue_writer *w, const char *p, size_t len)
{
	while (len > 0) {
		const char *lf = memchr(p, '\n', len);
		size_t n = lf ? (size_t)(lf - p) + 1 : len;

		if (w->line_len == 0 && *p == '.')
			w->flags |= ENV_DOT_LINES;
		w->line_len += n;
		if (w->line_len > LINE_LIMIT + 2)
			w->flags |= ENV_LONG_LINES;
		if (lf)
			w->line_len = 0;
		p += n;
		len -= n;
	}
}

static int start_file(struct queue_writer *w, struct err *err)
{
	static const char head[RECORD_HEAD]; /* zeros: no record until the commit */

	queue_temp_path(w->temp, w->id);
	w->fd = open(w->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0)
		return err_sys(err, "create %s", w->temp);
	if (fd_write_all(w->fd, head, sizeof(head)) < 0)
		return err_sys(err, "write %s", w->temp);
	return 0;
}

static int spill(struct queue_writer *w, struct err *err)
{
	if (w->fd < 0 && start_file(w, err) < 0)
		return -1;
	if (fd_write_all(w->fd, w->content.data, w->content.len) < 0)
		return err_sys(err, "write %s", w->temp);
	str_clear(&w->content);
	return 0;
}

int queue_writer_put(struct queue_writer *w, const void *data, size_t len, struct err *err)
{
	if (w->failed)
		return err_set(err, EIO, "write of %s has failed before", w->id);
	if (len == 0)
		return 0;
	look_at_lines(w, data, len);
	if (has_high_bytes(data, len))
		w->flags |= ENV_HIGH_BYTES;
	w->crc = crc32c(w->crc, data, len);
	w->size += len;
	str_put(&w->content, data, len);
	if (w->content.len > SPILL_CHUNK &&
	    (w->fd >= 0 || w->size > (uint64_t)w->queue->params->journal_message_limit) &&
	    spill(w, err) < 0) {
		w->failed = true;
		return -1;
	}
	return 0;
}

/* Most messages are small; an idle process need not keep what a large one took. */
static void drop_large(struct str *buffer)
{
	if (buffer->cap > SPARE_MAX)
		str_fini(buffer);
}

static void writer_free(struct queue_writer **w)
{
	if ((*w)->fd >= 0)
		close((*w)->fd);
	str_fini(&(*w)->queue->spare);
	(*w)->queue->spare = (*w)->content;
	drop_large(&(*w)->queue->spare);
	drop_large(&(*w)->queue->env);
	free(*w);
	*w = NULL;
}

void queue_writer_abort(struct queue_writer **w)
{
	if (!*w)
		return;
	if ((*w)->fd >= 0)
		unlink((*w)->temp);
	writer_free(w);
}

/* Everything behind the content, then the head, then the sync, then the name. */
static int commit_file(struct queue_writer *w, struct record_head *head, const void *status,
    const struct str *env, const char *dir, struct location *loc_out, struct err *err)
{
	unsigned char raw[RECORD_HEAD];
	char path[256];
	bool named = false;

	if (spill(w, err) < 0)
		goto fail;
	record_head_encode(raw, head);
	if (fd_write_all(w->fd, status, head->rcpt_count) < 0 ||
	    fd_write_all(w->fd, env->data, env->len) < 0 ||
	    fd_pwrite_all(w->fd, raw, sizeof(raw), 0) < 0 || fdatasync(w->fd) < 0) {
		err_sys(err, "write %s", w->temp);
		goto fail;
	}
	queue_path(w->queue, dir, w->id, path, sizeof(path));
	if (queue_make_parent(w->queue, dir, w->id) < 0 || link(w->temp, path) < 0) {
		err_sys(err, "name %s", path);
		goto fail;
	}
	named = true;
	if (queue_sync_dir_of(path) < 0) {
		err_sys(err, "sync the directory of %s", path);
		goto fail;
	}
	if (!w->second_name)
		unlink(w->temp);
	*loc_out = (struct location){.lane = -1};
	snprintf(loc_out->dir, sizeof(loc_out->dir), "%s", dir);
	return 0;
fail:
	if (named)
		unlink(path);
	if (w->fd >= 0)
		unlink(w->temp);
	return -1;
}

static void fill_head(const struct queue_writer *w, struct envelope *env, const struct str *coded,
    struct record_head *head)
{
	*head = (struct record_head){
	    .rcpt_count = env->rcpt_count,
	    .content_len = w->size,
	    .env_len = (uint32_t)coded->len,
	    .env_crc = crc32c(0, coded->data, coded->len),
	    .content_crc = w->crc,
	    .flags = env->flags,
	    .queued_us = env->queued_us,
	    .state = RECORD_LIVE,
	};
	snprintf(head->id, sizeof(head->id), "%s", w->id);
}

/* Recipients that were finished before (a requeued message) keep their status. */
static char *status_bytes(const struct envelope *env)
{
	char *status = alloc(env->rcpt_count);

	for (uint32_t i = 0; i < env->rcpt_count; i++)
		status[i] = env->rcpts[i].status ? (char)env->rcpts[i].status : RCPT_TODO;
	return status;
}

int queue_writer_commit(struct queue_writer **wp, struct envelope *env, bool hold,
    struct location *loc_out, struct err *err)
{
	struct queue_writer *w = *wp;
	struct str *coded = &w->queue->env;
	struct record_parts parts;
	char *status;
	int rc = 1;

	if (w->failed) {
		queue_writer_abort(wp);
		return err_set(err, EIO, "write failed");
	}
	env->flags |= w->flags;
	if (env->queued_us == 0)
		env->queued_us = (uint64_t)clock_wall_us();
	must(env->id && strcmp(env->id, w->id) == 0);
	str_clear(coded);
	envelope_encode(coded, env);
	status = status_bytes(env);
	fill_head(w, env, coded, &parts.head);
	if (w->fd < 0 && !hold && w->size <= (uint64_t)w->queue->params->journal_message_limit &&
	    coded->len <= (size_t)w->queue->params->journal_message_limit) {
		parts.content = str_text(&w->content);
		parts.status = status;
		parts.env = coded->data;
		rc = journal_append(w->queue->journal, &parts, loc_out);
	}
	if (rc != 0) {
		parts.head.epoch = 0;
		rc = commit_file(
		    w, &parts.head, status, coded, hold ? "hold" : "incoming", loc_out, err);
	}
	free(status);
	writer_free(wp);
	return rc;
}
