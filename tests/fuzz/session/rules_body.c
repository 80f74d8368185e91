/* SPDX-License-Identifier: ISC */
/* The content: where it ends, and that what is stored is what was sent. */
#include <string.h>

#include "lib/base/log.h"
#include "lib/shape/shape.h"
#include "lib/smtp/dot.h"
#include "tests/fuzz/session/rules.h"

void __real_dot_decoder_init(struct dot_decoder *d);
void __wrap_dot_decoder_init(struct dot_decoder *d);
size_t __real_dot_decode(struct dot_decoder *d, const char *in, size_t len, struct str *out);
size_t __wrap_dot_decode(struct dot_decoder *d, const char *in, size_t len, struct str *out);
struct shaper *__real_shape_begin(
    const struct shape_context *context, const char *id, const char *sender, const char *trace);
struct shaper *__wrap_shape_begin(
    const struct shape_context *context, const char *id, const char *sender, const char *trace);
void __real_shape_put(struct shaper *shaper, const char *data, size_t len);
void __wrap_shape_put(struct shaper *shaper, const char *data, size_t len);
struct queue_writer *__real_queue_writer_new(struct queue *queue, const char *id);
struct queue_writer *__wrap_queue_writer_new(struct queue *queue, const char *id);
int __real_queue_writer_put(struct queue_writer *w, const void *data, size_t len, struct err *err);
int __wrap_queue_writer_put(struct queue_writer *w, const void *data, size_t len, struct err *err);
int __real_queue_writer_commit(struct queue_writer **w, struct envelope *env, bool hold,
    struct location *loc_out, struct err *err);
int __wrap_queue_writer_commit(struct queue_writer **w, struct envelope *env, bool hold,
    struct location *loc_out, struct err *err);

static struct {
	struct str data;    /* raw, of the present DATA */
	struct str chunks;  /* raw, of all BDAT of the message */
	struct str written; /* the queue file */
	char last;          /* of it */
	bool committing;
} body;

void body_begin(void)
{
	str_fini(&body.data);
	str_fini(&body.chunks);
	str_fini(&body.written);
	memset(&body, 0, sizeof(body));
}

void body_committing(bool on)
{
	body.committing = on;
}

bool rules_clean(const char *text)
{
	for (; text && *text; text++)
		if (*text == '\r' || *text == '\n')
			return false;
	return true;
}

/* ---- the end of data ------------------------------------------------------------------------ */

void __wrap_dot_decoder_init(struct dot_decoder *d)
{
	str_clear(&body.data);
	str_put(&body.data, "\r\n", 2);
	__real_dot_decoder_init(d);
}

size_t __wrap_dot_decode(struct dot_decoder *d, const char *in, size_t len, struct str *out)
{
	static const char end[] = "\r\n.\r\n";
	const size_t end_len = sizeof(end) - 1;
	size_t used = __real_dot_decode(d, in, len, out);
	const char *first;

	str_put(&body.data, in, used);
	first = memmem(body.data.data, body.data.len, end, end_len);
	must(d->done == (first != NULL));
	must(!first || first == body.data.data + body.data.len - end_len);
	if (d->done) {
		seen.due++;
		seen.ends++;
	}
	return used;
}

/* ---- what is written ------------------------------------------------------------------------ */

struct shaper *__wrap_shape_begin(
    const struct shape_context *context, const char *id, const char *sender, const char *trace)
{
	const char *at = trace, *lf;

	for (; *at; at = lf + 1) {
		lf = strchr(at, '\n');
		must(lf && lf > at && lf[-1] == '\r');
		for (const char *p = at; p < lf - 1; p++)
			must((unsigned char)*p >= 32 || *p == '\t');
	}
	str_clear(&body.chunks);
	return __real_shape_begin(context, id, sender, trace);
}

void __wrap_shape_put(struct shaper *shaper, const char *data, size_t len)
{
	if (play.session.tx.shaper == shaper && play.session.tx.chunks != CHUNKS_NONE)
		str_put(&body.chunks, data, len);
	__real_shape_put(shaper, data, len);
}

