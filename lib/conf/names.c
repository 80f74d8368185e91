/* SPDX-License-Identifier: ISC */
#include "lib/conf/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/map.h"
#include "lib/conf/catalogue.h"

#define NAME_LEN_MAX 128

struct conf_names {
	struct conf *conf;
	const struct conf_table *const *tables;
	const struct master_cf *services;
	struct map *rows;      /* name -> const struct conf_param */
	struct map *user;      /* names of the administrator */
	struct map *databases; /* prefixes of database client settings */
	struct arena arena;
	const char **list;
	size_t count, cap;
};

/* In the catalogue for the sake of old configurations; shown only where they are set. */
static const char *const obsolete[] = {"authorized_verp_clients", "fallback_relay",
    "lmtp_per_record_deadline", "lmtp_tls_cipherlist", "postscreen_blacklist_action",
    "postscreen_dnsbl_ttl", "postscreen_dnsbl_whitelist_threshold",
    "postscreen_whitelist_interfaces", "smtp_per_record_deadline", "smtp_tls_cipherlist",
    "smtpd_client_connection_limit_exceptions", "smtpd_per_record_deadline", "smtpd_tls_cipherlist",
    "tls_dane_digest_agility", "tls_dane_trust_anchor_digest_enable", "tlsproxy_client_level",
    "tlsproxy_client_policy", "virtual_maps"};

/* No program has to read these for them to matter: scripts and people do. */
static const char *const always_used[] = {"config_directory", "html_directory", "mail_release_date",
    "mail_version", "mailq_path", "manpage_directory", "meta_directory", "multi_instance_enable",
    "multi_instance_group", "newaliases_path", "readme_directory", "sample_directory",
    "sendmail_path", "shlib_directory"};

static const char *const database_types[] = {
    "ldap:", "memcache:", "mongodb:", "mysql:", "pgsql:", "sqlite:"};

/* Programs that deliver, so that their service names make parameter names. */
static const char *const agents[] = {"error", "lmtp", "local", "pipe", "smtp", "virtual"};

static bool in_words(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

static void put_name(struct map *map, const char *text, size_t len)
{
	char name[NAME_LEN_MAX + 1];

	if (len == 0 || len > NAME_LEN_MAX)
		return;
	memcpy(name, text, len);
	name[len] = '\0';
	map_put(map, name, map);
}

/* Every $name, ${name} and $(name) in a text. */
static void collect_references(struct conf_names *names, const char *text)
{
	while ((text = strchr(text, '$')) != NULL) {
		size_t n = 0;

		if (*++text == '$') {
			text++;
			continue;
		}
		if (*text == '{' || *text == '(')
			text += 1 + strspn(text + 1, " \t");
		while (isalnum((unsigned char)text[n]) || text[n] == '_')
			n++;
		put_name(names->user, text, n);
		text += n;
	}
}

/* The NAME of every "mysql:NAME" that is no file. */
static void collect_databases(struct conf_names *names, const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(database_types); i++) {
		const char *p = text;

		while ((p = strstr(p, database_types[i])) != NULL) {
			p += strlen(database_types[i]);
			if (*p != '/' && *p != '$')
				put_name(names->databases, p, strcspn(p, ", \t\r\n{}"));
		}
	}
}

static void collect_value(struct conf_names *names, const char *value)
{
	collect_references(names, value);
	collect_databases(names, value);
}

static void collect_words(struct map *map, const char *text)
{
	size_t n;

	for (; *(text += strspn(text, ", \t\r\n")); text += n) {
		n = strcspn(text, ", \t\r\n");
		put_name(map, text, n);
	}
}

static void collect_rows(struct conf_names *names)
{
	for (size_t t = 0; names->tables[t]; t++) {
		for (size_t i = 0; i < names->tables[t]->count; i++) {
			union {
				const struct conf_param *row;
				void *value;
			} u = {.row = &names->tables[t]->rows[i]};

			map_put(names->rows, u.row->name, u.value);
		}
	}
}

struct conf_names *conf_names_new(
    struct conf *conf, const struct conf_table *const *tables, const struct master_cf *services)
{
	struct conf_names *names = alloc_zero(1, sizeof(*names));
	const char *value;
	size_t cursor = 0;

	names->conf = conf;
	names->tables = tables;
	names->services = services;
	names->rows = map_new();
	names->user = map_new();
	names->databases = map_new();
	collect_rows(names);
	while (conf_next_set(conf, &cursor, NULL, &value, NULL))
		collect_value(names, value);
	collect_words(names->user, conf_get(conf, "smtpd_restriction_classes"));
	for (size_t i = 0; services && i < services->count; i++) {
		for (size_t j = 0; j < services->entries[i].override_count; j++)
			collect_value(names, services->entries[i].overrides[j].value);
	}
	return names;
}

void conf_names_free(struct conf_names **names)
{
	if (!*names)
		return;
	map_free(&(*names)->rows, NULL);
	map_free(&(*names)->user, NULL);
	map_free(&(*names)->databases, NULL);
	arena_fini(&(*names)->arena);
	free((*names)->list);
	free(*names);
	*names = NULL;
}

