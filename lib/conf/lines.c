/* SPDX-License-Identifier: ISC */
#include "lib/conf/lines.h"

#include <string.h>

static struct slice physical(struct lines *lines)
{
	const char *start = lines->text + lines->pos;
	size_t left = lines->len - lines->pos;
	const char *nl = memchr(start, '\n', left);
	size_t len = nl ? (size_t)(nl - start) : left;

	lines->pos += nl ? len + 1 : len;
	lines->line++;
	return slice_of(start, len);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_nothing(struct slice line)
{
	size_t i = 0;

	while (i < line.len && is_blank(line.data[i]))
		i++;
	return i == line.len || line.data[i] == '#';
}

/* Does the rest of the text continue the line begun? Skips what stands in between. */
static bool next_part(struct lines *lines, struct slice *part_out)
{
	while (lines->pos < lines->len) {
		size_t pos = lines->pos;
		int line = lines->line;
		struct slice part = physical(lines);

		if (is_nothing(part))
			continue;
		if (is_blank(part.data[0])) {
			*part_out = part;
			return true;
		}
		lines->pos = pos;
		lines->line = line;
		return false;
	}
	return false;
}

bool lines_next(struct lines *lines, struct slice *line_out)
{
	struct slice part;

	do {
		if (lines->pos >= lines->len)
			return false;
		part = physical(lines);
	} while (is_nothing(part));
	lines->start_line = lines->line;
	lines->orphan = is_blank(part.data[0]);
	str_clear(&lines->buf);
	do {
		str_put(&lines->buf, part.data, part.len);
		while (lines->buf.len > 0 && lines->buf.data[lines->buf.len - 1] == '\r')
			str_cut(&lines->buf, lines->buf.len - 1);
	} while (next_part(lines, &part));
	while (lines->buf.len > 0 && is_blank(lines->buf.data[lines->buf.len - 1]))
		str_cut(&lines->buf, lines->buf.len - 1);
	*line_out = slice_of(lines->buf.data, lines->buf.len);
	return true;
}

void lines_fini(struct lines *lines)
{
	str_fini(&lines->buf);
}
