/* SPDX-License-Identifier: ISC */
#include "lib/peer/maildrop.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/mail/verp.h"
#include "lib/base/num.h"

#define TABLE(fields, st)                                         \
	{                                                         \
#st, fields, ARRAY_LEN(fields), sizeof(struct st) \
	}
#define TEXT(tag, st, m) FRAME_FIELD_TEXT(tag, struct st, m, MAILDROP_TEXT_MAX)

static const struct frame_field envelope_fields[] = {
    FRAME_FIELD_U32(1, struct maildrop_envelope, version),
    FRAME_FIELD_U32(2, struct maildrop_envelope, uid),
    FRAME_FIELD_U64(3, struct maildrop_envelope, time_us),
    FRAME_FIELD_U32(4, struct maildrop_envelope, flags),
    TEXT(5, maildrop_envelope, sender),
    TEXT(6, maildrop_envelope, full_name),
    TEXT(7, maildrop_envelope, envid),
    TEXT(8, maildrop_envelope, ret),
    TEXT(9, maildrop_envelope, orig_id),
    FRAME_FIELD_TEXT(10, struct maildrop_envelope, verp, VERP_DELIMITERS),
};
const struct frame_table maildrop_envelope_table = TABLE(envelope_fields, maildrop_envelope);

static const struct frame_field rcpt_fields[] = {
    TEXT(1, maildrop_rcpt, address),
    TEXT(2, maildrop_rcpt, orcpt),
    FRAME_FIELD_U32(3, struct maildrop_rcpt, notify),
};
const struct frame_table maildrop_rcpt_table = TABLE(rcpt_fields, maildrop_rcpt);

static const struct frame_field end_fields[] = {
    FRAME_FIELD_U64(1, struct maildrop_end, content_len),
    FRAME_FIELD_U32(2, struct maildrop_end, rcpt_count),
    FRAME_FIELD_U32(3, struct maildrop_end, crc),
};
const struct frame_table maildrop_end_table = TABLE(end_fields, maildrop_end);

static const struct frame_field answer_fields[] = {
    FRAME_FIELD_U32(1, struct maildrop_answer, status),
    TEXT(2, maildrop_answer, id),
    TEXT(3, maildrop_answer, reason),
};
const struct frame_table maildrop_answer_table = TABLE(answer_fields, maildrop_answer);

/* ---- writing -------------------------------------------------------------------------------- */

static void put_frame(
    struct maildrop_writer *w, uint16_t type, const struct frame_table *table, const void *value)
{
	size_t at = w->out.len;

	frame_encode(&w->out, type, 0, table, value);
	w->sum.crc = crc32c(w->sum.crc, w->out.data + at, w->out.len - at);
}

void maildrop_put_envelope(struct maildrop_writer *w, const struct maildrop_envelope *env)
{
	put_frame(w, MAILDROP_ENVELOPE, &maildrop_envelope_table, env);
}

void maildrop_put_rcpt(struct maildrop_writer *w, const struct maildrop_rcpt *rcpt)
{
	put_frame(w, MAILDROP_RCPT, &maildrop_rcpt_table, rcpt);
	w->sum.rcpt_count++;
}

void maildrop_put_content(struct maildrop_writer *w, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		size_t part = MIN(len, (size_t)MAILDROP_CHUNK);
		unsigned char head[FRAME_HEADER] = {0};

		le_put32(head, (uint32_t)(FRAME_HEADER - 4 + part));
		le_put16(head + 4, MAILDROP_CONTENT);
		str_put(&w->out, head, sizeof(head));
		str_put(&w->out, at, part);
		w->sum.crc = crc32c(w->sum.crc, head, sizeof(head));
		w->sum.crc = crc32c(w->sum.crc, at, part);
		w->sum.content_len += part;
		at += part;
		len -= part;
	}
}

void maildrop_put_end(struct maildrop_writer *w)
{
	frame_encode(&w->out, MAILDROP_END, 0, &maildrop_end_table, &w->sum);
}

void maildrop_writer_fini(struct maildrop_writer *w)
{
	str_fini(&w->out);
	*w = (struct maildrop_writer){0};
}

/* ---- reading -------------------------------------------------------------------------------- */

void maildrop_feed(struct maildrop_reader *r, const void *data, size_t len)
{
	str_consume(&r->in, r->at);
	r->at = 0;
	str_put(&r->in, data, len);
}

static int refuse(struct err *err, const char *why)
{
	return err_set(err, EBADMSG, "not a whole maildrop message: %s", why);
}