const struct conf_table *const *conf_names_tables(const struct conf_names *names)
{
	return names->tables;
}

const struct conf_param *conf_names_row(const struct conf_names *names, const char *name)
{
	return map_get(names->rows, name);
}

/* Does a service of this program have the parameters of the family? */
static bool has_family(const struct master_cf_entry *e, const struct conf_family *family)
{
	if (strcmp(family->suffix, "_time_limit") == 0)
		return strcmp(e->command, "pipe") == 0 || strcmp(e->command, "spawn") == 0;
	return e->type != MASTER_CF_INET && in_words(agents, ARRAY_LEN(agents), e->command);
}

/*
 * Is there an entry that makes this family name, as "foo" does "foo_time_limit"? strict: one whose
 * program has such a parameter; else any, for programs from elsewhere.
 */
static bool is_service_name(const struct conf_names *names, const char *name, bool strict)
{
	const struct conf_family *family = conf_family_find(name);
	size_t len;

	if (!family || !names->services)
		return false;
	len = strlen(name) - strlen(family->suffix);
	for (size_t i = 0; i < names->services->count; i++) {
		const struct master_cf_entry *e = &names->services->entries[i];

		if (strlen(e->name) == len && memcmp(e->name, name, len) == 0 &&
		    (!strict || has_family(e, family)))
			return true;
	}
	return false;
}

static bool is_database_name(const struct conf_names *names, const char *name)
{
	char prefix[NAME_LEN_MAX + 1];

	for (const char *p = strchr(name, '_'); p; p = strchr(p + 1, '_')) {
		size_t n = (size_t)(p - name);

		if (n > NAME_LEN_MAX)
			return false;
		memcpy(prefix, name, n);
		prefix[n] = '\0';
		if (map_get(names->databases, prefix))
			return true;
	}
	return false;
}

enum conf_name_class conf_names_class(const struct conf_names *names, const char *name)
{
	if (map_get(names->rows, name))
		return CONF_NAME_BUILTIN;
	if (is_service_name(names, name, true))
		return CONF_NAME_SERVICE;
	if (catalogue_find(name))
		return in_words(obsolete, ARRAY_LEN(obsolete), name) ? CONF_NAME_USER
		                                                     : CONF_NAME_BUILTIN;
	if (is_service_name(names, name, false))
		return CONF_NAME_SERVICE;
	if (conf_is_set(names->conf, name) &&
	    (map_get(names->user, name) || is_database_name(names, name)))
		return CONF_NAME_USER;
	return CONF_NAME_UNKNOWN;
}

bool conf_names_has_effect(const struct conf_names *names, const char *name)
{
	const struct conf_family *family = conf_family_find(name);

	if (in_words(always_used, ARRAY_LEN(always_used), name) || map_get(names->rows, name) ||
	    map_get(names->user, name))
		return true;
	/* Who reads a transport's own value reads the default of all transports, too. */
	if (family && is_service_name(names, name, false))
		return map_get(names->rows, family->fallback) != NULL;
	return !catalogue_find(name);
}

static void add(struct conf_names *names, const char *name)
{
	if (names->count == names->cap) {
		names->cap = names->cap ? names->cap * 2 : 1024;
		names->list = alloc_array(names->list, names->cap, sizeof(*names->list));
	}
	names->list[names->count++] = name;
}

static void add_service(struct conf_names *names, const struct master_cf_entry *e)
{
	for (const struct conf_family *f = conf_families; f->suffix; f++) {
		if (has_family(e, f))
			add(names, arena_printf(&names->arena, "%s%s", e->name, f->suffix));
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t conf_names_list(struct conf_names *names, const char *const **list_out)
{
	const char *name;
	size_t cursor = 0, kept = 0;

	names->count = 0;
	for (size_t i = 0; i < catalogue_count; i++) {
		name = catalogue_rows[i].name;
		if (conf_is_set(names->conf, name) ||
		    !in_words(obsolete, ARRAY_LEN(obsolete), name))
			add(names, name);
	}
	for (size_t t = 0; names->tables[t]; t++) {
		for (size_t i = 0; i < names->tables[t]->count; i++)
			add(names, names->tables[t]->rows[i].name);
	}
	for (size_t i = 0; names->services && i < names->services->count; i++)
		add_service(names, &names->services->entries[i]);
	while (conf_next_set(names->conf, &cursor, &name, NULL, NULL)) {
		if (conf_names_class(names, name) != CONF_NAME_UNKNOWN)
			add(names, name);
	}
	qsort(names->list, names->count, sizeof(*names->list), by_name);
	for (size_t i = 0; i < names->count; i++) {
		if (kept == 0 || strcmp(names->list[kept - 1], names->list[i]) != 0)
			names->list[kept++] = names->list[i];
	}
	names->count = kept;
	*list_out = names->list;
	return kept;
}
