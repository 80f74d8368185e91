/* SPDX-License-Identifier: ISC */
/* Requeueing: the message goes in again, through maildrop and pickup. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/postsuper/postsuper.h"
#include "lib/base/log.h"
#include "lib/peer/maildrop.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { COPY_CHUNK = 64 * 1024, PATH_SIZE = 256, FINISH_MISSES = 5 };

struct requeue {
	struct maildrop_writer writer;
	char path[PATH_SIZE];
	int fd;
};

static int create_drop(struct postsuper *p, struct requeue *r, struct err *err)
{
	int64_t now = clock_wall_us();
	char name[QUEUE_ID_MAX], path[PATH_SIZE];
	struct stat st;

	snprintf(r->path, sizeof(r->path), "maildrop/%d.%ld", (int)(now % 1000000), (long)getpid());
	r->fd = open(r->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->fd < 0)
		return err_sys(err, "create %s", r->path);
	if (fstat(r->fd, &st) < 0)
		return err_sys(err, "fstat %s", r->path);
	queue_id_make(name, now, (uint64_t)st.st_ino, p->command.core.enable_long_queue_ids);
	snprintf(path, sizeof(path), "maildrop/%s", name);
	if (rename(r->path, path) < 0)
		return err_sys(err, "rename %s to %s", r->path, path);
	snprintf(r->path, sizeof(r->path), "%s", path);
	return 0;
}

static int flush(struct requeue *r, struct err *err)
{
	struct str *out = &r->writer.out;

	if (out->len > 0 && fd_write_all(r->fd, out->data, out->len) < 0)
		return err_sys(err, "write %s", r->path);
	str_clear(out);
	return 0;
}

static int copy_envelope(struct message *m, struct requeue *r, struct err *err)
{
	const struct slice verp = envelope_attribute(&m->env, ENVELOPE_VERP);
	const struct maildrop_envelope env = {.version = MAILDROP_VERSION,
	    .uid = (uint32_t)getuid(),
	    .time_us = (uint64_t)clock_wall_us(),
	    .flags = MAILDROP_REQUEUE | (m->env.flags & ENV_8BIT ? MAILDROP_8BIT : 0) |
	             (m->env.flags & ENV_TRACE ? MAILDROP_TRACE : 0) |
	             (m->env.flags & ENV_VERIFY ? MAILDROP_VERIFY : 0),
	    .sender = m->env.sender,
	    .envid = m->env.envid,
	    .ret = m->env.ret,
	    .orig_id = m->env.id,
	    .verp = arena_strndup(&m->arena, verp.data, verp.len)};
	struct rcpt_cursor cursor = {0};
	struct arena arena = {0};
	struct recipient from;
	int rc;

	maildrop_put_envelope(&r->writer, &env);
	while ((rc = message_next_rcpt(m, &cursor, &arena, &from, err)) == 1) {
		const struct maildrop_rcpt rcpt = {
		    .address = from.address, .orcpt = from.orcpt, .notify = from.notify};

		if (from.status == RCPT_TODO)
			maildrop_put_rcpt(&r->writer, &rcpt);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	return rc < 0 ? -1 : flush(r, err);
}

/* In maildrop lines end in LF; the CR at the end of a piece waits for what follows. */
static size_t drop_cr(char *data, size_t len, bool *pending_cr)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\r' && i + 1 == len) {
			*pending_cr = true;
			break;
		}
		if (data[i] == '\r' && data[i + 1] == '\n')
			continue;
		data[to++] = data[i];
	}
	return to;
}

static int copy_content(const struct message *m, struct requeue *r, struct err *err)
{
	static char buf[COPY_CHUNK + 1];
	uint64_t at = 0;
	bool pending_cr = false;

	while (at < m->content_len) {
		size_t want = MIN((uint64_t)COPY_CHUNK, m->content_len - at);
		size_t head = pending_cr;

		buf[0] = '\r';
		if (fd_pread_full(m->fd, buf + head, want, (off_t)(m->content_at + at)) !=
		    (ssize_t)want)
			return err_set(err, EIO, "%s: content cannot be read", m->env.id);
		at += want;
		pending_cr = false;
		want = drop_cr(buf, want + head, &pending_cr);
		maildrop_put_content(&r->writer, buf, want);
		if (flush(r, err) < 0)
			return -1;
	}
	if (pending_cr)
		maildrop_put_content(&r->writer, "\r", 1);
	return 0;
}

static int sync_maildrop(struct err *err)
{
	int dir = open("maildrop", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 || fsync(dir) < 0 ? err_sys(err, "sync maildrop") : 0;

	if (dir >= 0)
		close(dir);
	return rc;
}

static int seal(struct requeue *r, struct err *err)
{
	maildrop_put_end(&r->writer);
	if (flush(r, err) < 0)
		return -1;
	if (fchmod(r->fd, 0744) < 0 || fsync(r->fd) < 0)
		return err_sys(err, "write %s", r->path);
	return sync_maildrop(err);
}

/* The copy becomes visible to pickup by its mode, which is set when it is whole. */
static int copy_to_maildrop(struct postsuper *p, struct message *m, struct err *err)
{
	struct requeue r = {.fd = -1};
	int rc = create_drop(p, &r, err);

	if (rc == 0)
		rc = copy_envelope(m, &r, err);
	if (rc == 0 && r.writer.sum.rcpt_count == 0)
		rc = err_set(err, 0, "%s: no recipient is left", m->env.id);
	if (rc == 0)
		rc = copy_content(m, &r, err);
	if (rc == 0)
		rc = seal(&r, err);
	if (r.fd >= 0)
		close(r.fd);
	if (rc < 0 && r.path[0])
		unlink(r.path);
	maildrop_writer_fini(&r.writer);
	return rc;
}

/*
 * The original goes, wherever it is by now: qmgr may have renamed it while it was copied, and what
 * stays would be delivered beside its copy. Our locks keep agents away from it meanwhile.
 */
static int finish_wherever(
    struct postsuper *p, const struct location *loc, const char *id, struct err *err)
{
	int rc = message_finish(p->queue, loc, id, err);

	/* a rename between two looks can hide it from one of them, not from several in a row */
	for (int misses = 0; rc == 1 && misses < FINISH_MISSES;) {
		struct location now;
		struct message m;

		rc = message_find(p->queue, id, 0, &m, err);
		if (rc == 1) {
			misses++;
		} else if (rc == 0) {
			now = m.loc;
			message_close(&m);
			rc = message_finish(p->queue, &now, id, err);
		}
	}
	return rc;
}

/* All recipients are taken in hand, so that none is delivered while the copy is made. */
int op_requeue(struct postsuper *p, struct location *loc, const char *id, struct err *err)
{
	struct message m;
	uint8_t *status;
	int rc = message_open(p->queue, loc, id, MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m, err);

	if (rc != 0)
		return rc;
	status = malloc(m.env.rcpt_count + 1);
	rc = status ? message_take(&m, 0, m.env.rcpt_count, status, err) : err_sys(err, "memory");
	free(status);
	if (rc == 1)
		rc = err_set(err, EBUSY, "%s: it is being delivered", id);
	if (rc == 0)
		rc = copy_to_maildrop(p, &m, err);
	if (rc == 0) {
		rc = finish_wherever(p, loc, id, err);
		if (rc < 0)
			err_prefix(err, "requeued, but the original is still there: ");
		remove_logs(p, id);
		if (!p->quiet)
			log_info("%s: requeued", id);
	}
	message_close(&m);
	return rc < 0 ? -1 : 0;
}
