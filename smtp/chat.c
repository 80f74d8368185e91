/* SPDX-License-Identifier: ISC */
#include "smtp/session.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/smtp/command.h"
#include "lib/sys/clock.h"
#include "lib/table/table.h"

/*
 * Replies are taken straight from the stream's buffer. A server can neither keep us with a line
 * that never ends nor with a reply that never ends: the bytes of one reply, its lines and its time
 * are bounded: the time by the limit itself with smtp_per_request_deadline, else that is for each
 * wait, and twice that for all.
 */

enum { LENIENCE = 2 };

static enum chat_result read_more(struct session *s)
{
	switch (stream_fill(&s->stream)) {
	case IO_OK:
		return CHAT_OK;
	case IO_TIMEOUT:
		return CHAT_TIMEOUT;
	default:
		return CHAT_LOST;
	}
}

/* What smtp_reply_filter makes of a line; *storage may hold it. false: the table failed. */
static bool filter_line(struct session *s, struct slice *line, struct str *storage)
{
	struct table_chain *filter = s->client->reply_filter;
	struct str key = {0};
	enum table_answer answer;
	struct err err;

	str_put(&key, line->data, line->len);
	answer = table_chain_get(filter, str_text(&key), storage, &err);
	if (answer == TABLE_FOUND) {
		log_info("%s: replacing server reply \"%s\" with \"%s\"", s->name, str_text(&key),
		    str_text(storage));
		*line = slice_of(storage->data, storage->len);
	} else if (answer == TABLE_ERROR) {
		log_warn("%s: smtp_reply_filter: %s", s->name, err.text);
	}
	str_fini(&key);
	return answer != TABLE_ERROR;
}

/* A line that is no reply is passed over: some servers talk before they greet. */
static void note_garbage(struct session *s, struct slice line)
{
	struct str text = {0};

	transcript_trouble(s->transcript, CLASS_PROTOCOL);
	if (s->garbage++ > 0)
		return;
	/* the peer's bytes, cut and made harmless */
	str_put(&text, line.data, MIN(line.len, 100));
	text_make_printable(text.data, text.len);
	log_warn("%s: not an SMTP reply: %s", s->name, str_text(&text));
	str_fini(&text);
}

/* The first CHAT_LINE_MAX bytes of a line count; what lies behind them is dropped. */
static bool take_line(struct session *s, struct slice line)
{
	struct str storage = {0};
	bool good = true;

	line.len = MIN(line.len, CHAT_LINE_MAX);
	while (line.len && (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == ' '))
		line.len--;
	if (!table_chain_empty(s->client->reply_filter))
		good = filter_line(s, &line, &storage);
	if (good && smtp_reply_line(&s->reply, line) < 0) {
		note_garbage(s, line);
		good = s->garbage + s->reply.line_count < SMTP_REPLY_MAX_LINES;
	}
	str_fini(&storage);
	return good;
}

static enum chat_result read_reply(struct session *s)
{
	size_t left = CHAT_REPLY_BYTES_MAX;
	bool skipping = false; /* the rest of a long line */

	smtp_reply_reset(&s->reply);
	s->garbage = 0;
	while (!s->reply.complete || skipping) {
		struct slice have = stream_buffered(&s->stream);
		const char *lf = have.len ? memchr(have.data, '\n', have.len) : NULL;
		size_t len = lf ? (size_t)(lf - have.data) : have.len;

		if (!lf && (skipping || len < CHAT_LINE_MAX)) {
			enum chat_result result;

			if (skipping) {
				left -= MIN(left, len);
				stream_take(&s->stream, len);
			}
			result = left ? read_more(s) : CHAT_NONSENSE;
			if (result != CHAT_OK) /* after garbage, that is what went wrong */
				return s->garbage ? CHAT_NONSENSE : result;
			continue;
		}
		if (!skipping && !take_line(s, slice_of(have.data, len)))
			return CHAT_NONSENSE;
		skipping = !lf;
		len += lf != NULL;
		if (len >= left)
			return CHAT_NONSENSE;
		left -= len;
		stream_take(&s->stream, len);
	}
	return CHAT_OK;
}

