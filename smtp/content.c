/* SPDX-License-Identifier: ISC */
#include "smtp/delivery.h"

#include <poll.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/smtp/dot.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

/*
 * The queue holds content as it goes over the wire. When no line begins with a dot and none is too
 * long, nothing is looked at: what fits into one write is read straight into the output buffer and
 * leaves together with the final dot, the rest goes by sendfile. Rewriting (rewrite.h) happens only
 * where something asks for it, and to the header alone if that is all.
 */
enum { ONE_WRITE_MAX = 60 * 1024, PIECE = 32 * 1024, STRICT_PIECE = 8 * 1024 };
enum { HEADER_MAX = 256 * 1024 };
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

/* What is under way: how the content is sent, and what has come of it. */
struct sending {
	struct session *s;
	const struct agent_job *job;
	size_t limit; /* of lines; 0: none */
	bool strict;  /* smtp_per_request_deadline */
	int64_t cap_ms, rate;
	const struct content_plan *plan;
	uint64_t from; /* content before this has gone out */
	struct fold fold;
	struct str folded;
	bool ends_well;  /* a line end was the last that went out */
	bool unreadable; /* the queue file, or a table, failed */
};

/*
 * smtp_min_data_rate: what was taken is time earned, but never more than smtp_data_xfer_timeout.
 * Without smtp_per_request_deadline each wait is bounded by that, and the whole generously, so that
 * a server which takes a few bytes now and then comes to an end.
 */
static void set_deadline(struct sending *g)
{
	int64_t now = clock_mono_ms(), whole;

	if (g->strict) {
		g->s->stream.deadline_ms = now + g->cap_ms;
		return;
	}
	whole = 2 * g->cap_ms +
	        (int64_t)g->job->m->content_len / (g->rate / LENIENT_DIVISOR + 1) * 1000;
	g->s->stream.deadline_ms = now + MIN(whole, CONTENT_MAX_S * 1000);
}

static void earn_time(struct sending *g, size_t len)
{
	int64_t most = clock_mono_ms() + g->cap_ms;
	int64_t earned = g->s->stream.deadline_ms + (int64_t)len * 1000 / g->rate;

	if (g->strict)
		g->s->stream.deadline_ms = MIN(earned, most);
}

static bool read_content(struct sending *g, void *to, size_t len, uint64_t at)
{
	const struct message *m = g->job->m;

	g->unreadable = fd_pread_full(m->fd, to, len, (off_t)(m->content_at + at)) != (ssize_t)len;
	return !g->unreadable;
}

static enum chat_result content_fail(struct sending *g, const struct err *err)
{
	log_warn("%s: %s", g->job->request->id, err->text);
	g->unreadable = true;
	return CHAT_LOST;
}

static enum chat_result send_small(struct sending *g)
{
	struct str *out = &g->s->stream.out;
	size_t len = (size_t)(g->job->m->content_len - g->from);

	str_reserve(out, len + 16);
	if (len && !read_content(g, out->data + out->len, len, g->from))
		return CHAT_LOST;
	out->len += len;
	g->ends_well = ends_well(out->data, out->len);
	return CHAT_OK;
}

static enum chat_result send_large(struct sending *g)
{
	const struct message *m = g->job->m;
	uint64_t len = m->content_len, piece = g->strict ? STRICT_PIECE : len;
	enum io_result io = IO_OK;
	char tail[2];

	g->ends_well = true;
	if (len >= 2 && !read_content(g, tail, 2, len - 2))
		return CHAT_LOST;
	if (len >= 2)
		g->ends_well = ends_well(tail, 2);
	for (uint64_t at = g->from; at < len && io == IO_OK; at += piece) {
		uint64_t part = MIN(piece, len - at);

		io = stream_send_file(
		    &g->s->stream, m->fd, (int64_t)(m->content_at + at), (int64_t)part);
		earn_time(g, (size_t)part);
	}
	g->unreadable = io == IO_ERROR;
	return chat_of(io);
}

/* Folded where lines are too long, dots doubled. */
static enum chat_result put_encoded(struct sending *g, const char *data, size_t len)
{
	struct str *out = &g->s->stream.out;

