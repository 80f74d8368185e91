/* SPDX-License-Identifier: ISC */
#include "lib/smtp/dot.h"

#include <string.h>

/*
 * The decoder copies nothing by bytes: it walks from LF to LF and lets a run grow until a byte has
 * to be left out (a stuffing dot) or the end is reached; then the run is appended at once. The
 * states are only about what the last bytes of the previous buffer were.
 */
enum {
	AT_LINE_START, /* behind CR LF, or at the beginning */
	IN_LINE,
	BEHIND_CR, /* in a line, the last byte was a CR (already handed out) */
	AT_DOT,    /* a dot at the line start, not handed out */
	AT_DOT_CR, /* the same and a CR, neither handed out */
	/* the same behind a bare LF, where no message can end */
	AT_LF_START,
	AT_LF_DOT,
	AT_LF_DOT_CR,
};

void dot_decoder_init(struct dot_decoder *d)
{
	*d = (struct dot_decoder){.state = AT_LINE_START};
}

/*
 * The rest of a line: returns what lies behind its LF, or `end`. Sets the state. A CR is bare
 * unless an LF follows it.
 */
static const char *walk_line(struct dot_decoder *d, const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));
	const char *stop = lf ? lf : end;
	const char *cr;
	bool cr_before = d->state == BEHIND_CR;

	if (cr_before && p < end && *p != '\n')
		d->saw_bare_cr = true;
	if (stop > p) {
		cr_before = stop[-1] == '\r';
		cr = memchr(p, '\r', (size_t)(stop - p));
		if (cr && cr != stop - 1)
			d->saw_bare_cr = true;
	}
	if (!lf) {
		d->state = cr_before ? BEHIND_CR : IN_LINE;
		return end;
	}
	if (cr_before) {
		d->state = AT_LINE_START;
	} else {
		d->saw_bare_lf = true;
		d->state = AT_LF_START;
	}
	return lf + 1;
}

/* Behind the dot of a line. true: the byte is eaten and not handed out. */
static bool walk_dot(struct dot_decoder *d, char c)
{
	bool may_end = d->state == AT_DOT;

	if (c == '\r') {
		d->state = may_end ? AT_DOT_CR : AT_LF_DOT_CR;
		return true;
	}
	if (c == '\n') { /* a dot and a bare LF: no line is left */
		d->saw_bare_lf = true;
		d->state = AT_LF_START;
		return true;
	}
	d->state = IN_LINE;
	return false;
}

size_t dot_decode(struct dot_decoder *d, const char *in, size_t len, struct str *out)
{
	const char *p = in, *run = in, *end = in + len;

	while (p < end && !d->done) {
		switch (d->state) {
		case AT_LINE_START:
		case AT_LF_START:
			if (*p == '.') {
				str_put(out, run, (size_t)(p - run));
				run = ++p;
				d->state = d->state == AT_LINE_START ? AT_DOT : AT_LF_DOT;
				break;
			}
			d->state = IN_LINE;
			FALLTHROUGH;
		case IN_LINE:
		case BEHIND_CR:
			p = walk_line(d, p, end);
			break;
		case AT_DOT:
		case AT_LF_DOT:
			if (walk_dot(d, *p))
				run = ++p;
			break;
		case AT_DOT_CR:
		case AT_LF_DOT_CR:
			if (*p == '\n') {
				run = ++p;
				d->done = d->state == AT_DOT_CR;
				d->state = AT_LINE_START;
			} else {
				str_put_char(out, '\r');
				d->state = BEHIND_CR;
			}
			break;
		}
	}
	str_put(out, run, (size_t)(p - run));
	return (size_t)(p - in);
}

void dot_encode(struct str *out, const char *in, size_t len, bool *at_line_start)
{
	const char *p = in, *run = in, *end = in + len;

	str_reserve(out, len);
	while (p < end) {
		if (*at_line_start && *p == '.') {
			str_put(out, run, (size_t)(p - run));
			str_put_char(out, '.');
			run = p;
		}
		p = memchr(p, '\n', (size_t)(end - p));
		*at_line_start = p != NULL;
		p = p ? p + 1 : end;
	}
	str_put(out, run, (size_t)(end - run));
}