/* Each line of the text, as who looks for a fault wants to see it (debug_peer_list, -v). */
static void show(const struct session *s, char direction, const struct str *text, bool secret)
{
	const char *at = str_text(text), *end = at + text->len;

	while (log_verbose() > 0 && at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		const char *stop = lf ? lf : end;
		struct slice line = slice_of(at, (size_t)(stop - at));

		if (line.len && line.data[line.len - 1] == '\r')
			line.len--;
		line = secret ? slice_text("[response]") : smtp_command_shown(line);
		log_debug("%c %s: %.*s", direction, s->relay, SLICE_ARG(line));
		at = stop + 1;
	}
}

void session_show_commands(const struct session *s)
{
	show(s, '>', &s->stream.out, s->reply.code == 334);
}

enum chat_result session_reply(struct session *s, int timeout_s)
{
	enum chat_result result;

	if (s->dead)
		return CHAT_LOST;
	if (!s->in_content) {
		transcript_out(s->transcript, str_text(&s->stream.out), s->stream.out.len);
		session_show_commands(s);
	}
	s->in_content = false;
	s->stream.timeout_ms = clock_ms_of(timeout_s);
	s->stream.deadline_ms =
	    clock_mono_ms() +
	    clock_ms_of(timeout_s) * (s->client->params->per_request_deadline ? 1 : LENIENCE);
	if (s->give_up_ms)
		s->stream.deadline_ms = MIN(s->stream.deadline_ms, s->give_up_ms);
	result = read_reply(s);
	s->stream.deadline_ms = 0;
	if (result != CHAT_OK) {
		s->dead = true;
		transcript_note(s->transcript, "(no answer)");
		log_debug("< %s: (no answer)", s->relay);
		return result;
	}
	transcript_in(s->transcript, str_text(&s->reply.text), s->reply.text.len);
	show(s, '<', &s->reply.lines, false);
	if (!s->reply.dsn[0])
		snprintf(s->reply.dsn, sizeof(s->reply.dsn), "%c.0.0",
		    "012345"[s->reply.code / 100 % 6]);
	if (s->reply.code == 421)
		s->spent = true;
	return CHAT_OK;
}

void session_trouble(const struct session *s, enum chat_result result, const char *doing,
    struct arena *arena, struct trouble *out)
{
	switch (result) {
	case CHAT_TIMEOUT:
		trouble_set(
		    out, arena, "4.4.2", "conversation with %s timed out while %s", s->name, doing);
		break;
	case CHAT_NONSENSE:
		transcript_trouble(s->transcript, CLASS_PROTOCOL);
		trouble_set(out, arena, "4.5.0", "protocol error: %s does not speak SMTP while %s",
		    s->name, doing);
		break;
	default:
		trouble_set(
		    out, arena, "4.4.2", "lost connection with %s while %s", s->name, doing);
	}
	out->mta = arena_strdup(arena, s->host);
	out->site = true;
	out->silent = result == CHAT_TIMEOUT;
}

void session_refusal(
    const struct session *s, const char *command, struct arena *arena, struct trouble *out)
{
	const char *text = str_text(&s->reply.text);
	int code = s->reply.code;

	/* answers that speak of commands, not of mail: one of the two does not know SMTP */
	if (code < 400 || (code >= 500 && code < 510) || code == 555)
		transcript_trouble(s->transcript, CLASS_PROTOCOL);
	trouble_set(out, arena, s->reply.dsn, "host %s said: %.1500s (in reply to %s)", s->name,
	    text, command);
	out->soft = s->reply.code / 100 != 5;
	if (out->dsn[0] != '4' && out->dsn[0] != '5') {
		/* a positive answer where none was possible */
		snprintf(out->dsn, sizeof(out->dsn), "4.5.0");
		out->soft = true;
	}
	out->diag = arena_printf(arena, "smtp; %.1500s", text);
	out->mta = arena_strdup(arena, s->host);
	out->site = s->reply.code == 421;
}
