/* SPDX-License-Identifier: ISC */
#include "smtp/delivery.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/smtp/dot.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

/*
 * The queue holds content as it goes over the wire. When no line begins with a dot and none is too
 * long, nothing is looked at: what fits into one write is read straight into the output buffer and
 * leaves together with the final dot, the rest goes by sendfile.
 */
enum { ONE_WRITE_MAX = 60 * 1024, PIECE = 32 * 1024 };
enum { LENIENT_DIVISOR = 5, CONTENT_MAX_S = 3 * 3600 };

static enum chat_result chat_of(enum io_result io)
{
	return io == IO_OK ? CHAT_OK : io == IO_TIMEOUT ? CHAT_TIMEOUT : CHAT_LOST;
}

static void put_break(struct fold *f, struct str *out)
{
	str_put(out, "\r\n ", 3);
	f->column = 1;
	f->broke = true;
}

static void put_run(struct fold *f, struct str *out, const char *data, size_t len)
{
	while (f->column + len > f->limit) {
		size_t part = f->limit - f->column;

		str_put(out, data, part);
		data += part;
		len -= part;
		put_break(f, out);
	}
	str_put(out, data, len);
	f->column += len;
}

void fold_put(struct fold *f, struct str *out, const char *data, size_t len)
{
	while (len > 0) {
		const char *lf = memchr(data, '\n', len);
		size_t run = lf ? (size_t)(lf - data) : len, eaten = run + (lf != NULL);
		bool cr = run > 0 && data[run - 1] == '\r';

		if (f->held_cr && run > 0)
			put_run(f, out, "\r", 1);
		f->held_cr = cr && !lf;
		put_run(f, out, data, run - cr);
		if (lf) {
			str_put(out, "\r\n", 2);
			f->column = 0;
			f->held_cr = false;
		}
		data += eaten;
		len -= eaten;
	}
}

static void put_end(struct str *out, bool crlf_before, bool quit)
{
	if (!crlf_before)
		str_put(out, "\r\n", 2);
	str_put(out, quit ? ".\r\nQUIT\r\n" : ".\r\n", quit ? 9 : 3);
}

/* Does the record end in a line end, as it should? (It always does; a server must not be stuck.) */
static bool ends_well(const char *data, size_t len)
{
	return len == 0 || (len >= 2 && memcmp(data + len - 2, "\r\n", 2) == 0);
}

static enum chat_result send_small(
    struct session *s, const struct message *m, bool quit, bool *unreadable_out)
{
	struct str *out = &s->stream.out;
	size_t len = (size_t)m->content_len;

	str_reserve(out, len + 16);
	if (len &&
	    fd_pread_full(m->fd, out->data + out->len, len, (off_t)m->content_at) != (ssize_t)len) {
		*unreadable_out = true;
		return CHAT_LOST;
	}
	out->len += len;
	put_end(out, ends_well(out->data, out->len), quit);
	return chat_of(stream_flush(&s->stream));
}

static enum chat_result send_large(
    struct session *s, const struct message *m, bool quit, bool *unreadable_out)
{
	char tail[2];
	enum io_result io;

	if (fd_pread_full(m->fd, tail, 2, (off_t)(m->content_at + m->content_len - 2)) != 2) {
		*unreadable_out = true;
		return CHAT_LOST;
	}
	io = stream_send_file(&s->stream, m->fd, (int64_t)m->content_at, (int64_t)m->content_len);
	if (io == IO_ERROR)
		*unreadable_out = true;
	if (io != IO_OK)
		return chat_of(io);
	put_end(&s->stream.out, ends_well(tail, 2), quit);
	return chat_of(stream_flush(&s->stream));
}

static enum chat_result send_encoded(
    struct session *s, const struct agent_job *job, size_t limit, bool quit, bool *unreadable_out)
{
	const struct message *m = job->m;
	struct fold fold = {.limit = limit};
	struct str folded = {0};
	enum chat_result result = CHAT_OK;
	bool line_start = true, ends = true;
	char piece[PIECE];

	for (uint64_t at = 0; at < m->content_len && result == CHAT_OK;) {
		size_t want = (size_t)MIN(m->content_len - at, sizeof(piece));

		if (fd_pread_full(m->fd, piece, want, (off_t)(m->content_at + at)) !=
		    (ssize_t)want) {
			*unreadable_out = true;
			result = CHAT_LOST;
			break;
		}
		at += want;
		str_clear(&folded);
		if (limit)
			fold_put(&fold, &folded, piece, want);
		else
			str_put(&folded, piece, want);
		dot_encode(&s->stream.out, folded.data, folded.len, &line_start);
		ends = line_start;
		if (s->stream.out.len >= PIECE)
			result = chat_of(stream_flush(&s->stream));
	}
	str_fini(&folded);
	if (fold.broke)
		log_info(
		    "%s: breaking line > %zu bytes with <CR><LF>SPACE", job->request->id, limit);
	if (result != CHAT_OK)
		return result;
	put_end(&s->stream.out, ends, quit);
	return chat_of(stream_flush(&s->stream));
}

/*
 * For the whole content. Each wait is bounded by smtp_data_xfer_timeout anyway; without
 * smtp_per_request_deadline this only stops a server that takes a few bytes now and then.
 */
static int64_t deadline(const struct agent_job *job, const struct smtp_params *p)
{
	bool strict = p->per_request_deadline;
	uint64_t rate = (uint64_t)p->min_data_rate;
	int64_t wait = clock_ms_of(p->data_xfer_timeout), limit;

	limit =
	    (strict ? wait : 2 * wait) +
	    (int64_t)(job->m->content_len / (strict ? rate : rate / LENIENT_DIVISOR + 1)) * 1000;
	return clock_mono_ms() + (strict ? limit : MIN(limit, CONTENT_MAX_S * 1000));
}

enum chat_result content_send(struct session *s, const struct agent_job *job,
    const struct smtp_params *p, bool quit, bool *unreadable_out)
{
	uint32_t flags = job->request->env_flags | job->m->env.flags;
	size_t limit = (size_t)p->line_length_limit;
	enum chat_result result;

	*unreadable_out = false;
	s->stream.timeout_ms = clock_ms_of(p->data_xfer_timeout);
	s->stream.deadline_ms = deadline(job, p);
	/* the queue notes lines over 998 bytes only */
	if (limit >= 998 && !(flags & ENV_LONG_LINES))
		limit = 0;
	if (limit > 0 && limit < 10)
		limit = 10;
	if (limit || (flags & ENV_DOT_LINES))
		result = send_encoded(s, job, limit, quit, unreadable_out);
	else if (job->m->content_len <= ONE_WRITE_MAX)
		result = send_small(s, job->m, quit, unreadable_out);
	else
		result = send_large(s, job->m, quit, unreadable_out);
	s->stream.deadline_ms = 0;
	if (result != CHAT_OK)
		s->dead = true;
	s->quit_sent = quit;
	return result;
}
