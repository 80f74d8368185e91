/* SPDX-License-Identifier: ISC */
/*
 * Reads and writes never block (MSG_DONTWAIT; for TLS and sendfile the socket is made non-blocking
 * when they are first used); every wait is a poll(2) bounded by the per-wait time limit and the
 * stream's deadline. An attempt to read or write comes before the wait, so that data which is
 * already there costs one system call.
 */
#include "lib/io/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { READ_CHUNK = 16384, OUT_HIGH = 65536, SHRINK_ABOVE = 4096 };

void stream_init(struct stream *s, int fd, int timeout_ms)
{
	*s = (struct stream){.fd = fd, .timeout_ms = timeout_ms};
}

void stream_fini(struct stream *s)
{
	fd_close(&s->fd);
	str_fini(&s->in);
	str_fini(&s->out);
}

enum io_result stream_wait(struct stream *s, short poll_events)
{
	struct pollfd pfd = {.fd = s->fd, .events = poll_events};
	int64_t limit = s->timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + s->timeout_ms;

	if (log_held()) {
		if (poll(&pfd, 1, 0) > 0)
			return IO_OK;
		log_let_out();
	}
	if (s->deadline_ms && s->deadline_ms < limit)
		limit = s->deadline_ms;
	for (;;) {
		int64_t left = limit == INT64_MAX ? -1 : limit - clock_mono_ms();
		int n;

		if (limit != INT64_MAX && left < 0)
			left = 0;
		n = poll(&pfd, 1, left > 86400000 ? 86400000 : (int)left);
		if (n > 0)
			return IO_OK;
		if (n == 0 && limit != INT64_MAX && clock_mono_ms() >= limit)
			return IO_TIMEOUT;
		if (n < 0 && errno != EINTR)
			return IO_ERROR;
	}
}

/* A peer that trickles a byte at a time never makes a single wait too long: the deadline counts. */
static bool past_deadline(const struct stream *s)
{
	return s->deadline_ms && clock_mono_ms() >= s->deadline_ms;
}

/* A session on a pipe or a terminal (sendmail -bs) is not worth a question per session. */
static long file_read(struct stream *s, void *buf, size_t len, short *wait_for)
{
	(void)wait_for;
	return read(s->fd, buf, len);
}

static long file_write(struct stream *s, const void *buf, size_t len, short *wait_for)
{
	(void)wait_for;
	return write(s->fd, buf, len);
}

static bool is_no_socket(struct stream *s, long n)
{
	static const struct stream_ops file_ops = {file_read, file_write, NULL};

	if (n >= 0 || errno != ENOTSOCK)
		return false;
	s->ops = &file_ops;
	fd_set_nonblock(s->fd, true);
	return true;
}

static long transport_read(struct stream *s, void *buf, size_t len, short *wait_for)
{
	long n;

	*wait_for = POLLIN;
	if (s->ops)
		return s->ops->read(s, buf, len, wait_for);
	n = recv(s->fd, buf, len, MSG_DONTWAIT);
	return is_no_socket(s, n) ? file_read(s, buf, len, wait_for) : n;
}

static long transport_write(struct stream *s, const void *buf, size_t len, short *wait_for)
{
	long n;

	*wait_for = POLLOUT;
	if (s->ops)
		return s->ops->write(s, buf, len, wait_for);
	n = send(s->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return is_no_socket(s, n) ? file_write(s, buf, len, wait_for) : n;
}

static enum io_result fail(struct stream *s, enum io_result result)
{
	s->failed = true;
	return result;
}

static enum io_result write_out(struct stream *s, const char *data, size_t len)
{
	while (len > 0) {
		short wait_for;
		long n = transport_write(s, data, len, &wait_for);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			enum io_result waited = stream_wait(s, wait_for);

			if (waited != IO_OK)
				return fail(s, waited);
			if (past_deadline(s))
				return fail(s, IO_TIMEOUT);
			continue;
		}
		return fail(s, n < 0 && errno != EPIPE && errno != ECONNRESET ? IO_ERROR : IO_EOF);
	}
	return IO_OK;
}

enum io_result stream_flush(struct stream *s)
{
	enum io_result result;

	if (s->failed)
		return IO_ERROR;
	if (s->out.len == 0)
		return IO_OK;
	result = write_out(s, s->out.data, s->out.len);
	str_clear(&s->out);
	return result;
}

enum io_result stream_put(struct stream *s, const void *data, size_t len)
{
	if (s->failed)
		return IO_ERROR;
	if (s->out.len + len > OUT_HIGH) {
		enum io_result result = stream_flush(s);

		if (result != IO_OK)
			return result;
		if (len > OUT_HIGH)
			return write_out(s, data, len);
	}
	str_put(&s->out, data, len);
	return IO_OK;
}

enum io_result stream_printf(struct stream *s, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return IO_ERROR;
	va_start(ap, fmt);
	str_vprintf(&s->out, fmt, ap);
	va_end(ap);
	return s->out.len > OUT_HIGH ? stream_flush(s) : IO_OK;
}

static void drop_taken(struct stream *s)
{
	if (s->in_at == 0)
		return;
	if (s->in_at == s->in.len)
		str_clear(&s->in);
	else
		str_consume(&s->in, s->in_at);
	s->in_at = 0;
}

