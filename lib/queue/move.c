/* SPDX-License-Identifier: ISC */
/*
 * A message changes its home: from folder to folder, or from the journal to a file of its own. The
 * new home is durable before the old one is marked; doc/queue.md has what a crash in between
 * leaves.
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
#include "lib/base/log.h"
#include "lib/queue/internal.h"
#include "lib/sys/fd.h"

static int move_file(struct queue *queue, struct location *loc, const char *id, const char *dir,
    int64_t retry_at, struct err *err)
{
	struct timespec times[2] = {{.tv_sec = retry_at}, {.tv_sec = retry_at}};
	char from[256], to[256];

	queue_path(queue, loc->dir, id, from, sizeof(from));
	queue_path(queue, dir, id, to, sizeof(to));
	/* the time first: a crash in between leaves a file that is looked at late, never lost */
	utimensat(AT_FDCWD, from, times, 0);
	if (rename(from, to) < 0) {
		if (errno == ENOENT && queue_make_parent(queue, dir, id) == 0 &&
		    rename(from, to) == 0)
			goto done;
		return errno == ENOENT ? 1 : err_sys(err, "rename %s to %s", from, to);
	}
done:
	snprintf(loc->dir, sizeof(loc->dir), "%s", dir);
	return 0;
}

/* The journal record as a file of its own: the same bytes with epoch 0. */
static int copy_record(const struct message *m, const struct record_head *head, const char *temp,
    int64_t retry_at, struct err *err)
{
	struct timespec times[2] = {{.tv_sec = retry_at}, {.tv_sec = retry_at}};
	struct record_head own = *head;
	unsigned char raw[RECORD_HEAD];
	uint64_t len = record_len(head) - RECORD_HEAD, at = m->loc.offset + RECORD_HEAD;
	char buf[65536];
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, "create %s", temp);
	own.epoch = 0;
	record_head_encode(raw, &own);
	if (fd_write_all(fd, raw, sizeof(raw)) < 0)
		goto fail;
	while (len > 0) {
		size_t n = len < sizeof(buf) ? (size_t)len : sizeof(buf);

		if (fd_pread_full(m->fd, buf, n, (off_t)at) != (ssize_t)n ||
		    fd_write_all(fd, buf, n) < 0)
			goto fail;
		at += n;
		len -= n;
	}
	futimens(fd, times);
	if (fdatasync(fd) < 0)
		goto fail;
	close(fd);
	return 0;
fail:
	err_sys(err, "write %s", temp);
	close(fd);
	unlink(temp);
	return -1;
}

static int move_from_lane(struct queue *queue, struct message *m, const char *id, const char *dir,
    int64_t retry_at, struct err *err)
{
	char temp[128], path[256];
	struct record_head head;
	struct err mark_err = {0};
	int rc;

	rc = message_read_head(m->fd, &m->loc, id, &head, err);
	if (rc != 0)
		return rc;
	snprintf(temp, sizeof(temp), "incoming/tmp.%s", id);
	queue_path(queue, dir, id, path, sizeof(path));
	if (copy_record(m, &head, temp, retry_at, err) < 0)
		return -1;
	if (queue_make_parent(queue, dir, id) < 0 || rename(temp, path) < 0) {
		err_sys(err, "name %s", path);
		unlink(temp);
		return -1;
	}
	if (queue_sync_dir_of(path) < 0) {
		err_sys(err, "sync the directory of %s", path);
		unlink(path);
		return -1;
	}
	/* from here on the file counts, whether the mark can be made or not */
	for (int i = 0; i < 3; i++) {
		rc = message_set_lane_state(m->fd, &m->loc, id, RECORD_MOVED, &mark_err);
		if (rc >= 0)
			return 0;
	}
	log_warn("%s", mark_err.text);
	return 0;
}

int message_settle(struct queue *queue, const struct location *loc, const char *id, struct err *err)
{
	static const char *const dirs[] = {"deferred", "hold", "active", "incoming", "corrupt"};
	char path[256];
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		queue_path(queue, dirs[i], id, path, sizeof(path));
		if (access(path, F_OK) < 0)
			continue;
		fd = journal_fd(queue->journal, loc->lane, err);
		if (fd < 0)
			return -1;
		/* who moves it may be about to: the mark must not be durable before the name */
		if (queue_sync_dir_of(path) < 0)
			return err_sys(err, "sync the directory of %s", path);
		return message_set_lane_state(fd, loc, id, RECORD_MOVED, err) < 0 ? -1 : 0;
	}
	return 1;
}

int message_move(struct queue *queue, struct location *loc, const char *id, const char *dir,
    int64_t retry_at, struct err *err)
{
	uint8_t *status;
	struct message m;
	int rc;

	if (loc->lane < 0)
		return move_file(queue, loc, id, dir, retry_at, err);
	rc = message_open(queue, loc, id, MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m, err);
	if (rc != 0)
		return rc;
	/* no agent may mark a recipient in the old home while the new one is made */
	status = alloc(m.env.rcpt_count);
	rc = message_take(&m, 0, m.env.rcpt_count, status, err);
	free(status);
	if (rc == 1)
		rc = err_set(err, EBUSY, "message is being delivered");
	if (rc == 0) {
		rc = move_from_lane(queue, &m, id, dir, retry_at, err);
		message_release(&m, 0, m.env.rcpt_count);
	}
	message_close(&m);
	if (rc == 0) {
		*loc = (struct location){.lane = -1};
		snprintf(loc->dir, sizeof(loc->dir), "%s", dir);
	}
	return rc;
}
