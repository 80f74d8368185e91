/* SPDX-License-Identifier: ISC */
/*
 * What a line is can be said after its first seven bytes (">From x"), so these are collected; the
 * rest of a line passes through, but for a CR at the end of a piece, which waits for what follows.
 */
#include "commands/sendmail/text_filter.h"

#include <string.h>

enum { HEAD_ENOUGH = 7 };

void text_filter_init(struct text_filter *f, bool dot_ends, bool drop_from)
{
	*f = (struct text_filter){.dot_ends = dot_ends, .drop_from = drop_from};
}

static void pass(struct text_filter *f, const char *data, size_t len, struct str *out)
{
	bool ends = len > 0 && data[len - 1] == '\n';

	if (f->skipping) {
		f->skipping = !ends;
		return;
	}
	if (f->pending_cr && !(len == 1 && ends))
		str_put_char(out, '\r');
	f->pending_cr = false;
	f->open_line = !ends;
	if (ends && len > 1 && data[len - 2] == '\r') {
		str_put(out, data, len - 2);
		str_put_char(out, '\n');
	} else if (!ends && data[len - 1] == '\r') {
		str_put(out, data, len - 1);
		f->pending_cr = true;
	} else {
		str_put(out, data, len);
	}
}

static bool head_is(const struct text_filter *f, const char *text)
{
	return f->head_len == strlen(text) && memcmp(f->head, text, f->head_len) == 0;
}

static bool head_begins(const struct text_filter *f, const char *text)
{
	return f->head_len >= strlen(text) && memcmp(f->head, text, strlen(text)) == 0;
}

/* The head of a line is complete, or the input ends in it. */
static void decide(struct text_filter *f, struct str *out)
{
	if (f->dot_ends && (head_is(f, ".\n") || head_is(f, ".\r\n") || head_is(f, "."))) {
		f->done = true;
		return;
	}
	if (f->drop_from && (head_begins(f, "From ") || head_begins(f, ">From ")))
		f->skipping = true;
	else
		f->drop_from = false;
	pass(f, f->head, f->head_len, out);
	f->in_line = f->head[f->head_len - 1] != '\n';
	f->head_len = 0;
}

/* Both take what they can of the input and return how much. */
static size_t collect_head(struct text_filter *f, const char *data, size_t len, struct str *out)
{
	size_t want = HEAD_ENOUGH - f->head_len;
	const char *nl = memchr(data, '\n', len < want ? len : want);
	size_t take = nl ? (size_t)(nl - data) + 1 : len < want ? len : want;

	memcpy(f->head + f->head_len, data, take);
	f->head_len += take;
	if (nl || f->head_len == HEAD_ENOUGH)
		decide(f, out);
	return take;
}

static size_t pass_line(struct text_filter *f, const char *data, size_t len, struct str *out)
{
	const char *nl = memchr(data, '\n', len);
	size_t take = nl ? (size_t)(nl - data) + 1 : len;

	pass(f, data, take, out);
	f->in_line = !nl;
	return take;
}

void text_filter_put(struct text_filter *f, const char *data, size_t len, struct str *out)
{
	while (len > 0 && !f->done) {
		size_t taken =
		    f->in_line ? pass_line(f, data, len, out) : collect_head(f, data, len, out);

		data += taken;
		len -= taken;
	}
}

void text_filter_end(struct text_filter *f, struct str *out)
{
	if (!f->done && f->head_len > 0)
		decide(f, out);
	if (f->open_line && !f->skipping)
		str_put_char(out, '\n');
	f->pending_cr = f->open_line = false;
	f->done = true;
}
