/* SPDX-License-Identifier: ISC */
#include "local/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/mail/header.h"
#include "lib/sys/fd.h"

enum { CHUNK = 64 * 1024, HELD_MAX = 8, TRACE_MAX = 256 * 1024 };

static const char from_word[] = "From ";
enum { FROM_LEN = sizeof(from_word) - 1 };

void content_init(struct content *c, const struct message *m, bool quote)
{
	memset(c, 0, sizeof(*c));
	c->m = m;
	c->quote = quote;
	c->line_start = true;
	c->last_lf = true;
	c->in = alloc(CHUNK + HELD_MAX);
}

void content_fini(struct content *c)
{
	free(c->in);
	c->in = NULL;
}

/* At a line start: could in[0..len) still become "From "? */
static bool from_undecided(const char *in, size_t len)
{
	return len < FROM_LEN && !memcmp(in, from_word, len);
}

size_t content_convert(struct content *c, const char *in, size_t len, bool end, struct str *out)
{
	size_t at = 0, run;

	while (at < len) {
		const char *lf;

		if (c->line_start && c->quote) {
			if (!end && from_undecided(in + at, len - at))
				break;
			if (len - at >= FROM_LEN && !memcmp(in + at, from_word, FROM_LEN))
				str_put_char(out, '>');
		}
		c->line_start = false;
		lf = memchr(in + at, '\n', len - at);
		run = lf ? (size_t)(lf - in) - at : len - at;
		if (lf) {
			if (run > 0 && lf[-1] == '\r')
				str_put(out, in + at, run - 1);
			else
				str_put(out, in + at, run);
			str_put_char(out, '\n');
			at += run + 1;
			c->line_start = true;
			continue;
		}
		/* A CR at the very end may belong to an LF that is still to come. */
		if (!end && in[len - 1] == '\r')
			run--;
		str_put(out, in + at, run);
		at += run;
		break;
	}
	if (out->len)
		c->last_lf = out->data[out->len - 1] == '\n';
	return at;
}

int content_next(struct content *c, struct str *out)
{
	uint64_t left = c->m->content_len - c->at;
	size_t want = left < CHUNK ? (size_t)left : CHUNK, used;
	ssize_t got = 0;

	str_clear(out);
	if (want == 0 && c->held == 0)
		return 0;
	if (want) {
		got = fd_pread_full(
		    c->m->fd, c->in + c->held, want, (off_t)(c->m->content_at + c->at));
		if (got < 0)
			return -1;
		if ((size_t)got < want) {
			errno = EIO; /* the record is shorter than it says */
			return -1;
		}
		c->at += want;
	}
	c->held += want;
	used = content_convert(c, c->in, c->held, c->at == c->m->content_len, out);
	memmove(c->in, c->in + used, c->held - used);
	c->held -= used;
	return 1;
}

/* ---- headers ------------------------------------------------------------------------------ */

static void note_delivered(
    struct content_trace *out, size_t *cap, struct slice value, struct arena *arena)
{
	char *address;

	if (out->delivered_count == *cap) {
		size_t next = *cap ? 2 * *cap : 8;
		const char **more = arena_zero(arena, next, sizeof(*more));

		if (out->delivered_count)
			memcpy(more, out->delivered, out->delivered_count * sizeof(*more));
		out->delivered = more;
		*cap = next;
	}
	value = slice_trim(value);
	address = arena_strndup(arena, value.data, value.len);
	text_lower(address);
	out->delivered[out->delivered_count++] = address;
}

int content_trace(const struct message *m, struct arena *arena, struct content_trace *out)
{
	size_t want = m->content_len < TRACE_MAX ? (size_t)m->content_len : TRACE_MAX;
	size_t have = want < CHUNK / 8 ? want : CHUNK / 8, at = 0, cap = 0;
	struct header h;
	char *block;

	memset(out, 0, sizeof(*out));
	if (want == 0)
		return 0;
	/* Most headers fit in the first 8 KiB; only if they do not end there is more read. */
	for (;; have = want) {
		block = arena_alloc(arena, have);
		if (fd_pread_full(m->fd, block, have, (off_t)m->content_at) != (ssize_t)have)
			return -1;
		if (have == want || memmem(block, have, "\n\r\n", 3))
			break;
	}
	while (header_next(slice_of(block, have), &at, &h)) {
		if (header_is(&h, "Received"))
			out->hops++;
		else if (header_is(&h, "Delivered-To"))
			note_delivered(out, &cap, h.value, arena);
	}
	return 0;
}

bool content_was_delivered_to(const struct content_trace *trace, const char *address)
{
	for (size_t i = 0; i < trace->delivered_count; i++)
		if (text_eq_nocase(trace->delivered[i], address))
			return true;
	return false;
}