/*
 * The lines as they are to be stored: of DATA the first dot of each is gone, with the line when it
 * was all of it; other line ends than CR LF have become CR LF, a CR for itself a blank.
 */
static void put_stored(struct str *out, struct slice raw, bool dots)
{
	while (raw.len > 0) {
		const char *lf = memchr(raw.data, '\n', raw.len);
		size_t len = lf ? (size_t)(lf - raw.data) : raw.len,
		       from = dots && *raw.data == '.';
		size_t end = lf && len > 0 && raw.data[len - 1] == '\r' ? len - 1 : len;

		if (from == 0 || end > from) {
			for (size_t i = from; i < end; i++)
				str_put_char(out, raw.data[i] == '\r' ? ' ' : raw.data[i]);
			str_put(out, "\r\n", 2);
		}
		len += lf != NULL;
		raw = slice_of(raw.data + len, raw.len - len);
	}
}

/* Behind the first empty line; nothing when there is none. */
static struct slice body_of(struct slice message)
{
	static const char empty[] = "\r\n\r\n";
	const char *at = NULL;
	size_t before;

	if (message.len >= 2 && memcmp(message.data, empty, 2) == 0)
		return slice_of(message.data + 2, message.len - 2);
	if (message.len > 0)
		at = memmem(message.data, message.len, empty, 4);
	before = at ? (size_t)(at + 4 - message.data) : message.len;
	return slice_of(message.data + before, message.len - before);
}

/* What the client sent as the body is the end of the queue file, byte by byte, unless it is edited.
 */
static void look_at_body(const struct session *s)
{
	bool dots = s->tx.chunks == CHUNKS_NONE;
	const struct shape_params *shape = s->srv->shape;
	struct slice raw = slice_of(str_text(&body.chunks), body.chunks.len), text;
	struct str stored = {0};

	if (*shape->body_checks || *shape->nested_header_checks)
		return;
	if (dots) /* without the line end that we put before it, and the end */
		raw = slice_of(body.data.data + 2, body.data.len - 5);
	put_stored(&stored, raw, dots);
	text = body_of(slice_of(str_text(&stored), stored.len));
	if (text.len > 0 &&
	    !(shape->message_strip_characters[0] && memchr(text.data, '\0', text.len))) {
		must(text.len <= body.written.len);
		must(memcmp(body.written.data + body.written.len - text.len, text.data, text.len) ==
		     0);
	}
	str_fini(&stored);
}

struct queue_writer *__wrap_queue_writer_new(struct queue *queue, const char *id)
{
	body.last = '\n';
	str_clear(&body.written);
	return __real_queue_writer_new(queue, id);
}

/* No line end but CR LF: what we store splits no message at the next server. */
int __wrap_queue_writer_put(struct queue_writer *w, const void *data, size_t len, struct err *err)
{
	const char *p = data;

	for (size_t i = 0; i < len; i++) {
		must((p[i] == '\n') == (body.last == '\r'));
		body.last = p[i];
	}
	str_put(&body.written, data, len);
	return __real_queue_writer_put(w, data, len, err);
}

int __wrap_queue_writer_commit(struct queue_writer **w, struct envelope *env, bool hold,
    struct location *loc_out, struct err *err)
{
	must(body.last == '\n');
	if (body.committing)
		look_at_body(&play.session);
	must(rules_clean(env->sender) && rules_clean(env->sender_orig) && rules_clean(env->helo) &&
	     rules_clean(env->client_name) && rules_clean(env->sasl_username) &&
	     rules_clean(env->envid) && rules_clean(env->filter));
	for (size_t i = 0; i < env->rcpt_count; i++)
		must(rules_clean(env->rcpts[i].address) && rules_clean(env->rcpts[i].nexthop) &&
		     rules_clean(env->rcpts[i].transport));
	return __real_queue_writer_commit(w, env, hold, loc_out, err);
}
