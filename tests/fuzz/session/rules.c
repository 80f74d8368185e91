/* SPDX-License-Identifier: ISC */
/*
 * What holds in each session, whatever the client sends: seen at the seams between smtpd's modules
 * and the libraries below them, with other means than theirs.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/io/stream.h"
#include "lib/shape/shape.h"
#include "lib/smtp/dot.h"
#include "lib/tls/session.h"
#include "tests/fuzz/session/play.h"

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
enum io_result __real_stream_put(struct stream *s, const void *data, size_t len);
enum io_result __wrap_stream_put(struct stream *s, const void *data, size_t len);
enum io_result __real_stream_read_line(
    struct stream *s, struct str *line, size_t limit, bool keep_cr);
enum io_result __wrap_stream_read_line(
    struct stream *s, struct str *line, size_t limit, bool keep_cr);
void __real_dot_decoder_init(struct dot_decoder *d);
void __wrap_dot_decoder_init(struct dot_decoder *d);
size_t __real_dot_decode(struct dot_decoder *d, const char *in, size_t len, struct str *out);
size_t __wrap_dot_decode(struct dot_decoder *d, const char *in, size_t len, struct str *out);
bool __real_transaction_commit(struct session *s, struct str *reply);
bool __wrap_transaction_commit(struct session *s, struct str *reply);
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
void __real_transcript_in(struct transcript *t, const char *text, size_t len);
void __wrap_transcript_in(struct transcript *t, const char *text, size_t len);
enum tls_start __real_tls_server_start(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct tls_session **out, struct err *err);
enum tls_start __wrap_tls_server_start(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct tls_session **out, struct err *err);

enum { LOG_NOWHERE = 999999 };

static struct {
	unsigned replies, due;   /* said, and to be said before the next line is read */
	char open_code[4];       /* of a reply of several lines that is not over; "" : none */
	unsigned commits, ends;  /* messages taken, and ends of messages that the client sent */
	unsigned commits_before; /* the line that was read last */
	bool fresh_tls, xclient;
	struct str data;    /* raw, of the present DATA */
	struct str chunks;  /* raw, of all BDAT of the message */
	struct str written; /* the queue file */
	char last;          /* of it */
	bool committing;
} seen;

static void forget(void)
{
	str_fini(&seen.data);
	str_fini(&seen.chunks);
	str_fini(&seen.written);
}

void rules_begin(void)
{
	forget();
	memset(&seen, 0, sizeof(seen));
	seen.due = 1;
}

void rules_end(void)
{
	/* a farewell that nobody asked for may stand at the end; lost clients hear less */
	must(seen.replies <= seen.due + 1);
	must(seen.open_code[0] == '\0');
	must(seen.commits <= seen.ends);
	forget();
}

static bool is_ours(const struct stream *s)
{
	return play.running && s == &play.session.stream;
}

/* ---- the log -------------------------------------------------------------------------------- */

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	const unsigned char *p = data;
	const char *text;

	if (fd != LOG_NOWHERE)
		return __real_write(fd, data, len);
	/* our own settings have to be right */
	if (!play.running &&
	    (memmem(data, len, "]: error: ", 10) || memmem(data, len, "unknown smtpd", 13))) {
		__real_write(STDERR_FILENO, data, len);
		abort();
	}
	text = memmem(data, len, "]: ", 3);
	if (text && strncmp(text, "]: panic: ", 10) == 0)
		__real_write(STDERR_FILENO, data, len);
	must(len > 1 && p[len - 1] == '\n');
	/* lines that were held come together: each begins with the date */
	for (size_t i = 0; i + 1 < len; i++)
		must((p[i] >= 32 && p[i] != 127) ||
		     (p[i] == '\n' && len - i > 7 && memcmp(p + i + 1, p, 7) == 0));
	return (ssize_t)len;
}

/* ---- replies and commands ------------------------------------------------------------------- */

static void look_at_reply_line(const char *line, size_t len)
{
	must(len >= 3 && line[0] >= '2' && line[0] <= '5');
	for (int i = 1; i < 3; i++)
		must(line[i] >= '0' && line[i] <= '9');
	for (size_t i = 0; i < len; i++)
		must((unsigned char)line[i] >= 32 && line[i] != 127);
	must(len == 3 || line[3] == ' ' || line[3] == '-');
	must(!seen.open_code[0] || memcmp(seen.open_code, line, 3) == 0);
	if (len > 3 && line[3] == '-') {
		memcpy(seen.open_code, line, 3);
	} else {
		seen.open_code[0] = '\0';
		seen.replies++;
	}
}