	str_clear(&g->folded);
	if (g->fold.limit)
		fold_put(&g->fold, &g->folded, data, len);
	else
		str_put(&g->folded, data, len);
	dot_encode(out, g->folded.data, g->folded.len, &g->ends_well);
	return out->len >= PIECE || g->strict ? chat_of(stream_flush(&g->s->stream)) : CHAT_OK;
}

/* The content, piece by piece, through the rewriting when there is one. */
static enum chat_result send_encoded(struct sending *g, struct rewrite *r, struct str *rewritten)
{
	enum chat_result result = CHAT_OK;
	char piece[PIECE];
	struct err err;

	g->fold.limit = g->limit;
	g->ends_well = true;
	for (uint64_t at = g->from; at < g->job->m->content_len && result == CHAT_OK;) {
		size_t want = (size_t)MIN(g->job->m->content_len - at, sizeof(piece));

		if (!read_content(g, piece, want, at))
			return CHAT_LOST;
		at += want;
		if (!r) {
			result = put_encoded(g, piece, want);
		} else if (rewrite_put(r, piece, want, &err) == 0) {
			result = put_encoded(g, rewritten->data, rewritten->len);
			str_clear(rewritten);
		} else {
			return content_fail(g, &err);
		}
		earn_time(g, want);
	}
	return result;
}

static enum chat_result send_rewritten(struct sending *g)
{
	struct str rewritten = {0};
	struct rewrite *r = rewrite_begin(&g->plan->rewrite, &rewritten);
	enum chat_result result;
	struct err err;

	str_put_text(&rewritten, "");
	result = send_encoded(g, r, &rewritten);
	if (rewrite_end(&r, &err) < 0 && result == CHAT_OK)
		result = content_fail(g, &err);
	if (result == CHAT_OK)
		result = put_encoded(g, rewritten.data, rewritten.len);
	str_fini(&rewritten);
	return result;
}

/* Length of the header with the empty line behind it; 0: there is no such line. */
static size_t header_len(struct slice text)
{
	const char *end;

	if (text.len >= 2 && memcmp(text.data, "\r\n", 2) == 0)
		return 2;
	end = memmem(text.data, text.len, "\r\n\r\n", 4);
	return end ? (size_t)(end - text.data) + 4 : 0;
}

/*
 * Only the header is to be rewritten: what follows goes out as it is stored. A header without an
 * end near by is left to send_rewritten.
 */
static enum chat_result send_header(struct sending *g, bool *sent_out)
{
	size_t len = (size_t)MIN(g->job->m->content_len, (uint64_t)HEADER_MAX);
	struct str header = {0}, rewritten = {0};
	enum chat_result result = CHAT_OK;
	struct rewrite *r;
	struct err err;
	int rc;

	*sent_out = false;
	str_reserve(&header, len + 1);
	if (!read_content(g, header.data, len, 0)) {
		result = CHAT_LOST;
	} else if ((len = header_len(slice_of(header.data, len))) > 0) {
		r = rewrite_begin(&g->plan->rewrite, &rewritten);
		rc = rewrite_put(r, header.data, len, &err);
		rc = rewrite_end(&r, &err) < 0 ? -1 : rc;
		g->ends_well = true;
		if (rc == 0)
			result = put_encoded(g, rewritten.data, rewritten.len);
		else
			result = content_fail(g, &err);
		g->from = len;
		*sent_out = true;
	}
	str_fini(&header);
	str_fini(&rewritten);
	return result;
}

/* PIX_DELAY_DOTCRLF: the dot travels alone, some time after the rest. */
static enum chat_result pause_before_dot(struct sending *g)
{
	const struct smtp_params *p = g->s->client->params;
	int64_t age_s = (clock_wall_us() - (int64_t)g->job->request->queued_us) / 1000000;
	enum chat_result result;
	int64_t deadline;

