/* SPDX-License-Identifier: ISC */
/* One reader for both homes. What is done to a record in place is in message_marks.c. */
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

/*
 * A window is enough for the longest fixed part of an envelope, and for many recipients. A file of
 * up to WHOLE_SIZE is read by one call: most are, and calls are what reading them costs.
 */
enum { WINDOW_SIZE = 262144, WHOLE_SIZE = 16384 };

/* The n bytes at the record's place: its head? As message_open. */
static int check_head(const unsigned char *raw, ssize_t n, const struct location *loc,
    const char *id, struct record_head *head, struct err *err)
{
	enum record_check check;

	if (n < RECORD_HEAD)
		return loc->lane >= 0 ? 1
		                      : err_set(err, EBADMSG, "queue file is only %zd bytes", n);
	check = record_head_decode(raw, head);
	if (loc->lane >= 0 &&
	    (check != RECORD_VALID || head->epoch != loc->epoch || strcmp(head->id, id) != 0))
		return 1; /* the lane has been recycled */
	if (check == RECORD_FOREIGN)
		return err_set(err, EBADMSG, "not a queue file of Postern");
	if (check == RECORD_NEWER)
		return err_set(err, EBADMSG, "queue file of a newer version");
	if (check != RECORD_VALID)
		return err_set(err, EBADMSG, "queue file with a damaged head");
	if (strcmp(head->id, id) != 0)
		return err_set(
		    err, EBADMSG, "queue file of message %s under another name", head->id);
	if (head->state != RECORD_LIVE)
		return 1;
	return 0;
}

int message_read_head(
    int fd, const struct location *loc, const char *id, struct record_head *head, struct err *err)
{
	unsigned char raw[RECORD_HEAD];
	ssize_t n = fd_pread_full(fd, raw, sizeof(raw), (off_t)loc->offset);

	return n < 0 ? err_sys(err, "read %s", id) : check_head(raw, n, loc, id, head, err);
}

/* Who only looks leaves no traces, and costs less; the owner may ask for that. */
static int open_file(const char *path, bool look)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW;
	int fd;

	if (!look)
		return open(path, O_RDWR | flags);
	fd = open(path, O_RDONLY | O_NOATIME | flags);
	return fd < 0 && errno == EPERM ? open(path, O_RDONLY | flags) : fd;
}

int message_open_home(struct queue *queue, const struct location *loc, const char *id, bool look,
    struct message *m, struct err *err)
{
	char path[256];

	if (loc->lane >= 0) {
		m->fd = journal_fd(queue->journal, loc->lane, err);
		return m->fd < 0 ? -1 : 0;
	}
	queue_path(queue, loc->dir, id, path, sizeof(path));
	m->fd = open_file(path, look);
	m->owns_fd = m->fd >= 0;
	if (m->fd < 0)
		return errno == ENOENT ? 1 : err_sys(err, "open %s", path);
	return 0;
}

static int look_at_file(struct message *m, const char *id, uint64_t *size_out, struct err *err)
{
	struct stat st;

	*size_out = UINT64_MAX; /* the walk and the append have bounded what is in a lane */
	if (m->loc.lane >= 0)
		return 0;
	if (fstat(m->fd, &st) < 0)
		return err_sys(err, "stat %s", id);
	m->mode = st.st_mode;
	m->mtime = st.st_mtime;
	*size_out = (uint64_t)st.st_size;
	return 0;
}

static int check_length(const struct record_head *head, uint64_t size, struct err *err)
{
	if (size < record_len(head))
		return err_set(err, EBADMSG, "queue file is cut off: %llu of %llu bytes",
		    (unsigned long long)size, (unsigned long long)record_len(head));
	return 0;
}

/*
 * The head; and of a small file all the rest, when the envelope is asked for: it is then in the
 * window, and the first statuses are where they are looked for. As message_open.
 */
static int read_start(struct message *m, uint64_t size, int what, const char *id,
    struct record_head *head, struct err *err)
{
	ssize_t n;
	int rc;