enum io_result __wrap_stream_put(struct stream *s, const void *data, size_t len)
{
	const char *at = data, *end = at + len, *lf;

	if (is_ours(s)) {
		while (at < end) {
			lf = memchr(at, '\n', (size_t)(end - at));
			must(lf && lf > at && lf[-1] == '\r');
			look_at_reply_line(at, (size_t)(lf - 1 - at));
			at = lf + 1;
		}
	}
	return __real_stream_put(s, data, len);
}

/* RFC 3207 4.2: what was said before TLS is forgotten. */
static void look_behind_tls(const struct session *s)
{
	must(!s->helo && !s->login && !s->tx.active && s->tx.rcpt_count == 0);
	seen.fresh_tls = false;
}

/* Nobody is logged in but by the authentication server, or a trusted front end's word. */
static void look_at_login(const struct session *s)
{
	const struct smtpd_auth_params *auth = &s->srv->config->auth;

	if (s->login && !seen.xclient)
		must(auth->enable && (auth->type != AUTH_DOVECOT || play.logins > 0));
}

static bool begins_with(const struct str *line, const char *word)
{
	size_t len = strlen(word);
	const char *text = str_text(line);

	while (*text == ' ' || *text == '\t')
		text++;
	return strncasecmp(text, word, len) == 0;
}

enum io_result __wrap_stream_read_line(
    struct stream *s, struct str *line, size_t limit, bool keep_cr)
{
	enum io_result result;

	if (!is_ours(s))
		return __real_stream_read_line(s, line, limit, keep_cr);
	must(seen.replies == seen.due && !seen.open_code[0]);
	must(seen.commits <= seen.commits_before + 1);
	seen.commits_before = seen.commits;
	if (seen.fresh_tls)
		look_behind_tls(&play.session);
	look_at_login(&play.session);
	result = __real_stream_read_line(s, line, limit, keep_cr);
	if (result == IO_OK || result == IO_LONG) {
		seen.due++;
		/* a command filter may make BDAT of other words */
		seen.ends += begins_with(line, "BDAT") || begins_with(line, "X-");
		seen.xclient |= begins_with(line, "XCLIENT") || begins_with(line, "X-");
	}
	return result;
}

/* Of AUTH a postmaster gets to see the mechanism and nothing more. */
void __wrap_transcript_in(struct transcript *t, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	int words = 0;

	while (at < end) {
		const char *word = at;

		while (at < end && *at != ' ' && *at != '\t')
			at++;
		if (at > word && words++ == 0 &&
		    (at - word != 4 || strncasecmp(word, "AUTH", 4) != 0))
			break;
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
	}
	must(words <= 2);
	__real_transcript_in(t, text, len);
}

enum tls_start __wrap_tls_server_start(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct tls_session **out, struct err *err)
{
	enum tls_start result;

	client_tls();
	result = __real_tls_server_start(context, stream, config, out, err);
	if (result == TLS_STARTED) {
		must(stream_buffered(stream).len == 0);
		seen.fresh_tls = true;
	}
	return result;
}

/* ---- the end of data ------------------------------------------------------------------------ */

void __wrap_dot_decoder_init(struct dot_decoder *d)
{
	str_clear(&seen.data);
	str_put(&seen.data, "\r\n", 2);
	__real_dot_decoder_init(d);
}

size_t __wrap_dot_decode(struct dot_decoder *d, const char *in, size_t len, struct str *out)
{
	static const char end[] = "\r\n.\r\n";
	const size_t end_len = sizeof(end) - 1;
	size_t used = __real_dot_decode(d, in, len, out);
	const char *first;

	str_put(&seen.data, in, used);
	first = memmem(seen.data.data, seen.data.len, end, end_len);
	must(d->done == (first != NULL));
	must(!first || first == seen.data.data + seen.data.len - end_len);
	if (d->done) {
		seen.due++;
		seen.ends++;
	}
	return used;
}

/* ---- what is accepted ----------------------------------------------------------------------- */

static bool is_clean(const char *text)
{
	for (; text && *text; text++)
		if (*text == '\r' || *text == '\n')
			return false;
	return true;
}

