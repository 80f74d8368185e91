/* SPDX-License-Identifier: ISC */
#include "lib/peer/bounce.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

/*
 * A record counts when its batch was answered, and that is after fdatasync. So what a crash left
 * behind the last end mark was never promised to anyone: the next writer cuts it off. In the common
 * case the writer knows from the last twelve bytes that nothing is torn and reads no more.
 */
enum { READ_CHUNK = 64 * 1024, PATH_SIZE = 256, OPEN_TRIES = 10, TAKE_STEP_MS = 20 };

static const struct frame_table end_table = {"bounce_end", NULL, 0, 0};

struct bounce_log {
	int fd;
	struct str buf;
	size_t at;
	size_t passed; /* records */
	bool eof;
};

static bool decode_record(const struct frame *frame, struct arena *arena, struct bounce_record *out)
{
	struct err err;

	memset(out, 0, sizeof(*out));
	return frame->type == BOUNCE_APPEND &&
	       frame_decode(frame, &bounce_record_table, out, arena, &err) == 0;
}

bool bounce_log_parse(
    const void *data, size_t len, size_t *at, struct arena *arena, struct bounce_record *out)
{
	const char *bytes = data;
	struct frame frame;
	struct err err;

	while (*at < len && frame_peek(bytes + *at, len - *at, &frame, &err) == 1) {
		*at += frame.size;
		if (frame.type == BOUNCE_END || frame.type == BOUNCE_NOTICE)
			continue;
		if (decode_record(&frame, arena, out))
			return true;
		break;
	}
	*at = len;
	return false;
}

struct bounce_log *bounce_log_open(const struct queue *queue, const char *service, const char *id)
{
	char path[PATH_SIZE];
	struct bounce_log *log;
	int fd;

	queue_path(queue, service, id, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		if (errno != ENOENT)
			log_warn("open %s: %s", path, strerror(errno));
		return NULL;
	}
	log = alloc_zero(1, sizeof(*log));
	log->fd = fd;
	return log;
}

/* Puts at least one more byte into the buffer. */
static bool read_more(struct bounce_log *log)
{
	ssize_t got;

	if (log->eof)
		return false;
	str_consume(&log->buf, log->at);
	log->at = 0;
	str_reserve(&log->buf, READ_CHUNK);
	do
		got = read(log->fd, log->buf.data + log->buf.len, READ_CHUNK);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		log->eof = true;
		return false;
	}
	log->buf.len += (size_t)got;
	/* a regular file gives less than was asked for at its end alone */
	log->eof = (size_t)got < READ_CHUNK;
	return true;
}

static bool next_frame(struct bounce_log *log, struct frame *frame)
{
	struct err err;

	for (;;) {
		int found = log->buf.len > log->at ? frame_peek(log->buf.data + log->at,
		                                         log->buf.len - log->at, frame, &err)
		                                   : 0;

		if (found < 0 || (found == 0 && !read_more(log)))
			return false;
		if (found == 0)
			continue;
		log->at += frame->size;
		return true;
	}
}

bool bounce_log_next(struct bounce_log *log, struct arena *arena, struct bounce_record *out)
{
	struct frame frame;

	while (next_frame(log, &frame)) {
		if (frame.type != BOUNCE_END && frame.type != BOUNCE_NOTICE)
			return decode_record(&frame, arena, out);
	}
	return false;
}

bool bounce_log_next_notice(struct bounce_log *log, struct arena *arena, struct bounce_notice *out)
{
	struct frame frame;
	struct err err;

	while (next_frame(log, &frame)) {
		log->passed += frame.type == BOUNCE_APPEND;
		if (frame.type != BOUNCE_NOTICE)
			continue;
		memset(out, 0, sizeof(*out));
		if (frame_decode(&frame, &bounce_notice_table, out, arena, &err) < 0)
			return false;
		out->records = log->passed;
		return true;
	}
	return false;
}

void bounce_log_close(struct bounce_log **log)
{
	if (!*log)
		return;
	close((*log)->fd);
	str_fini(&(*log)->buf);
	free(*log);
	*log = NULL;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Makes the folders above path, as far as hashing needs them below the first. */
static void make_folders(const char *path)
{
	char folder[PATH_SIZE];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(folder, path, (size_t)(slash - path));
		folder[slash - path] = '\0';
		if (mkdir(folder, 0700) < 0 && errno != EEXIST)
			return;
	}
}

