/* SPDX-License-Identifier: ISC */
/* Tables that are held in memory: texthash (a postmap source read as it is) and inline. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/conf/lines.h"
#include "lib/sys/fd.h"
#include "lib/table/entry.h"
#include "lib/table/type.h"

struct text_table {
	struct map *map;
	size_t cursor;
};

static struct text_table *text_new(void)
{
	struct text_table *t = alloc_zero(1, sizeof(*t));

	t->map = map_new();
	return t;
}

static void text_close(void *state)
{
	struct text_table *t = state;

	map_free(&t->map, free);
	free(t);
}

/* false: there is such a key; as in an index that postmap makes, the first one counts. */
static bool put(struct text_table *t, struct slice key, struct slice value, int flags)
{
	bool is_new;

	char *name = alloc_strndup(key.data, key.len);

	if (flags & TABLE_FOLD_KEY)
		text_lower(name);
	is_new = !map_get(t->map, name);
	if (is_new)
		map_put(t->map, name, alloc_strndup(value.data, value.len));
	free(name);
	return is_new;
}

static int texthash_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	struct str text = {0};
	struct text_table *t;
	struct lines lines = {0};
	struct slice line;

	(void)depth;
	if (fd_read_file(name, TABLE_FILE_MAX, &text, err) < 0) {
		str_fini(&text);
		return -1;
	}
	t = text_new();
	lines.text = str_text(&text);
	lines.len = text.len;
	while (lines_next(&lines, &line)) {
		struct slice key, value;
		struct err why;

		if (entry_parse(line, &key, &value, &why) < 0)
			log_warn("%s, line %d: %s", name, lines.start_line, why.text);
		else if (!put(t, key, value, flags))
			log_warn("%s, line %d: duplicate entry: \"%.*s\"", name, lines.start_line,
			    (int)key.len, key.data);
	}
	lines_fini(&lines);
	str_fini(&text);
	*state_out = t;
	return 0;
}

static int inline_put(struct text_table *t, struct slice item, int flags, struct err *err)
{
	const char *equals;

	table_unbrace(&item);
	equals = item.len ? memchr(item.data, '=', item.len) : NULL;
	if (!equals || slice_trim(slice_of(item.data, (size_t)(equals - item.data))).len == 0)
		return err_set(err, EINVAL, "\"%.*s\": expected key=value", SLICE_ARG(item));
	put(t, slice_trim(slice_of(item.data, (size_t)(equals - item.data))),
	    slice_trim(slice_of(equals + 1, item.len - (size_t)(equals + 1 - item.data))), flags);
	return 0;
}

static int inline_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	struct slice all = slice_trim(slice_text(name)), item;
	struct text_table *t;
	char *copy;
	const char *cursor;

	(void)depth;
	if (!table_unbrace(&all))
		return err_set(err, EINVAL, "expected inline:{ key=value, { key = text } }");
	t = text_new();
	cursor = copy = alloc_strndup(all.data, all.len);
	while (table_list_next(&cursor, &item)) {
		if (inline_put(t, item, flags, err) < 0) {
			free(copy);
			text_close(t);
			return -1;
		}
	}
	free(copy);
	*state_out = t;
	return 0;
}

static enum table_answer text_get(void *state, const char *key, struct str *out, struct err *err)
{
	const struct text_table *t = state;
	const char *value = map_get(t->map, key);

	(void)err;
	if (!value)
		return TABLE_NOT_FOUND;
	str_put_text(out, value);
	return TABLE_FOUND;
}

static int text_next(
    void *state, bool first, struct str *key_out, struct str *value_out, struct err *err)
{
	struct text_table *t = state;
	const char *key;
	void *value;

	(void)err;
	if (first)
		t->cursor = 0;
	if (!map_next(t->map, &t->cursor, &key, &value))
		return 0;
	str_put_text(key_out, key);
	str_put_text(value_out, value);
	return 1;
}

const struct table_type table_type_texthash = {
    .name = "texthash",
    .file = table_file_is_name,
    .open = texthash_open,
    .get = text_get,
    .next = text_next,
    .close = text_close,
};

const struct table_type table_type_inline = {
    .name = "inline",
    .open = inline_open,
    .get = text_get,
    .next = text_next,
    .close = text_close,
};