/* Is mail for this address ours to take, from anybody? */
static bool is_for_us(const char *address)
{
	static const char *const ours[] = {"example.test", "relay.example", "mx.example.test",
	    "alias.example", "[127.0.0.1]", "[IPv6:::1]"};
	const char *at = strrchr(address, '@');
	const char *local_end = at ? at : address + strlen(address);

	for (const char *p = address; p < local_end; p++)
		if (*p == '@' || *p == '%' || *p == '!')
			return false;
	if (!at)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		const char *domain = at + 1;
		size_t extra = strlen(domain) - MIN(strlen(domain), strlen(ours[i]));

		if (strcasecmp(domain + extra, ours[i]) == 0 &&
		    (extra == 0 || domain[extra - 1] == '.'))
			return true;
	}
	return false;
}

static bool may_relay(struct session *s)
{
	return strncmp(s->peer.addr, "127.", 4) == 0 || s->login;
}

bool __wrap_transaction_commit(struct session *s, struct str *reply)
{
	bool accepted;

	must(s->tx.active && s->tx.rcpt_count > 0);
	must(is_clean(s->tx.sender.address));
	for (size_t i = 0; i < s->tx.rcpt_count; i++) {
		const struct recipient *rcpt = &s->tx.rcpts[i];

		must(is_clean(rcpt->address) && is_clean(rcpt->orig) && is_clean(rcpt->orcpt));
		if (!may_relay(s) && !s->tx.actions.discard && !is_for_us(rcpt->address))
			panic("relayed for %s: <%s>", s->peer.namaddr, rcpt->address);
	}
	seen.committing = true;
	accepted = __real_transaction_commit(s, reply);
	seen.committing = false;
	seen.commits += accepted;
	must(seen.commits <= seen.ends);
	return accepted;
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
	str_clear(&seen.chunks);
	return __real_shape_begin(context, id, sender, trace);
}

void __wrap_shape_put(struct shaper *shaper, const char *data, size_t len)
{
	if (play.session.tx.shaper == shaper && play.session.tx.chunks != CHUNKS_NONE)
		str_put(&seen.chunks, data, len);
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
	struct slice raw = slice_of(str_text(&seen.chunks), seen.chunks.len), body;
	struct str stored = {0};

	if (*shape->body_checks || *shape->nested_header_checks)
		return;
	if (dots) /* without the line end that we put before it, and the end */
		raw = slice_of(seen.data.data + 2, seen.data.len - 5);
	put_stored(&stored, raw, dots);
	body = body_of(slice_of(str_text(&stored), stored.len));
	if (body.len > 0 &&
	    !(shape->message_strip_characters[0] && memchr(body.data, '\0', body.len))) {
		must(body.len <= seen.written.len);
		must(memcmp(seen.written.data + seen.written.len - body.len, body.data, body.len) ==
		     0);
	}
	str_fini(&stored);
}

struct queue_writer *__wrap_queue_writer_new(struct queue *queue, const char *id)
{
	seen.last = '\n';
	str_clear(&seen.written);
	return __real_queue_writer_new(queue, id);
}

/* No line end but CR LF: what we store splits no message at the next server. */
int __wrap_queue_writer_put(struct queue_writer *w, const void *data, size_t len, struct err *err)
{
	const char *p = data;

	for (size_t i = 0; i < len; i++) {
		must((p[i] == '\n') == (seen.last == '\r'));
		seen.last = p[i];
	}
	str_put(&seen.written, data, len);
	return __real_queue_writer_put(w, data, len, err);
}

int __wrap_queue_writer_commit(struct queue_writer **w, struct envelope *env, bool hold,
    struct location *loc_out, struct err *err)
{
	must(seen.last == '\n');
	if (seen.committing)
		look_at_body(&play.session);
	must(is_clean(env->sender) && is_clean(env->sender_orig) && is_clean(env->helo) &&
	     is_clean(env->client_name) && is_clean(env->sasl_username) && is_clean(env->envid) &&
	     is_clean(env->filter));
	for (size_t i = 0; i < env->rcpt_count; i++)
		must(is_clean(env->rcpts[i].address) && is_clean(env->rcpts[i].nexthop) &&
		     is_clean(env->rcpts[i].transport));
	return __real_queue_writer_commit(w, env, hold, loc_out, err);
}
