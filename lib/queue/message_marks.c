/* SPDX-License-Identifier: ISC */
/*
 * What is done to a record in place.
 *
 * A lane may be recycled by a writer as soon as no record in it is live and no byte of it is
 * locked. So whoever changes a byte of a record locks it first and looks at the head afterwards:
 * while the head then says "live" in the expected epoch, the record cannot go away.
 */
#include <errno.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/queue/internal.h"
#include "lib/sys/fd.h"

/* Does the lane still hold this record? (Of a file it is its own.) */
static bool still_there(const struct message *m, bool live)
{
	unsigned char raw[RECORD_HEAD];
	struct record_head head;

	return m->loc.lane < 0 ||
	       (fd_pread_full(m->fd, raw, sizeof(raw), (off_t)m->loc.offset) == RECORD_HEAD &&
	           record_head_decode(raw, &head) == RECORD_VALID && head.epoch == m->loc.epoch &&
	           (!live || head.state == RECORD_LIVE));
}

int message_take(
    struct message *m, uint32_t first, uint32_t count, uint8_t *status_out, struct err *err)
{
	int rc;

	must(first <= m->env.rcpt_count && count <= m->env.rcpt_count - first);
	rc = fd_lock_range(m->fd, (off_t)(m->status_at + first), (off_t)count, false);
	if (rc != 0)
		return rc < 0 ? err_sys(err, "lock recipients") : 1;
	/* looked at again under the lock: see the head of this file */
	if (!still_there(m, true)) {
		message_release(m, first, count);
		return 1;
	}
	if (fd_pread_full(m->fd, status_out, count, (off_t)(m->status_at + first)) !=
	    (ssize_t)count) {
		message_release(m, first, count);
		return err_set(err, EBADMSG, "recipient status is cut off");
	}
	for (uint32_t i = 0; i < count; i++)
		status_out[i] = message_sane_status(status_out[i]);
	return 0;
}

void message_release(struct message *m, uint32_t first, uint32_t count)
{
	fd_unlock_range(m->fd, (off_t)(m->status_at + first), (off_t)count);
}

int message_mark(struct message *m, uint32_t index, enum rcpt_status status, struct err *err)
{
	char byte = (char)status;

	must(index < m->env.rcpt_count);
	/*
	 * Nobody else recycles the lane while the recipient is locked, but locks do not hold off
	 * their own process: one that also writes mail may have, if an operator deleted this.
	 */
	if (!still_there(m, false))
		return 0;
	if (fd_pwrite_all(m->fd, &byte, 1, (off_t)(m->status_at + index)) < 0)
		return err_sys(err, "mark recipient");
	return 0;
}

int message_set_lane_state(
    int fd, const struct location *loc, const char *id, enum record_state state, struct err *err)
{
	off_t at = (off_t)(loc->offset + RECORD_STATE_AT);
	struct record_head head;
	char byte = (char)state;
	int rc;

	if (fd_lock_range(fd, at, 1, true) < 0)
		return err_sys(err, "lock %s", id);
	rc = message_read_head(fd, loc, id, &head, err);
	if (rc == 0 && fd_pwrite_all(fd, &byte, 1, at) < 0)
		rc = err_sys(err, "mark %s", id);
	fd_unlock_range(fd, at, 1);
	return rc;
}

int message_mark_told(struct queue *queue, const struct location *loc, const char *id,
    enum record_told told, struct err *err)
{
	off_t state_at = (off_t)(loc->offset + RECORD_STATE_AT);
	const int at = told == RECORD_WARNED ? RECORD_WARNED_AT : RECORD_REPORTED_AT;
	const char byte = (char)told;
	struct record_head head;
	struct message m = {.fd = -1};
	int rc = message_open_home(queue, loc, id, false, &m, err);

	if (rc == 0 && fd_lock_range(m.fd, state_at, 1, true) < 0) {
		rc = err_sys(err, "lock %s", id);
	} else if (rc == 0) {
		rc = message_read_head(m.fd, loc, id, &head, err);
		if (rc == 0 && fd_pwrite_all(m.fd, &byte, 1, (off_t)loc->offset + at) < 0)
			rc = err_sys(err, "mark %s", id);
		fd_unlock_range(m.fd, state_at, 1);
	}
	message_close(&m);
	return rc;
}

int message_finish(struct queue *queue, const struct location *loc, const char *id, struct err *err)
{
	char path[256];
	int fd;

	if (loc->lane >= 0) {
		fd = journal_fd(queue->journal, loc->lane, err);
		return fd < 0 ? -1 : message_set_lane_state(fd, loc, id, RECORD_DONE, err);
	}
	queue_path(queue, loc->dir, id, path, sizeof(path));
	if (unlink(path) < 0)
		return errno == ENOENT ? 1 : err_sys(err, "remove %s", path);
	return 0;
}