	if (!g->s->delay_dot || age_s < p->pix_threshold_time)
		return CHAT_OK;
	result = chat_of(stream_flush(&g->s->stream));
	if (result != CHAT_OK)
		return result;
	deadline = g->s->stream.deadline_ms;
	g->s->stream.deadline_ms = clock_mono_ms() + clock_ms_of(p->pix_delay_time);
	stream_wait(&g->s->stream, POLLIN); /* a server that hangs up is not waited for */
	g->s->stream.deadline_ms = deadline;
	return CHAT_OK;
}

/* The queue notes lines over 998 bytes only. */
static size_t line_limit(const struct smtp_params *p, uint32_t env_flags)
{
	size_t limit = (size_t)p->line_length_limit;

	if (limit >= 998 && !(env_flags & ENV_LONG_LINES))
		return 0;
	return limit > 0 && limit < 10 ? 10 : limit;
}

bool content_suits_bdat(const struct session *s, const struct agent_job *job,
    const struct smtp_params *p, const struct content_plan *plan, int wish)
{
	uint32_t flags = job->request->env_flags | job->m->env.flags;

	if (!(s->ehlo.features & FEATURE_CHUNKING) || wish == SMTP_BDAT_NEVER ||
	    plan->rewrite.what || line_limit(p, flags))
		return false;
	return wish == SMTP_BDAT_ALWAYS ||
	       ((flags & ENV_DOT_LINES) && job->m->content_len > ONE_WRITE_MAX);
}

/* As it is stored, from g->from on. */
static enum chat_result send_stored(struct sending *g, uint32_t flags)
{
	if (g->limit || ((flags & ENV_DOT_LINES) && !g->plan->bdat))
		return send_encoded(g, NULL, NULL);
	if (g->job->m->content_len - g->from <= (g->strict ? STRICT_PIECE : ONE_WRITE_MAX))
		return send_small(g);
	return send_large(g);
}

static enum chat_result send_all(struct sending *g, uint32_t flags)
{
	const struct smtp_params *p = g->s->client->params;
	unsigned what = g->plan->rewrite.what;
	enum chat_result result;
	bool sent;

	if (g->plan->bdat)
		str_printf(&g->s->stream.out, "BDAT %llu LAST\r\n",
		    (unsigned long long)g->job->m->content_len);
	if (!what)
		return send_stored(g, flags);
	/* what is put in may have long lines where there were none */
	g->fold.limit = line_limit(p, ENV_LONG_LINES);
	if (what == REWRITE_HEADER) {
		result = send_header(g, &sent);
		if (result != CHAT_OK)
			return result;
		if (sent)
			return send_stored(g, flags);
	}
	g->limit = g->fold.limit;
	return send_rewritten(g);
}

static enum chat_result put_last(struct sending *g, bool quit)
{
	struct str *out = &g->s->stream.out;

	if (!g->plan->bdat)
		put_end(out, g->ends_well, quit);
	else if (quit)
		str_put_text(out, "QUIT\r\n");
	return chat_of(stream_flush(&g->s->stream));
}

enum chat_result content_send(struct session *s, const struct agent_job *job,
    const struct smtp_params *p, const struct content_plan *plan, bool quit, bool *unreadable_out)
{
	uint32_t flags = job->request->env_flags | job->m->env.flags;
	struct sending g = {.s = s,
	    .job = job,
	    .plan = plan,
	    .limit = line_limit(p, flags),
	    .strict = p->per_request_deadline,
	    .cap_ms = clock_ms_of(p->data_xfer_timeout),
	    .rate = p->min_data_rate};
	enum chat_result result;

	s->stream.timeout_ms = clock_ms_of(p->data_xfer_timeout);
	set_deadline(&g);
	result = send_all(&g, flags);
	if (g.fold.broke)
		log_info("%s: breaking line > %zu bytes with <CR><LF>SPACE", job->request->id,
		    g.fold.limit);
	if (result == CHAT_OK)
		result = pause_before_dot(&g);
	if (result == CHAT_OK)
		result = put_last(&g, quit);
	s->stream.deadline_ms = 0;
	if (result != CHAT_OK)
		s->dead = true;
	s->quit_sent = quit;
	*unreadable_out = g.unreadable;
	str_fini(&g.folded);
	return result;
}
