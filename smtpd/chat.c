/* SPDX-License-Identifier: ISC */
/* The dialogue's two directions: replies out, command lines in. */
#include "smtpd/footer.h"

#include <malloc.h>
#include <poll.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/smtp/command.h"
#include "lib/sys/clock.h"

/* Without a per-request deadline a request may still not trickle in for ever. */
enum { LENIENT_FACTOR = 2, LENIENT_RATE_DIVISOR = 50 };
/* A client that is silent for so long gets its buffers taken away. */
enum { SILENCE_MS = 1000 };
/* How often one is looked at then: may it stay silent, while others wait for a process? */
enum { LOOK_MS = 2000 };

void chat_failed(struct session *s, enum io_result why)
{
	if (s->end == END_NONE)
		s->end = why == IO_TIMEOUT ? END_TIMEOUT : END_LOST;
}

/*
 * The deadline of a request is smtpd_timeout from its beginning; bytes received earn time at
 * smtpd_min_data_rate. When smtpd_per_request_deadline is off both are far more generous, so that
 * only a client that does it on purpose is cut off.
 */
void chat_deadline(struct session *s, size_t bytes_received)
{
	bool strict = s->params->per_request_deadline;
	int64_t budget = (int64_t)s->params->timeout * 1000 * (strict ? 1 : LENIENT_FACTOR);
	int64_t rate =
	    strict ? s->params->min_data_rate : s->params->min_data_rate / LENIENT_RATE_DIVISOR + 1;
	int64_t latest = clock_mono_ms() + budget;

	if (bytes_received == 0)
		s->stream.deadline_ms = latest;
	else
		s->stream.deadline_ms =
		    MIN(latest, s->stream.deadline_ms + (int64_t)bytes_received * 1000 / rate);
}

/* soft_bounce: permanent refusals become temporary ones. */
static void soften(char *text, size_t len)
{
	if (len < 4 || text[0] != '5')
		return;
	text[0] = '4';
	if (len > 5 && text[4] == '5' && text[5] == '.')
		text[4] = '4';
}

/* RFC 5321 3.8 and 4.2.1, RFC 7504: the client hears this and nothing more. */
static bool ends_session(const char *reply)
{
	return strncmp(reply, "421", 3) == 0 || strncmp(reply, "521", 3) == 0;
}

void chat_reply(struct session *s, const char *fmt, ...)
{
	enum io_result result;
	va_list ap;

	if (s->errors >= s->params->soft_error_limit && s->params->error_sleep_time > 0) {
		log_let_out();
		poll(NULL, 0, clock_ms_of(s->params->error_sleep_time));
	}
	if (s->stream.failed)
		return;
	str_clear(&s->scratch);
	va_start(ap, fmt);
	str_vprintf(&s->scratch, fmt, ap);
	va_end(ap);
	text_make_printable(s->scratch.data, s->scratch.len);
	if (s->srv->config->core->soft_bounce)
		soften(s->scratch.data, s->scratch.len);
	if (s->end == END_NONE && s->scratch.len >= 3 &&
	    (!memcmp(s->scratch.data, "421", 3) || !memcmp(s->scratch.data, "521", 3)))
		s->end = END_ORDERLY;
	log_debug("> %s: %s", s->peer.namaddr, str_text(&s->scratch));
	footer_put(s, &s->scratch);
	transcript_out(s->srv->transcript, s->scratch.data, s->scratch.len);
	str_put(&s->scratch, "\r\n", 2);
	result = stream_put(&s->stream, s->scratch.data, s->scratch.len);
	if (result == IO_OK && ends_session(s->scratch.data) && s->end == END_NONE)
		s->end = END_ORDERLY;
	if (result != IO_OK)
		chat_failed(s, result);
}

static void trim_line(struct str *line)
{
	size_t len = line->len;

	while (len > 0 && line->data[len - 1] == '\r')
		len--;
	str_cut(line, len);
}

bool chat_bare_lf_refused(struct session *s)
{
	struct err err;

	return s->params->forbid_bare_newline == BARE_NEWLINE_REJECT &&
	       match_list_host(s->srv->bare_newline_exclusions, s->peer.name, s->peer.addr, &err) !=
	           TABLE_FOUND;
}

static void give_memory_back(struct session *s)
{
	stream_shrink(&s->stream);
	str_fini(&s->data);
	queue_trim(s->srv->queue);
	malloc_trim(0);
}

/*
 * How long it may be silent, and when to look at that again. A session that began before the
 * process limit was reached does not keep its process from others for longer than later ones.
 */
static int silence_allowed_ms(const struct session *s, int normal_ms, int *look_ms_out)
{
	int stressed_ms = clock_ms_of(s->srv->stress.timeout);

	if (stressed_ms >= normal_ms || !s->srv->service) {
		*look_ms_out = normal_ms;
		return normal_ms;
	}
	*look_ms_out = LOOK_MS;
	return service_under_stress(s->srv->service) ? stressed_ms : normal_ms;
}

