/* SPDX-License-Identifier: ISC */
#include "lib/table/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/near.h"
#include "lib/table/file.h"
#include "lib/table/type.h"

struct table {
	const struct table_type *type;
	char *full_name;  /* as given */
	const char *name; /* behind "type:", within full_name */
	int flags, depth;
	void *state;
	struct table_file file;
};

static const struct {
	const char *name;
	const struct table_type *type;
} types[] = {
    {"lmdb", &table_type_lmdb},
    {"hash", &table_type_lmdb},
    {"btree", &table_type_lmdb},
    {"dbm", &table_type_lmdb},
    {"texthash", &table_type_texthash},
    {"inline", &table_type_inline},
    {"static", &table_type_static},
    {"cidr", &table_type_cidr},
    {"regexp", &table_type_regexp},
    {"pcre", &table_type_pcre},
    {"unix", &table_type_unix},
    {"unionmap", &table_type_unionmap},
    {"pipemap", &table_type_pipemap},
    {"randmap", &table_type_randmap},
    {"environ", &table_type_environ},
    {"fail", &table_type_fail},
};

/* Known elsewhere, and so not misspelled. */
static const char *const missing_types[] = {"cdb", "ldap", "mysql", "pgsql", "sqlite", "tcp",
    "socketmap", "memcache", "nis", "nisplus", "netinfo", "sdbm", "mongodb"};

char *table_file_is_name(const char *name)
{
	return alloc_strdup(name);
}

static int unknown_type(struct slice type, struct err *err)
{
	enum { FAR = 2 }; /* farther is another word */
	size_t best_distance = FAR + 1;
	const char *best = NULL;
	char name[32];

	for (size_t i = 0; i < ARRAY_LEN(missing_types); i++) {
		if (slice_eq(type, missing_types[i]))
			return err_set(err, EPROTONOSUPPORT,
			    "table type \"%s\" is not supported by this version", missing_types[i]);
	}
	snprintf(name, sizeof(name), "%.*s", SLICE_ARG(type));
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t d = near_distance(name, types[i].name, FAR);

		if (d < best_distance) {
			best = types[i].name;
			best_distance = d;
		}
	}
	if (best)
		return err_set(err, EINVAL, "unknown table type \"%.*s\": did you mean \"%s\"?",
		    SLICE_ARG(type), best);
	return err_set(err, EINVAL,
	    "unknown table type \"%.*s\": expected a type of tables(5), such as lmdb, texthash, "
	    "cidr "
	    "or pcre",
	    SLICE_ARG(type));
}

static const struct table_type *find_type(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (slice_eq(name, types[i].name))
			return types[i].type;
	}
	return NULL;
}

int table_open_nested(
    const char *type_and_name, int flags, int depth, struct table **table_out, struct err *err)
{
	const char *start = type_and_name, *colon;
	const struct table_type *type;
	struct table *table;

	if (depth > TABLE_DEPTH_MAX)
		return err_set(err, ELOOP, "tables within tables deeper than %d", TABLE_DEPTH_MAX);
	/* no process in between in this version: the table is opened here */
	while (strncmp(start, "proxy:", 6) == 0)
		start += 6;
	colon = strchr(start, ':');
	if (!colon || colon == start)
		return err_set(err, EINVAL, "\"%s\": expected a table as type:name", type_and_name);
	type = find_type(slice_of(start, (size_t)(colon - start)));
	if (!type) {
		unknown_type(slice_of(start, (size_t)(colon - start)), err);
		return depth ? -1 : err_prefix(err, "%s: ", type_and_name);
	}
	table = alloc_zero(1, sizeof(*table));
	table->type = type;
	table->full_name = alloc_strdup(type_and_name);
	table->name = table->full_name + (colon + 1 - type_and_name);
	table->flags = type->no_fold ? flags & ~TABLE_FOLD_KEY : flags;
	table->depth = depth;
	table_file_init(&table->file, type->file ? type->file(table->name) : NULL);
	if (type->open(table->name, table->flags, depth, &table->state, err) < 0) {
		if (depth == 0) /* the outermost name says it all */
			err_prefix(err, "%s: ", type_and_name);
		table_close(&table);
		return -1;
	}
	*table_out = table;
	return 0;
}

