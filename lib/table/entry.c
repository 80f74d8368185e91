/* SPDX-License-Identifier: ISC */
#include "lib/table/entry.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

int entry_parse(struct slice line, struct slice *key_out, struct slice *value_out, struct err *err)
{
	bool quoted = false;
	size_t i;

	line = slice_trim(line);
	for (i = 0; i < line.len && (quoted || !is_blank(line.data[i])); i++) {
		if (line.data[i] == '\\' && quoted && i + 1 < line.len)
			i++;
		else if (line.data[i] == '"')
			quoted = !quoted;
	}
	if (i > line.len)
		i = line.len;
	*key_out = slice_of(line.data, i);
	*value_out = slice_trim(slice_of(line.data + i, line.len - i));
	if (quoted)
		return err_set(err, 0, "expected a closing quote in the key");
	if (key_out->len == 0 || value_out->len == 0)
		return err_set(err, 0, "expected format: key whitespace value");
	return 0;
}