	if (size > WHOLE_SIZE || size < RECORD_HEAD || !(what & MESSAGE_ENVELOPE))
		return message_read_head(m->fd, &m->loc, id, head, err);
	m->buf = alloc(size);
	n = fd_pread_full(m->fd, m->buf, size, 0);
	if (n < 0)
		return err_sys(err, "read %s", id);
	rc = check_head((const unsigned char *)m->buf, n, &m->loc, id, head, err);
	if (rc == 0)
		rc = check_length(head, (uint64_t)n, err);
	if (rc == 0) {
		m->window = m->buf + record_env_at(head);
		m->window_len = head->env_len;
		m->statuses_len = MIN(head->rcpt_count, sizeof(m->statuses));
		memcpy(m->statuses, m->buf + record_status_at(head), m->statuses_len);
	}
	return rc;
}

/* A file that ends too early is damaged; one that cannot be read now may be sound. */
static int read_part(int fd, void *buf, size_t len, uint64_t at, const char *what, struct err *err)
{
	ssize_t n = fd_pread_full(fd, buf, len, (off_t)at);

	if (n < 0)
		return err_sys(err, "read %s of queue record", what);
	if ((size_t)n != len)
		return err_set(err, EBADMSG, "%s is cut off", what);
	return 0;
}

/* Reads the part of the envelope from `at` on into the window. */
static int move_window(struct message *m, size_t at, struct err *err)
{
	size_t len = MIN(m->env_len - at, WINDOW_SIZE);

	if (!m->window)
		m->window = m->buf = alloc(MIN(m->env_len, WINDOW_SIZE));
	if (read_part(m->fd, m->window, len, m->env_at + at, "envelope", err) < 0)
		return -1;
	m->window_at = at;
	m->window_len = len;
	return 0;
}

static int read_envelope(struct message *m, const struct record_head *head, struct err *err)
{
	uint32_t crc = 0;

	m->env_len = head->env_len;
	m->env_at = m->loc.offset + record_env_at(head);
	for (size_t at = 0; at < m->env_len; at += WINDOW_SIZE) {
		if (!(m->window && m->window_len == m->env_len) && move_window(m, at, err) < 0)
			return -1;
		crc = crc32c(crc, m->window, m->window_len);
	}
	if (crc != head->env_crc)
		return err_set(err, EBADMSG, "envelope is damaged (checksum)");
	if (m->window_at != 0 && move_window(m, 0, err) < 0)
		return -1;
	if (envelope_decode(m->window, m->window_len, &m->arena, &m->env, &m->rcpts_at, err) < 0)
		return -1;
	m->env.flags |= head->flags;
	if (m->env.rcpt_count != head->rcpt_count)
		return err_set(err, EBADMSG, "envelope has %u recipients, head says %u",
		    m->env.rcpt_count, head->rcpt_count);
	return 0;
}

static int check_content(const struct message *m, const struct record_head *head, struct err *err)
{
	char buf[65536];
	uint64_t at = m->content_at, left = m->content_len;
	uint32_t crc = 0;

	while (left > 0) {
		size_t want = left < sizeof(buf) ? (size_t)left : sizeof(buf);

		if (read_part(m->fd, buf, want, at, "content", err) < 0)
			return -1;
		crc = crc32c(crc, buf, want);
		at += want;
		left -= want;
	}
	if (crc != head->content_crc)
		return err_set(err, EBADMSG, "content is damaged (checksum)");
	return 0;
}

int message_open(struct queue *queue, const struct location *loc, const char *id, int what,
    struct message *m, struct err *err)
{
	struct record_head head;
	uint64_t size;
	int rc;