static int sync_folder(const char *path, struct err *err)
{
	char folder[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	int fd, result;

	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = fd < 0 ? -1 : fsync(fd);
	if (result < 0)
		err_sys(err, "sync %s", folder);
	fd_close(&fd);
	return result;
}

/* Opens and locks the file; another process may remove it between the two: then once more. */
static int open_locked(const char *path, struct err *err)
{
	struct stat st;
	int fd;

	for (int i = 0; i < OPEN_TRIES; i++) {
		fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 && errno == ENOENT && i == 0) {
			make_folders(path);
			continue;
		}
		if (fd < 0)
			return err_sys(err, "open %s", path);
		if (fd_lock(fd, true) < 0 || fstat(fd, &st) < 0) {
			err_sys(err, "lock %s", path);
			close(fd);
			return -1;
		}
		if (st.st_nlink > 0)
			return fd;
		close(fd);
	}
	return err_set(err, EBUSY, "open %s: it is removed again and again", path);
}

/* Where the last whole batch ends. All batches end in the mark that `batch` ends in. */
static off_t sound_end(int fd, off_t size, const struct str *batch)
{
	const char *mark = batch->data + batch->len - FRAME_HEADER;
	char tail[FRAME_HEADER];
	struct bounce_log log = {.fd = fd};
	struct frame frame;
	struct err err;
	off_t at = 0, sound = 0;

	if (size >= FRAME_HEADER &&
	    fd_pread_full(fd, tail, FRAME_HEADER, size - FRAME_HEADER) == FRAME_HEADER &&
	    !memcmp(tail, mark, FRAME_HEADER))
		return size;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return 0;
	for (;;) {
		int found =
		    frame_peek(str_text(&log.buf) + log.at, log.buf.len - log.at, &frame, &err);

		if (found < 0 || (found == 0 && !read_more(&log)))
			break;
		if (found == 0)
			continue;
		log.at += frame.size;
		at += (off_t)frame.size;
		if (frame.type == BOUNCE_END)
			sound = at;
	}
	str_fini(&log.buf);
	return sound;
}

static void put_mark(struct str *out)
{
	size_t before = out->len;

	frame_encode(out, BOUNCE_END, 0, &end_table, NULL);
	must(out->len == before + FRAME_HEADER);
}

/* With the end mark put behind it. */
static int append_batch(int fd, const char *path, struct str *batch, bool durable, struct err *err)
{
	struct stat st;
	off_t end;

	put_mark(batch);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat %s", path);
	end = st.st_size ? sound_end(fd, st.st_size, batch) : 0;
	if (end != st.st_size) {
		log_warn("%s: cutting off %lld bytes that a crash left incomplete", path,
		    (long long)(st.st_size - end));
		if (ftruncate(fd, end) < 0)
			return err_sys(err, "truncate %s", path);
	}
	if (fd_write_all(fd, batch->data, batch->len) < 0 || (durable && fdatasync(fd) < 0)) {
		err_sys(err, "write %s", path);
		if (ftruncate(fd, end) < 0)
			log_warn("truncate %s: %s", path, strerror(errno));
		return -1;
	}
	return durable && st.st_size == 0 ? sync_folder(path, err) : 0;
}

int bounce_log_append(const struct queue *queue, const char *service, const char *id,
    const struct bounce_record *records, size_t count, struct err *err)
{
	char path[PATH_SIZE];
	struct str batch = {0};
	int fd, result = -1;

	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		frame_encode(&batch, BOUNCE_APPEND, 0, &bounce_record_table, &records[i]);
	queue_path(queue, service, id, path, sizeof(path));
	fd = open_locked(path, err);
	if (fd >= 0) {
		result = append_batch(fd, path, &batch, true, err);
		close(fd);
	}
	str_fini(&batch);
	return result;
}

/* ---- who makes the notice ----------------------------------------------------------------- */

int bounce_log_take(const struct queue *queue, const char *service, const char *id, int max_ms,
    int *fd_out, struct err *err)
{
	int64_t end = clock_mono_ms() + max_ms;
	char path[PATH_SIZE];
	struct stat st;

	queue_path(queue, service, id, path, sizeof(path));
	for (;;) {
		int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW), locked;

		if (fd < 0)
			return errno == ENOENT ? 1 : err_sys(err, "open %s", path);
		locked = fd_lock(fd, false);
		if (locked == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0) {
			*fd_out = fd;
			return 0;
		}
		close(fd);
		if (locked < 0)
			return err_sys(err, "lock %s", path);
		if (locked == 0)
			continue; /* whoever had it has removed it */
		if (clock_mono_ms() >= end)
			return err_set(err, EBUSY, "%s: another process has it in hand", path);
		poll(NULL, 0, TAKE_STEP_MS);
	}
}

int bounce_log_put_notice(int fd, const struct bounce_notice *notice, struct err *err)
{
	struct str batch = {0};
	int result;

	frame_encode(&batch, BOUNCE_NOTICE, 0, &bounce_notice_table, notice);
	result = append_batch(fd, notice->id, &batch, false, err);
	str_fini(&batch);
	return result;
}

int bounce_log_remove(
    const struct queue *queue, const char *service, const char *id, struct err *err)
{
	char path[PATH_SIZE];

	queue_path(queue, service, id, path, sizeof(path));
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(err, "remove %s", path);
	return 0;
}