enum io_result stream_fill(struct stream *s)
{
	enum io_result flushed = stream_flush(s);

	if (flushed != IO_OK)
		return flushed;
	drop_taken(s);
	str_reserve(&s->in, READ_CHUNK);
	for (;;) {
		size_t room = s->in.cap - s->in.len - 1;
		short wait_for;
		enum io_result waited;
		long n;

		if (past_deadline(s))
			return IO_TIMEOUT;
		n = transport_read(s, s->in.data + s->in.len, room, &wait_for);
		if (n > 0) {
			s->in.len += (size_t)n;
			s->in.data[s->in.len] = '\0';
			return IO_OK;
		}
		if (n == 0)
			return IO_EOF;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return errno == ECONNRESET ? IO_EOF : IO_ERROR;
		waited = stream_wait(s, wait_for);
		if (waited != IO_OK)
			return waited;
	}
}

void stream_take(struct stream *s, size_t len)
{
	must(len <= s->in.len - s->in_at);
	s->in_at += len;
	if (s->in_at == s->in.len) {
		str_clear(&s->in);
		s->in_at = 0;
	}
}

static enum io_result skip_rest_of_line(struct stream *s)
{
	for (;;) {
		struct slice have = stream_buffered(s);
		const char *lf = have.len ? memchr(have.data, '\n', have.len) : NULL;
		enum io_result result;

		if (lf) {
			stream_take(s, (size_t)(lf - have.data) + 1);
			return IO_LONG;
		}
		stream_take(s, have.len);
		result = stream_fill(s);
		if (result != IO_OK)
			return result;
	}
}

enum io_result stream_read_line(struct stream *s, struct str *line, size_t limit, bool keep_cr)
{
	size_t seen = 0;

	str_clear(line);
	for (;;) {
		struct slice have = stream_buffered(s);
		const char *lf =
		    have.len > seen ? memchr(have.data + seen, '\n', have.len - seen) : NULL;
		size_t len = lf ? (size_t)(lf - have.data) : have.len;
		enum io_result result;

		if (len > limit + 1 || (len == limit + 1 && lf && have.data[len - 1] != '\r')) {
			str_put(line, have.data, limit);
			stream_take(s, limit);
			return skip_rest_of_line(s);
		}
		if (lf) {
			size_t text = len;

			if (!keep_cr && text > 0 && have.data[text - 1] == '\r')
				text--;
			str_put(line, have.data, text);
			stream_take(s, len + 1);
			return IO_OK;
		}
		seen = have.len;
		result = stream_fill(s);
		if (result != IO_OK)
			return result;
	}
}

enum io_result stream_read_bytes(struct stream *s, struct str *out, size_t len)
{
	while (len > 0) {
		struct slice have = stream_buffered(s);
		size_t n = MIN(have.len, len);

		if (n == 0) {
			enum io_result result = stream_fill(s);

			if (result != IO_OK)
				return result;
			continue;
		}
		str_put(out, have.data, n);
		stream_take(s, n);
		len -= n;
	}
	return IO_OK;
}

static enum io_result copy_file(struct stream *s, int fd, int64_t offset, int64_t len)
{
	char buf[READ_CHUNK];

	while (len > 0) {
		ssize_t n = fd_pread_full(fd, buf, (size_t)MIN(len, READ_CHUNK), offset);
		enum io_result result;

		if (n <= 0)
			return fail(s, IO_ERROR);
		result = write_out(s, buf, (size_t)n);
		if (result != IO_OK)
			return result;
		offset += n;
		len -= n;
	}
	return IO_OK;
}

enum io_result stream_send_file(struct stream *s, int fd, int64_t offset, int64_t len)
{
	enum io_result result = stream_flush(s);
	off_t at = offset;

	if (result != IO_OK)
		return result;
	if (s->ops)
		return copy_file(s, fd, offset, len);
	fd_set_nonblock(s->fd, true);
	while (len > 0) {
		ssize_t n = sendfile(s->fd, fd, &at, (size_t)MIN(len, 1 << 30));

		if (n > 0) {
			len -= n;
		} else if (n < 0 && errno == EAGAIN) {
			result = stream_wait(s, POLLOUT);
			if (result == IO_OK && past_deadline(s))
				result = IO_TIMEOUT;
			if (result != IO_OK)
				return fail(s, result);
		} else if (n < 0 && (errno == EINVAL || errno == ENOSYS)) {
			return copy_file(s, fd, at, len);
		} else if (n == 0 || errno != EINTR) {
			/* n == 0: the file is shorter than its record said */
			return fail(s,
			    n < 0 && (errno == EPIPE || errno == ECONNRESET) ? IO_EOF : IO_ERROR);
		}
	}
	return IO_OK;
}

bool stream_readable(struct stream *s)
{
	struct pollfd pfd = {.fd = s->fd, .events = POLLIN};

	if (s->in.len > s->in_at)
		return true;
	if (s->ops && s->ops->readable)
		return s->ops->readable(s);
	return poll(&pfd, 1, 0) != 0;
}

void stream_shrink(struct stream *s)
{
	if (s->in_at == s->in.len && s->in.cap > SHRINK_ABOVE)
		str_fini(&s->in), s->in_at = 0;
	if (s->out.len == 0 && s->out.cap > SHRINK_ABOVE)
		str_fini(&s->out);
}