int table_open(const char *type_and_name, int flags, struct table **table_out, struct err *err)
{
	return table_open_nested(type_and_name, flags, 0, table_out, err);
}

void table_close(struct table **table)
{
	struct table *t = *table;

	if (!t)
		return;
	if (t->state)
		t->type->close(t->state);
	table_file_fini(&t->file);
	free(t->full_name);
	free(t);
	*table = NULL;
}

/* A replaced file is opened anew; what was open before stays when that fails. */
static void refresh(struct table *table, bool now)
{
	void *state = NULL;
	struct err err = {0};

	if (!table_file_changed(&table->file, now))
		return;
	if (table->type->open(table->name, table->flags, table->depth, &state, &err) < 0) {
		if (!table_file_failed(&table->file, &err))
			log_warn(
			    "%s: %s; going on with the old content", table->full_name, err.text);
		return;
	}
	table->type->close(table->state);
	table->state = state;
	if (table->file.fd >= 0) { /* it looks at the version before */
		close(table->file.fd);
		table->file.fd = -1;
	}
}

enum table_age table_age(struct table *table)
{
	refresh(table, true);
	if (table->type->age)
		return table->type->age(table->state);
	if (table->file.outdated)
		return TABLE_OUTDATED;
	return table->file.guarded ? TABLE_GUARDED : TABLE_FRESH;
}

enum table_answer table_get(struct table *table, const char *key, struct str *out, struct err *err)
{
	enum table_answer answer;
	char *folded = NULL;

	str_clear(out);
	refresh(table, false);
	if (table->flags & TABLE_FOLD_KEY) {
		folded = alloc_strdup(key);
		text_lower(folded);
		key = folded;
	}
	answer = table->type->get(table->state, key, out, err);
	if (answer == TABLE_ERROR)
		err_prefix(err, "%s: ", table->full_name);
	if (answer != TABLE_FOUND)
		str_clear(out);
	free(folded);
	return answer;
}

const char *table_name(const struct table *table)
{
	return table->full_name;
}

bool table_is_pattern(const struct table *table)
{
	return table->type->pattern;
}

int table_next(
    struct table *table, bool first, struct str *key_out, struct str *value_out, struct err *err)
{
	str_clear(key_out);
	str_clear(value_out);
	if (!table->type->next)
		return err_set(err, ENOTSUP, "%s: tables of this type have no list of entries",
		    table->full_name);
	return table->type->next(table->state, first, key_out, value_out, err);
}

int table_next_rule(
    struct table *table, bool first, struct str *key_out, struct str *value_out, struct err *err)
{
	const struct table_type *type = table->type;
	int rc = 0;

	str_clear(key_out);
	str_clear(value_out);
	if (type->next_rule || type->next)
		rc = (type->next_rule ? type->next_rule : type->next)(
		    table->state, first, key_out, value_out, err);
	return rc < 0 ? err_prefix(err, "%s: ", table->full_name) : rc;
}

bool table_list_next(const char **cursor, struct slice *item_out)
{
	const char *at = *cursor + strspn(*cursor, ", \t\r\n"), *end;
	int depth = 0;

	for (end = at; *end && (depth > 0 || !strchr(", \t\r\n", *end)); end++) {
		if (*end == '{')
			depth++;
		else if (*end == '}' && depth > 0)
			depth--;
	}
	*item_out = slice_of(at, (size_t)(end - at));
	*cursor = end;
	return end > at;
}

bool table_unbrace(struct slice *text)
{
	int depth = 0;

	if (text->len < 2 || text->data[0] != '{')
		return false;
	for (size_t i = 0; i < text->len; i++) {
		if (text->data[i] == '{')
			depth++;
		if (text->data[i] == '}' && --depth == 0 && i + 1 != text->len)
			return false; /* the brace that opens does not close at the end */
	}
	if (depth != 0)
		return false;
	*text = slice_trim(slice_of(text->data + 1, text->len - 2));
	return true;
}
