/* SPDX-License-Identifier: ISC */
#include "smtpd/tls_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/sys/fd.h"
#include "lib/table/table.h"
#include "lib/tls/digest.h"

enum { PEM_MAX = 256 * 1024, AT_START_MAX = 500 };

struct tls_names {
	struct table_chain *tables;
	struct map *at_start; /* texts of files (char *), by the value that names them */
	char *said;           /* the last trouble: it is logged once */
	bool blind;
};

static void free_secret(void *text)
{
	digest_wipe(text, strlen(text));
	free(text);
}

static bool is_text_of_keys(const struct str *value, struct str *pem)
{
	if (base64_decode(pem, str_text(value), value->len) == 0 && pem->len > 0)
		return true;
	str_clear(pem);
	return false;
}

/* The files of a value, one behind the other. */
static int read_files(const char *value, struct str *pem, struct err *err)
{
	struct slice item;

	while (table_list_next(&value, &item)) {
		char *path = alloc_strndup(item.data, item.len);
		int rc = fd_read_file(path, PEM_MAX, pem, err);

		free(path);
		if (rc < 0)
			return -1;
	}
	return pem->len > 0 ? 0 : err_set(err, 0, "empty");
}

/* ---- at the start --------------------------------------------------------------------------- */

static void keep_files(struct tls_names *n, const struct str *value)
{
	struct str pem = {0};
	struct err err;

	if (!is_text_of_keys(value, &pem) && read_files(str_text(value), &pem, &err) == 0 &&
	    !map_get(n->at_start, str_text(value)))
		map_put(n->at_start, str_text(value), alloc_strndup(str_text(&pem), pem.len));
	if (pem.data)
		digest_wipe(pem.data, pem.cap);
	str_fini(&pem);
}

static void keep_table(struct tls_names *n, const char *type_and_name)
{
	struct str key = {0}, value = {0};
	struct table *table;
	bool first = true;
	struct err err;

	if (table_open(type_and_name, TABLE_FOLD_KEY, &table, &err) < 0)
		return; /* the chain says so */
	while (map_count(n->at_start) < AT_START_MAX &&
	       table_next(table, first, &key, &value, &err) == 1) {
		keep_files(n, &value);
		first = false;
	}
	if (value.data)
		digest_wipe(value.data, value.cap);
	str_fini(&key);
	str_fini(&value);
	table_close(&table);
}

struct tls_names *tls_names_open(const char *maps)
{
	struct tls_names *n = alloc_zero(1, sizeof(*n));
	const char *cursor = maps;
	struct slice item;

	n->at_start = map_new();
	while (table_list_next(&cursor, &item)) {
		char *name = alloc_strndup(item.data, item.len);

		keep_table(n, name);
		free(name);
	}
	n->tables = table_chain_open(maps, TABLE_FOLD_KEY);
	return n;
}

void tls_names_close(struct tls_names **names)
{
	if (!*names)
		return;
	table_chain_close(&(*names)->tables);
	map_free(&(*names)->at_start, free_secret);
	free((*names)->said);
	free(*names);
	*names = NULL;
}

bool tls_names_blind(const struct tls_names *n)
{
	return n->blind;
}

/* ---- lookups -------------------------------------------------------------------------------- */

static enum tls_named trouble(struct tls_names *n, const char *name, const struct err *err)
{
	if (!n->said || strcmp(n->said, err->text) != 0)
		log_warn("tls_server_sni_maps: %s: %s", name, err->text);
	free(n->said);
	n->said = alloc_strdup(err->text);
	return TLS_NAMED_TROUBLE;
}

static enum tls_named read_value(
    struct tls_names *n, const char *name, const struct str *value, struct str *pem)
{
	const char *kept = map_get(n->at_start, str_text(value));
	struct err err = {0};

	if (is_text_of_keys(value, pem) || read_files(str_text(value), pem, &err) == 0)
		return TLS_NAMED;
	str_clear(pem);
	if (!kept || (err.code != EACCES && err.code != EPERM))
		return trouble(n, name, &err);
	n->blind = true;
	str_put_text(pem, kept);
	return TLS_NAMED;
}

/* The name, then ".parent.domain" of each domain above it. */
enum tls_named tls_names_find(void *arg, const char *name, struct str *pem_out)
{
	struct tls_names *n = arg;
	enum table_answer answer = TABLE_NOT_FOUND;
	enum tls_named found = TLS_NAMED_NONE;
	struct str value = {0};
	struct err err;

	for (const char *key = name; key && answer == TABLE_NOT_FOUND; key = strchr(key + 1, '.'))
		answer = table_chain_get(n->tables, key, &value, &err);
	if (answer == TABLE_ERROR)
		found = trouble(n, name, &err);
	else if (answer == TABLE_FOUND)
		found = read_value(n, name, &value, pem_out);
	if (value.data)
		digest_wipe(value.data, value.cap);
	str_fini(&value);
	return found;
}