	memset(m, 0, sizeof(*m));
	m->loc = *loc;
	m->fd = -1;
	rc = message_open_home(queue, loc, id, what & MESSAGE_LOOK, m, err);
	if (rc == 0)
		rc = look_at_file(m, id, &size, err);
	if (rc == 0)
		rc = read_start(m, size, what, id, &head, err);
	if (rc == 0) {
		m->state = head.state;
		m->warned = head.warned;
		m->reported = head.reported;
		m->content_at = loc->offset + RECORD_HEAD;
		m->content_len = head.content_len;
		m->status_at = loc->offset + record_status_at(&head);
		m->env.flags = head.flags;
		m->env.rcpt_count = head.rcpt_count;
		m->env.queued_us = head.queued_us;
		rc = check_length(&head, size, err);
	}
	if (rc == 0 && (what & MESSAGE_RCPTS)) {
		m->env_len = head.env_len;
		m->env_at = loc->offset + record_env_at(&head);
	}
	if (rc == 0 && (what & MESSAGE_ENVELOPE))
		rc = read_envelope(m, &head, err);
	if (rc == 0 && (what & MESSAGE_CONTENT))
		rc = check_content(m, &head, err);
	if (rc != 0)
		message_close(m);
	return rc;
}

int message_open_fd(int fd, struct message *m, struct err *err)
{
	unsigned char raw[RECORD_HEAD];
	struct record_head head;
	enum record_check check = RECORD_FOREIGN;
	uint64_t size;
	int rc;

	*m = (struct message){.loc.lane = -1, .fd = fd};
	if (fd_pread_full(fd, raw, sizeof(raw), 0) == RECORD_HEAD)
		check = record_head_decode(raw, &head);
	if (check == RECORD_FOREIGN)
		return 1;
	if (check != RECORD_VALID)
		return err_set(
		    err, EBADMSG, "queue file with a damaged head, or of a newer version");
	m->state = head.state;
	m->warned = head.warned;
	m->reported = head.reported;
	m->content_at = RECORD_HEAD;
	m->content_len = head.content_len;
	m->status_at = record_status_at(&head);
	rc = look_at_file(m, head.id, &size, err);
	if (rc == 0)
		rc = check_length(&head, size, err);
	if (rc == 0)
		rc = read_envelope(m, &head, err);
	if (rc != 0)
		message_close(m);
	return rc;
}

bool message_is_damaged(const struct err *err)
{
	return err->code == EBADMSG || err->code == 0; /* 0: the decoders, which do no input */
}

void message_close(struct message *m)
{
	if (m->owns_fd)
		fd_close(&m->fd);
	m->fd = -1;
	free(m->buf);
	m->buf = m->window = NULL;
	arena_fini(&m->arena);
}

static int read_status(struct message *m, size_t index, uint8_t *out, struct err *err)
{
	if (index < m->statuses_at || index >= m->statuses_at + m->statuses_len) {
		size_t len = MIN(m->env.rcpt_count - index, sizeof(m->statuses));

		if (read_part(m->fd, m->statuses, len, m->status_at + index, "status", err) < 0)
			return -1;
		m->statuses_at = index;
		m->statuses_len = len;
	}
	*out = message_sane_status(m->statuses[index - m->statuses_at]);
	return 0;
}

int message_next_rcpt(struct message *m, struct rcpt_cursor *cursor, struct arena *arena,
    struct recipient *out, struct err *err)
{
	size_t at;
	int rc;

	must(m->env_len > 0);
	if (cursor->index >= m->env.rcpt_count)
		return 0;
	if (cursor->index == 0)
		cursor->at = m->rcpts_at;
	if (cursor->at > m->env_len)
		return err_set(err, EBADMSG, "envelope has fewer recipients than it says");
	/* no recipient needs more than half a window */
	if ((cursor->at < m->window_at ||
	        cursor->at + WINDOW_SIZE / 2 > m->window_at + m->window_len) &&
	    !(cursor->at >= m->window_at && m->window_at + m->window_len == m->env_len) &&
	    move_window(m, cursor->at, err) < 0)
		return -1;
	at = cursor->at - m->window_at;
	rc = envelope_next_rcpt(m->window, m->window_len, &at, arena, out, err);
	if (rc == 0)
		return err_set(err, EBADMSG, "envelope has fewer recipients than it says");
	if (rc == 1 && read_status(m, cursor->index, &out->status, err) < 0)
		return -1;
	cursor->at = m->window_at + at;
	cursor->index++;
	return rc;
}

/* ---- in place ------------------------------------------------------------------------------ */
