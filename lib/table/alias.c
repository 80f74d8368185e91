/* SPDX-License-Identifier: ISC */
#include "lib/table/alias.h"

#include <ctype.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The colon behind the name, outside of quotes; len when there is none or quotes do not end. */
static size_t find_colon(struct slice line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.len; i++) {
		char c = line.data[i];

		if (c == '\\' && i + 1 < line.len)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ':' && !quoted)
			return i;
	}
	return line.len;
}

/* The name without its quotes; false when it is not one word. */
static bool put_name(struct slice text, struct str *out)
{
	bool quoted = false;

	text = slice_trim(text);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '\\' && i + 1 < text.len)
			c = text.data[++i];
		else if (c == '"') {
			quoted = !quoted;
			continue;
		} else if (!quoted && (is_blank(c) || strchr(",;<>()", c)))
			return false;
		str_put_char(out, c);
	}
	return out->len > 0;
}

static void put_value(struct slice text, struct str *out)
{
	bool quoted = false, blank = false;

	text = slice_trim(text);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '"' && !quoted && blank)
			str_put_char(out, ' ');
		if (c == '"') {
			quoted = !quoted;
			blank = false;
		} else if (!quoted && is_blank(c)) {
			blank = out->len > 0;
			continue;
		} else if (!quoted && blank && c != ',') {
			str_put_char(out, ' ');
			blank = false;
		}
		if (c == '\\' && i + 1 < text.len) {
			/* outside of quotes, only what means something keeps its backslash */
			if (quoted || !isalnum((unsigned char)text.data[i + 1]))
				str_put_char(out, c);
			c = text.data[++i];
		}
		str_put_char(out, c);
		blank = !quoted && c == ',';
	}
}

int alias_parse(struct slice line, struct str *name_out, struct str *value_out, struct err *err)
{
	size_t colon = find_colon(line);

	str_clear(name_out);
	str_clear(value_out);
	if (colon == line.len || !put_name(slice_of(line.data, colon), name_out))
		return err_set(err, 0, "need name:value pair");
	if (memchr(name_out->data, '@', name_out->len))
		return err_set(err, 0, "name must be local");
	put_value(slice_of(line.data + colon + 1, line.len - colon - 1), value_out);
	if (value_out->len == 0)
		return err_set(err, 0, "need name:value pair");
	return 0;
}
