/* SPDX-License-Identifier: ISC */
#include "lib/shape/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

/*
 * Two phases. Headers go line by line into a logical field, which headers.c looks at when the next
 * one begins; shaped fields collect in `out` and are written together. The body goes straight to
 * the queue writer: a piece whose line ends are all CR LF is one write, one that needs CRs is
 * copied once.
 */

void shape_fail(struct shaper *s, enum shape_result result, const char *text)
{
	if (s->result != SHAPE_OK)
		return;
	s->result = result;
	err_set(&s->err, 0, "%s", text);
}

static void fail_writing(struct shaper *s, const struct err *err)
{
	bool full = err->code == ENOSPC || err->code == EDQUOT || err->code == EFBIG;

	if (s->result != SHAPE_OK)
		return;
	s->result = full ? SHAPE_NO_SPACE : SHAPE_WRITE_ERROR;
	s->err = *err;
}

void shape_write(struct shaper *s, const char *data, size_t len)
{
	if (s->mime)
		mime_put(s->mime, data, len);
	else
		shape_store(s, data, len);
}

void shape_store(struct shaper *s, const char *data, size_t len)
{
	int64_t limit = s->ctx.core->message_size_limit;
	struct err err = {0};

	if (len == 0 || s->result != SHAPE_OK)
		return;
	if (limit > 0 &&
	    len > (uint64_t)limit - MIN(queue_writer_size(s->writer), (uint64_t)limit)) {
		if (s->ctx.origin != SHAPE_BY_SMTPD) /* which says it itself */
			log_info_as(
			    "cleanup", "warning: %s: queue file size limit exceeded", s->id);
		shape_fail(s, SHAPE_TOO_BIG, "message size exceeds the limit");
		return;
	}
	if (queue_writer_put(s->writer, data, len, &err) < 0)
		fail_writing(s, &err);
}

/* ---- headers ------------------------------------------------------------------------------- */

/* A line of a header without its line end; a CR within is none. */
static void put_line(const struct shaper *s, struct str *out, struct slice line)
{
	size_t from = out->len;

	str_put(out, line.data, line.len);
	for (size_t i = from; s->ctx.params->replace_stray_cr && i < out->len; i++)
		if (out->data[i] == '\r')
			out->data[i] = ' ';
	str_put(out, "\r\n", 2);
}

/* Within header_size_limit: what exceeds it goes away, the line end stays. */
static void field_add(struct shaper *s, struct slice line)
{
	size_t limit = (size_t)s->ctx.params->header_size_limit;
	size_t room = limit - MIN(limit, s->header.len);
	const char *nul;

	if (s->header_cut)
		return;
	nul = line.len ? memchr(line.data, '\0', line.len) : NULL;
	if (nul)
		line.len = (size_t)(nul - line.data);
	if (line.len > room) {
		s->header_cut = true;
		line.len = room;
	}
	if (line.len > 0)
		put_line(s, &s->header, line);
}

static bool is_from_line(struct slice line)
{
	return line.len >= 5 && (memcmp(line.data, "From ", 5) == 0 ||
	                            (line.len >= 6 && memcmp(line.data, ">From ", 6) == 0));
}

/* A line of the header phase, without its line end. true: it was part of the headers. */
static bool header_line(struct shaper *s, struct slice line)
{
	if (header_is_fold(line) && (s->header.len > 0)) {
		field_add(s, line);
		return true;
	}
	if (header_name_len(line) > 0) {
		shape_field(s);
		field_add(s, line);
		return true;
	}
	if (s->header.len == 0 && !(s->seen & SEEN_ANY) && is_from_line(line)) {
		str_put_text(&s->out, "X-Mailbox-Line: ");
		put_line(s, &s->out, slice_of(line.data, strnlen(line.data, line.len)));
		return true;
	}
	return false;
}

/* The headers have ended at `line`, which is empty or the first of the body. */
static void begin_body(struct shaper *s, struct slice line, bool complete)
{
	shape_end_headers(s);
	shape_write(s, "\r\n", 2);
	if (line.len == 0)
		return;
	shape_body(s, line.data, line.len);
	if (complete) {
		shape_stray_cr(s);
		shape_write(s, "\r\n", 2);
		s->last = '\n';
	}
}

/* Keeps the begun line, up to what a header may have. true: it is too long to be a header. */
static bool line_add(struct shaper *s, const char *data, size_t len)
{
	size_t limit = (size_t)s->ctx.params->header_size_limit + 2;
	size_t room = limit - MIN(limit, s->line.len);
	struct slice line;

	if (len <= room) {
		str_put(&s->line, data, len);
		return false;
	}
	line = slice_of(str_text(&s->line), s->line.len);
	if (!s->line_cut) {
		str_put(&s->line, data, room);
		line = slice_of(s->line.data, s->line.len);
		if (!(header_is_fold(line) && s->header.len > 0) && header_name_len(line) == 0) {
			str_put(&s->line, data + room, len - room);
			return true;
		}
		s->line_cut = true;
	}
	return false;
}

/* The begun line in s->line is complete (or the message ends). */
static void line_end(struct shaper *s)
{
	struct slice line = slice_of(str_text(&s->line), s->line.len);

	if (!s->line_cut && line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0 || !header_line(s, line))
		begin_body(s, line, true);
	str_clear(&s->line);
	s->line_cut = false;
}

