/* SPDX-License-Identifier: ISC */
#include "lib/mail/header.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 2.2: name of %d33-57 / %d59-126, then ":"; blanks before the colon are obsolete (4.5).
 */
size_t header_name_len(struct slice line)
{
	size_t i = 0, len;

	while (i < line.len && line.data[i] > 32 && line.data[i] < 127 && line.data[i] != ':')
		i++;
	len = i;
	while (i < line.len && is_blank(line.data[i]))
		i++;
	return i < line.len && line.data[i] == ':' ? len : 0;
}

/* The line at `at`, its line end included. */
static struct slice line_at(struct slice block, size_t at)
{
	const char *p = block.data + at;
	const char *lf = memchr(p, '\n', block.len - at);

	return slice_of(p, lf ? (size_t)(lf + 1 - p) : block.len - at);
}

bool header_next(struct slice block, size_t *at, struct header *out)
{
	struct slice line;
	size_t name_len, begin = *at;
	const char *colon;

	if (begin >= block.len)
		return false;
	line = line_at(block, begin);
	name_len = header_name_len(line);
	if (name_len == 0) {
		if (slice_eq(line, "\n") || slice_eq(line, "\r\n"))
			*at += line.len;
		return false;
	}
	out->name = slice_of(line.data, name_len);
	colon = memchr(line.data, ':', line.len);
	do {
		*at += line.len;
		line = *at < block.len ? line_at(block, *at) : slice_of("", 0);
	} while (header_is_fold(line));
	out->whole = slice_of(block.data + begin, *at - begin);
	out->value =
	    slice_trim(slice_of(colon + 1, out->whole.len - (size_t)(colon + 1 - out->whole.data)));
	return true;
}

bool header_find(struct slice block, const char *name, struct header *out)
{
	size_t at = 0;

	while (header_next(block, &at, out)) {
		if (header_is(out, name))
			return true;
	}
	return false;
}

void header_unfold(struct str *out, struct slice value)
{
	size_t i, run = 0;

	for (i = 0; i < value.len; i++) {
		if (value.data[i] != '\n' && value.data[i] != '\r')
			continue;
		str_put(out, value.data + run, i - run);
		run = i + 1;
	}
	str_put(out, value.data + run, value.len - run);
}
