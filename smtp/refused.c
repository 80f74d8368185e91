/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/sys/clock.h"
#include "lib/table/build.h"
#include "lib/table/lmdb.h"
#include "lib/table/table.h"
#include "smtp/auth_params.h"
#include "smtp/login.h"

/*
 * smtp_sasl_auth_cache_name: servers that lock accounts after some failures are not asked again
 * with what they refused. An entry, by server and login name: a digest of the password, the time,
 * status and text of the reply. Failures are rare, so that each one writes the index anew.
 */

/* Postfix wants "proxy:" before the name; the index can be written without one. */
static const char *table_of(const struct auth *a)
{
	const char *name = a->params->cache_name;

	return strncmp(name, "proxy:", 6) == 0 ? name + 6 : name;
}

static const char *key_of(const char *host, const struct login *login, struct arena *arena)
{
	return login_digest(arena, host, login->user, (const char *)NULL);
}

static const char *secret_of(const struct login *login, struct arena *arena)
{
	return login_digest(arena, login->user, login->password, (const char *)NULL);
}

/* "digest seconds dsn text" */
static bool parse(char *value, const char *secret, int64_t oldest, struct refusal *out)
{
	char *save = NULL, *digest = strtok_r(value, " ", &save);
	char *when = strtok_r(NULL, " ", &save), *dsn = strtok_r(NULL, " ", &save);
	uint64_t seconds;

	if (!digest || !when || !dsn || !save || strcmp(digest, secret) != 0 ||
	    !num_u64(when, strlen(when), INT64_MAX, &seconds) || (int64_t)seconds < oldest)
		return false;
	*out = (struct refusal){.dsn = dsn, .text = save};
	return strlen(dsn) < sizeof(((struct trouble *)0)->dsn);
}

static bool index_is_there(const char *type_and_name)
{
	const char *name;
	bool there;
	char *path;

	if (build_split_name(type_and_name, &name, NULL) < 0)
		return true; /* table_open says what is wrong */
	path = lmdb_path(name);
	there = access(path, F_OK) == 0;
	free(path);
	return there;
}

bool refused_find(const struct auth *a, const char *host, const struct login *login,
    struct arena *arena, struct refusal *out)
{
	int64_t oldest = clock_wall_us() / 1000000 - a->params->cache_time;
	struct table *table = NULL;
	struct str value = {0};
	enum table_answer answer = TABLE_NOT_FOUND;
	struct err err;

	if (!*a->params->cache_name || *login->token_source || !index_is_there(table_of(a)))
		return false;
	if (table_open(table_of(a), 0, &table, &err) < 0)
		answer = TABLE_ERROR;
	else
		answer = table_get(table, key_of(host, login, arena), &value, &err);
	if (answer == TABLE_ERROR)
		log_warn("%s_sasl_auth_cache_name: %s", a->family, err.text);
	table_close(&table);
	if (answer == TABLE_FOUND &&
	    !parse(arena_strdup(arena, str_text(&value)), secret_of(login, arena), oldest, out))
		answer = TABLE_NOT_FOUND;
	str_fini(&value);
	return answer == TABLE_FOUND;
}

void refused_put(const struct auth *a, const char *host, const struct login *login,
    const struct smtp_reply *reply)
{
	static const struct build_options options = {
	    .duplicates = BUILD_REPLACE, .keep_case = true};
	struct arena arena = {0};
	struct str line = {0};
	size_t text_at;
	struct err err;

	if (!*a->params->cache_name || *login->token_source)
		return;
	str_printf(&line, "%s %s %lld %s ", key_of(host, login, &arena), secret_of(login, &arena),
	    (long long)(clock_wall_us() / 1000000), reply->dsn);
	text_at = line.len;
	str_printf(&line, "%.500s", str_text(&reply->text));
	text_make_printable(line.data + text_at, line.len - text_at);
	str_put_char(&line, '\n');
	if (build_add(table_of(a), slice_of(line.data, line.len), "login", &options, &err) < 0)
		log_warn("%s_sasl_auth_cache_name: %s", a->family, err.text);
	str_fini(&line);
	arena_fini(&arena);
}
