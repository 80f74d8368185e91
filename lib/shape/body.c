/* SPDX-License-Identifier: ISC */
/* The body, whose line ends all become CR LF, and the characters that are stripped or refused. */
#include "lib/shape/internal.h"

#include <string.h>

#include "lib/base/alloc.h"

/* One character of a set with C escapes. */
static unsigned char next_char(const char **text)
{
	static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	const char *p = *text, *name;
	unsigned value = 0;
	int digits;

	if (*p != '\\' || !p[1]) {
		*text = p + 1;
		return (unsigned char)*p;
	}
	p++;
	if (*p >= '0' && *p <= '7') {
		for (digits = 0; digits < 3 && *p >= '0' && *p <= '7'; digits++, p++)
			value = value * 8 + (unsigned)(*p - '0');
		*text = p;
		return (unsigned char)value;
	}
	*text = p + 1;
	name = strchr(names, *p);
	return (unsigned char)(name ? values[name - names] : *p);
}

void shape_mark_chars(struct shaper *s, const char *set, unsigned char mark)
{
	if (!set || !set[0])
		return;
	if (!s->chars)
		s->chars = alloc_zero(256, 1);
	while (*set)
		s->chars[next_char(&set)] |= mark;
	/* Line ends are not content. */
	s->chars['\n'] = s->chars['\r'] = 0;
}

void shape_filter_chars(struct shaper *s, const char *data, size_t len, struct str *to)
{
	size_t i;

	str_reserve(to, len);
	for (i = 0; i < len; i++) {
		unsigned char mark = s->chars[(unsigned char)data[i]];

		if (mark & CHAR_REJECT)
			shape_fail(s, SHAPE_CONTENT, "5.7.1 disallowed character");
		if (!(mark & CHAR_STRIP))
			str_put_char(to, data[i]);
	}
}

/* ---- line ends ----------------------------------------------------------------------------- */

/*
 * The first byte that cannot go on as it is, or end: an LF without a CR before it, a CR without an
 * LF behind it (at the end it is not there, see body_put).
 */
static const char *find_fault(const struct shaper *s, const char *p, const char *end, char before)
{
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		const char *stop = lf ? lf : end, *cr = NULL;
		bool ends_well = (stop > p ? stop[-1] : before) == '\r';

		if (s->ctx.params->replace_stray_cr && stop > p)
			cr = memchr(p, '\r', (size_t)(stop - p) - (lf && ends_well));
		if (cr)
			return cr;
		if (!lf)
			break;
		if (!ends_well)
			return lf;
		p = lf + 1;
		before = '\n';
	}
	return end;
}

void shape_stray_cr(struct shaper *s)
{
	if (s->held_cr)
		shape_write(s, s->ctx.params->replace_stray_cr ? " " : "\r", 1);
	s->held_cr = false;
}

void shape_body(struct shaper *s, const char *data, size_t len)
{
	const char *p = data, *end = data + len, *fault;
	char before = '\n';

	if (len == 0)
		return;
	if (s->held_cr && *p == '\n') {
		shape_write(s, "\r", 1);
		before = '\r';
		s->held_cr = false;
	}
	shape_stray_cr(s);
	s->last = end[-1];
	if (s->last == '\r') {
		s->held_cr = true;
		end--;
	}
	fault = find_fault(s, p, end, before);
	if (fault == end) {
		shape_write(s, p, (size_t)(end - p));
		return;
	}
	str_clear(&s->scratch);
	for (; fault < end; fault = find_fault(s, p, end, '\n')) {
		str_put(&s->scratch, p, (size_t)(fault - p));
		str_put_text(&s->scratch, *fault == '\n' ? "\r\n" : " ");
		p = fault + 1;
	}
	str_put(&s->scratch, p, (size_t)(end - p));
	shape_write(s, s->scratch.data, s->scratch.len);
}