/* Eats lines until the body begins; returns the bytes eaten. */
static size_t headers_put(struct shaper *s, const char *data, size_t len)
{
	const char *p = data, *end = data + len, *lf;

	while (p < end && !s->in_body) {
		size_t n;

		lf = memchr(p, '\n', (size_t)(end - p));
		n = (size_t)((lf ? lf : end) - p);
		if (line_add(s, p, n)) {
			begin_body(s, slice_of(s->line.data, s->line.len), false);
			str_clear(&s->line);
			return (size_t)(p - data) + n;
		}
		p += n;
		if (lf) {
			line_end(s);
			p++;
		}
	}
	return (size_t)(p - data);
}

/* ---- the interface ------------------------------------------------------------------------- */

struct shaper *shape_begin(
    const struct shape_context *context, const char *id, const char *sender, const char *trace)
{
	struct shaper *s = alloc_zero(1, sizeof(*s));
	struct slice block = slice_text(trace);
	struct header header;
	size_t at = 0;

	s->ctx = *context;
	snprintf(s->id, sizeof(s->id), "%s", id);
	s->sender = alloc_strdup(sender);
	s->filter = s->redirect = "";
	shape_inspect_begin(s);
	s->copies.arena = context->arena;
	s->writer = queue_writer_new(context->queue, id);
	shape_mark_chars(s, context->params->message_strip_characters, CHAR_STRIP);
	shape_mark_chars(s, context->params->message_reject_characters, CHAR_REJECT);
	while (header_next(block, &at, &header)) {
		if (header_is(&header, "Received"))
			s->hops++;
		str_clear(&s->header);
		str_put(&s->header, header.whole.data, header.whole.len);
		if (shape_inspect_header(s))
			str_put(&s->out, s->header.data, s->header.len);
	}
	str_clear(&s->header);
	return s;
}

void shape_put(struct shaper *s, const char *data, size_t len)
{
	struct str filtered = {0};
	size_t eaten;

	s->bytes_in += len;
	if (s->result != SHAPE_OK || len == 0)
		return;
	if (s->chars) {
		shape_filter_chars(s, data, len, &filtered);
		data = str_text(&filtered);
		len = filtered.len;
	}
	eaten = s->in_body ? 0 : headers_put(s, data, len);
	if (eaten < len)
		shape_body(s, data + eaten, len - eaten);
	str_fini(&filtered);
}

uint64_t shape_size(const struct shaper *s)
{
	return s->bytes_in;
}

static void shaper_free(struct shaper **shaper)
{
	struct shaper *s = *shaper;

	*shaper = NULL;
	queue_writer_abort(&s->writer);
	str_fini(&s->line);
	str_fini(&s->header);
	str_fini(&s->out);
	str_fini(&s->message_id);
	str_fini(&s->scratch);
	arena_fini(&s->arena);
	mime_free(&s->mime);
	free(s->chars);
	free(s->sender);
	free(s);
}

static void finish(struct shaper *s)
{
	if (!s->in_body && s->line.len > 0)
		line_end(s);
	if (!s->in_body)
		shape_end_headers(s);
	shape_stray_cr(s);
	if (s->last != '\n')
		shape_write(s, "\r\n", 2);
	if (s->mime)
		mime_end(s->mime);
}

bool shape_is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 128;
}

/* RFC 6531: does its way have to know SMTPUTF8, though nobody said so? */
static bool needs_utf8(const struct shaper *s, const struct envelope *env)
{
	const struct shape_params *p = s->ctx.params;

	if (!p->smtputf8_enable || !(p->smtputf8_autodetect & s->ctx.origin))
		return false;
	if (s->seen & SEEN_UTF8 || !shape_is_ascii(env->sender, strlen(env->sender)))
		return true;
	for (uint32_t i = 0; i < env->rcpt_count; i++)
		if (!shape_is_ascii(env->rcpts[i].address, strlen(env->rcpts[i].address)))
			return true;
	return false;
}

static void commit(
    struct shaper *s, struct envelope *env, struct location *loc_out, uint64_t *content_len_out)
{
	struct err err = {0};

	shape_envelope(s, env);
	if (s->result != SHAPE_OK)
		return;
	env->message_id = str_text(&s->message_id);
	env->hops = s->hops;
	if (s->seen & SEEN_TLS_OPTIONAL)
		env->flags |= ENV_TLS_OPTIONAL;
	if (needs_utf8(s, env))
		env->flags |= ENV_SMTPUTF8;
	*content_len_out = queue_writer_size(s->writer);
	if (queue_writer_commit(&s->writer, env, s->hold, loc_out, &err) < 0)
		fail_writing(s, &err);
	env->message_id = s->ctx.arena ? arena_strdup(s->ctx.arena, str_text(&s->message_id)) : "";
}

enum shape_result shape_end(struct shaper **shaper, struct envelope *env, struct location *loc_out,
    uint64_t *content_len_out, struct err *err)
{
	struct shaper *s = *shaper;
	enum shape_result result;

	if (s->result == SHAPE_OK)
		finish(s);
	if (s->result == SHAPE_OK && s->discard)
		s->result = SHAPE_DISCARDED;
	if (s->result == SHAPE_OK)
		commit(s, env, loc_out, content_len_out);
	result = s->result;
	if (result != SHAPE_OK && err)
		*err = s->err;
	shaper_free(shaper);
	return result;
}

void shape_abort(struct shaper **shaper)
{
	if (*shaper)
		shaper_free(shaper);
}
