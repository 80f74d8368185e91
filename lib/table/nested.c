/* SPDX-License-Identifier: ISC */
/* Tables made of tables: unionmap, pipemap; and randmap, a random pick of texts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/table/type.h"

struct nested {
	struct table **tables;
	char **texts; /* randmap */
	size_t count;
};

static void nested_close(void *state)
{
	struct nested *n = state;

	for (size_t i = 0; i < n->count; i++) {
		if (n->tables)
			table_close(&n->tables[i]);
		if (n->texts)
			free(n->texts[i]);
	}
	free(n->tables);
	free(n->texts);
	free(n);
}

static int add_table(struct nested *n, struct slice item, int flags, int depth, struct err *err)
{
	char *name;
	int rc;

	table_unbrace(&item);
	name = alloc_strndup(item.data, item.len);
	n->tables = alloc_array(n->tables, n->count + 1, sizeof(*n->tables));
	rc = table_open_nested(name, flags, depth + 1, &n->tables[n->count], err);
	if (rc == 0)
		n->count++;
	free(name);
	return rc;
}

static int open_list(
    const char *name, int flags, int depth, bool texts, void **state_out, struct err *err)
{
	struct slice all = slice_trim(slice_text(name)), item;
	struct nested *n;
	const char *cursor;
	char *copy;

	if (!table_unbrace(&all) || all.len == 0)
		return err_set(err, EINVAL, "expected %s",
		    texts ? "randmap:{value, value}" : "type:{type:name, type:name}");
	n = alloc_zero(1, sizeof(*n));
	cursor = copy = alloc_strndup(all.data, all.len);
	while (table_list_next(&cursor, &item)) {
		if (texts) {
			table_unbrace(&item);
			n->texts = alloc_array(n->texts, n->count + 1, sizeof(*n->texts));
			n->texts[n->count++] = alloc_strndup(item.data, item.len);
		} else if (add_table(n, item, flags, depth, err) < 0) {
			free(copy);
			nested_close(n);
			return -1;
		}
	}
	free(copy);
	if (n->count == 0) {
		nested_close(n);
		return err_set(err, EINVAL, "expected at least one %s", texts ? "value" : "table");
	}
	*state_out = n;
	return 0;
}

static int tables_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	return open_list(name, flags, depth, false, state_out, err);
}

/* Only the first table of a pipe gets the folded key; values go on as they are. */
static int pipemap_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	return open_list(name, flags, depth, false, state_out, err);
}

static int randmap_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	return open_list(name, flags, depth, true, state_out, err);
}

static enum table_answer unionmap_get(
    void *state, const char *key, struct str *out, struct err *err)
{
	const struct nested *n = state;
	enum table_answer result = TABLE_NOT_FOUND;
	struct str one = {0};

	for (size_t i = 0; i < n->count && result != TABLE_ERROR; i++) {
		enum table_answer answer = table_get(n->tables[i], key, &one, err);

		if (answer == TABLE_NOT_FOUND)
			continue;
		result = answer;
		if (out->len > 0)
			str_put_char(out, ',');
		str_put(out, one.data, one.len);
	}
	str_fini(&one);
	return result;
}

static enum table_answer pipemap_get(void *state, const char *key, struct str *out, struct err *err)
{
	const struct nested *n = state;
	enum table_answer answer = TABLE_NOT_FOUND;
	struct str query = {0};

	str_put_text(&query, key);
	for (size_t i = 0; i < n->count; i++) {
		answer = table_get(n->tables[i], str_text(&query), out, err);
		if (answer != TABLE_FOUND)
			break;
		str_clear(&query);
		str_put(&query, out->data, out->len);
	}
	str_fini(&query);
	return answer;
}

static enum table_answer randmap_get(void *state, const char *key, struct str *out, struct err *err)
{
	const struct nested *n = state;

	(void)key;
	(void)err;
	str_put_text(out, n->texts[(size_t)random() % n->count]);
	return TABLE_FOUND;
}

static enum table_age nested_age(void *state)
{
	const struct nested *n = state;
	enum table_age worst = TABLE_FRESH;

	for (size_t i = 0; i < n->count; i++)
		worst = MAX(worst, table_age(n->tables[i]));
	return worst;
}

const struct table_type table_type_unionmap = {.name = "unionmap",
    .pattern = true,
    .open = tables_open,
    .get = unionmap_get,
    .close = nested_close,
    .age = nested_age};
const struct table_type table_type_pipemap = {.name = "pipemap",
    .pattern = true,
    .open = pipemap_open,
    .get = pipemap_get,
    .close = nested_close,
    .age = nested_age};
const struct table_type table_type_randmap = {
    .name = "randmap", .open = randmap_open, .get = randmap_get, .close = nested_close};