/* A length that nobody sends must not make the buffer wait for it. */
static int peek(struct maildrop_reader *r, struct frame *frame_out, struct err *err)
{
	size_t have = r->in.len - r->at;

	if (have >= 4 && le_get32(r->in.data + r->at) > MAILDROP_FRAME_MAX)
		return refuse(err, "a record is too long");
	if (have < FRAME_HEADER)
		return 0;
	if (memcmp(r->in.data + r->at + 6, "\0\0\0\0\0", 6) != 0)
		return refuse(err, "a record with flags or an id");
	return frame_peek(r->in.data + r->at, have, frame_out, err);
}

static int check_end(
    struct maildrop_reader *r, const struct frame *frame, struct arena *arena, struct err *err)
{
	struct maildrop_end end;

	if (frame_decode(frame, &maildrop_end_table, &end, arena, err) < 0)
		return -1;
	if (end.content_len != r->sum.content_len || end.rcpt_count != r->sum.rcpt_count ||
	    end.crc != r->sum.crc)
		return refuse(err, "sums or checksum differ");
	if (r->in.len - r->at > frame->size)
		return refuse(err, "something follows the end");
	return 0;
}

/* Texts become log lines, envelope fields and SMTP parameters: one line of print each. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 127)
			return false;
	}
	return true;
}

static int take_envelope(struct maildrop_reader *r, const struct frame *frame, struct arena *arena,
    struct maildrop_envelope *env, struct err *err)
{
	if (r->last)
		return refuse(err, "a second envelope");
	if (frame_decode(frame, &maildrop_envelope_table, env, arena, err) < 0)
		return -1;
	if (env->version != MAILDROP_VERSION)
		return refuse(err, "unknown version");
	if (env->flags & ~(uint32_t)MAILDROP_FLAGS)
		return refuse(err, "unknown flags");
	if (!is_plain(env->sender) || !is_plain(env->full_name) || !is_plain(env->envid) ||
	    !is_plain(env->ret) || !is_plain(env->orig_id) || !is_plain(env->verp))
		return refuse(err, "control characters in the envelope");
	return 0;
}

static int take_rcpt(struct maildrop_reader *r, const struct frame *frame, struct arena *arena,
    struct maildrop_rcpt *rcpt, struct err *err)
{
	if (r->sum.rcpt_count >= MAILDROP_RCPTS_MAX)
		return refuse(err, "too many recipients");
	r->sum.rcpt_count++;
	r->rcpt_bytes += frame->size;
	if (r->rcpt_bytes > MAILDROP_RCPT_BYTES_MAX)
		return refuse(err, "too many bytes of recipients");
	if (frame_decode(frame, &maildrop_rcpt_table, rcpt, arena, err) < 0)
		return -1;
	if (!is_plain(rcpt->address) || !is_plain(rcpt->orcpt))
		return refuse(err, "control characters in a recipient");
	return 0;
}

static int take(struct maildrop_reader *r, const struct frame *frame, struct arena *arena,
    struct maildrop_item *out, struct err *err)
{
	if (r->last == MAILDROP_END)
		return refuse(err, "something follows the end");
	if (!r->last && frame->type != MAILDROP_ENVELOPE)
		return refuse(err, "no envelope");
	switch (frame->type) {
	case MAILDROP_ENVELOPE:
		return take_envelope(r, frame, arena, &out->env, err);
	case MAILDROP_RCPT:
		return take_rcpt(r, frame, arena, &out->rcpt, err);
	case MAILDROP_CONTENT:
		if (frame->body_len == 0)
			return refuse(err, "an empty piece of content");
		out->content = slice_of(frame->body, frame->body_len);
		r->sum.content_len += frame->body_len;
		return 0;
	case MAILDROP_END:
		return check_end(r, frame, arena, err);
	default:
		return refuse(err, "a record of unknown type");
	}
}

int maildrop_next(
    struct maildrop_reader *r, struct arena *arena, struct maildrop_item *out, struct err *err)
{
	struct frame frame;
	int rc = peek(r, &frame, err);

	if (rc <= 0)
		return rc;
	*out = (struct maildrop_item){.type = frame.type};
	if (take(r, &frame, arena, out, err) < 0)
		return -1;
	r->sum.crc = crc32c(r->sum.crc, r->in.data + r->at, frame.size);
	r->last = frame.type;
	r->at += frame.size;
	return 1;
}

int maildrop_read(struct maildrop_reader *r, int fd, struct arena *arena, struct maildrop_item *out,
    struct err *err)
{
	char buf[MAILDROP_CHUNK];

	for (;;) {
		int rc = maildrop_next(r, arena, out, err);
		ssize_t n;

		if (rc != 0)
			return rc;
		do {
			n = read(fd, buf, sizeof(buf));
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			return err_sys(err, "read");
		if (n == 0)
			return 0;
		maildrop_feed(r, buf, (size_t)n);
	}
}

void maildrop_reader_fini(struct maildrop_reader *r)
{
	str_fini(&r->in);
	*r = (struct maildrop_reader){0};
}