static enum io_result wait_in_silence(struct session *s)
{
	int64_t began_ms = clock_mono_ms(), silent_ms = 0;
	int timeout_ms = s->stream.timeout_ms, look_ms = SILENCE_MS;
	int allowed_ms = timeout_ms;
	enum io_result result;

	for (;;) {
		s->stream.timeout_ms = (int)MIN(allowed_ms - silent_ms, look_ms);
		result = stream_wait(&s->stream, POLLIN);
		if (result != IO_TIMEOUT)
			break;
		if (silent_ms == 0)
			give_memory_back(s);
		silent_ms = clock_mono_ms() - began_ms;
		allowed_ms = silence_allowed_ms(s, timeout_ms, &look_ms);
		if (silent_ms >= allowed_ms || began_ms + silent_ms >= s->stream.deadline_ms)
			break;
	}
	s->stream.timeout_ms = timeout_ms;
	return result;
}

/* What TLS holds back makes no descriptor readable; a file or a test's stream is just read. */
static bool must_wait(struct stream *stream)
{
	return !stream->ops || (stream->ops->readable && !stream_readable(stream));
}

void chat_flush(struct session *s)
{
	struct pollfd room = {.fd = s->stream.fd, .events = POLLOUT};
	enum io_result result;

	if (stream_buffered(&s->stream).len > 0 || s->stream.failed || poll(&room, 1, 0) != 1)
		return;
	result = stream_flush(&s->stream);
	if (result != IO_OK)
		chat_failed(s, result);
}

/*
 * Replies go out when the client has nothing more in the pipeline. A client that stays silent for
 * a while costs no buffer memory.
 */
static bool wait_for_command(struct session *s)
{
	enum io_result result;

	if (stream_buffered(&s->stream).len > 0)
		return true;
	result = stream_flush(&s->stream);
	if (result == IO_OK && must_wait(&s->stream))
		result = wait_in_silence(s);
	if (result != IO_OK)
		chat_failed(s, result);
	return result == IO_OK;
}

/*
 * A line into s->line, within the time of a request. secret: nobody else is to see it; and the
 * limit of a response, as Postfix has it, is not reached by a good one.
 */
static enum chat_line read_line(struct session *s, size_t limit, bool secret)
{
	enum chat_line kind = CHAT_LINE;
	enum io_result result;
	struct slice shown;

	chat_deadline(s, 0);
	if (!wait_for_command(s))
		return CHAT_GONE;
	result = stream_read_line(&s->stream, &s->line, limit - secret, true);
	if (result == IO_LONG) {
		str_clear(&s->scratch);
		shown = smtp_command_shown(slice_of(s->line.data, s->line.len));
		chat_escape(&s->scratch, slice_of(shown.data, MIN(shown.len, 30)), 30);
		log_warn("%s: request longer than %zu: %s...", s->peer.namaddr, limit,
		    secret ? "" : str_text(&s->scratch));
		kind = CHAT_LONG;
	} else if (result != IO_OK) {
		chat_failed(s, result);
		return CHAT_GONE;
	} else if ((s->line.len == 0 || s->line.data[s->line.len - 1] != '\r') &&
	           chat_bare_lf_refused(s)) {
		access_refuse_bare_lf(s);
		if (s->end == END_NONE)
			s->end = END_ORDERLY;
		return CHAT_GONE;
	}
	trim_line(&s->line);
	if (secret)
		str_cut(&s->line, strnlen(str_text(&s->line), s->line.len));
	shown = secret ? slice_text("[response]")
	               : smtp_command_shown(slice_of(str_text(&s->line), s->line.len));
	log_debug("< %s: %.*s", s->peer.namaddr, SLICE_ARG(shown));
	transcript_in(s->srv->transcript, shown.data, shown.len);
	return kind;
}

bool chat_read(struct session *s)
{
	return read_line(s, (size_t)s->srv->config->core->line_length_limit, false) != CHAT_GONE;
}

enum chat_line chat_response(struct session *s, size_t limit)
{
	return read_line(s, limit, true);
}

void chat_escape(struct str *out, struct slice text, size_t max)
{
	static const char plain[] = "\a\b\f\n\r\t\v\\";
	static const char letter[] = "abfnrtv\\";

	for (size_t i = 0; i < text.len && out->len < max; i++) {
		unsigned char c = (unsigned char)text.data[i];
		const char *special = c ? strchr(plain, c) : NULL;

		if (special)
			str_printf(out, "\\%c", letter[special - plain]);
		else if (c >= 32 && c < 127)
			str_put_char(out, (char)c);
		else
			str_printf(out, "\\%03o", c);
	}
}

bool chat_utf8_valid(struct slice text)
{
	while (text.len > 0) {
		size_t n = text_utf8_len(text);

		if (n == 0)
			return false;
		text = slice_of(text.data + n, text.len - n);
	}
	return true;
}
