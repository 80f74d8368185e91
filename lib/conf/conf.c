/* SPDX-License-Identifier: ISC */
/*
 * main.cf as a set of raw texts. Nothing is expanded here: a value may refer to what comes later in
 * the file, to an override, or to a default that a table brings afterwards.
 */
#include "lib/conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/conf/catalogue.h"
#include "lib/conf/lines.h"
#include "lib/conf/private.h"
#include "lib/sys/fd.h"

#define MAIN_CF_MAX (4 * 1024 * 1024)

static struct conf *conf_new(const char *etc)
{
	struct conf *conf = alloc_zero(1, sizeof(*conf));

	conf->etc = alloc_strdup(etc);
	for (size_t n = strlen(etc); n > 1 && etc[n - 1] == '/'; n--)
		conf->etc[n - 1] = '\0';
	conf->by_name = map_new();
	conf->overrides = map_new();
	conf->defaults = map_new();
	conf->computed = map_new();
	conf->complained = map_new();
	return conf;
}

void conf_free(struct conf **conf)
{
	if (!*conf)
		return;
	map_free(&(*conf)->by_name, NULL);
	map_free(&(*conf)->overrides, NULL);
	map_free(&(*conf)->defaults, NULL);
	map_free(&(*conf)->computed, NULL);
	map_free(&(*conf)->complained, NULL);
	str_fini(&(*conf)->warnings);
	arena_fini(&(*conf)->arena);
	free((*conf)->set);
	free((*conf)->etc);
	free(*conf);
	*conf = NULL;
}

static struct setting *setting_new(
    struct conf *conf, struct slice name, struct slice value, const char *origin)
{
	struct setting *s = arena_zero(&conf->arena, 1, sizeof(*s));

	s->name = arena_strndup(&conf->arena, name.data ? name.data : "", name.len);
	s->value = arena_strndup(&conf->arena, value.data ? value.data : "", value.len);
	s->origin = arena_strdup(&conf->arena, origin);
	return s;
}

static void remember(struct conf *conf, struct setting *s)
{
	struct setting *old = map_get(conf->by_name, s->name);

	if (old) {
		str_printf(&conf->warnings, "%s: %s is set again; %s was the earlier place\n",
		    s->origin, s->name, old->origin);
		*old = *s; /* keeps its place in the order of the file */
		return;
	}
	if (conf->set_count == conf->set_cap) {
		conf->set_cap = conf->set_cap ? conf->set_cap * 2 : 64;
		conf->set = alloc_array(conf->set, conf->set_cap, sizeof(struct setting *));
	}
	conf->set[conf->set_count++] = s;
	map_put(conf->by_name, s->name, s);
}

/* A name is one word; it may hold anything but white space and '='. */
static bool name_is_sound(struct slice name)
{
	if (name.len == 0)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if ((unsigned char)name.data[i] <= ' ' || name.data[i] == 127)
			return false;
	}
	return true;
}

static int read_line(
    struct conf *conf, const char *path, int line, struct slice text, struct err *err)
{
	const char *eq = text.len ? memchr(text.data, '=', text.len) : NULL;
	char where[32];
	struct slice name, value;
	char *origin;

	snprintf(where, sizeof(where), "line %d", line);
	if (text.len && memchr(text.data, '\0', text.len))
		return err_set(err, 0, "%s: %s: a zero byte; expected text", path, where);
	if (!eq)
		return err_set(err, 0, "%s: %s: \"%.60s%s\": expected \"name = value\"", path,
		    where, text.data, text.len > 60 ? "..." : "");
	name = slice_trim(slice_of(text.data, (size_t)(eq - text.data)));
	value = slice_trim(slice_of(eq + 1, text.len - (size_t)(eq + 1 - text.data)));
	if (!name_is_sound(name))
		return err_set(err, 0,
		    "%s: %s: \"%.60s%s\": expected one parameter name before '='", path, where,
		    text.data, text.len > 60 ? "..." : "");
	origin = arena_printf(&conf->arena, "%s: %s", path, where);
	remember(conf, setting_new(conf, name, value, origin));
	return 0;
}

int conf_load_text(const char *etc, const char *path, const char *text, size_t len,
    struct conf **conf_out, struct err *err)
{
	struct conf *conf = conf_new(etc);
	struct lines lines = {.text = text, .len = len};
	struct slice line;
	int result = 0;

	while (result == 0 && lines_next(&lines, &line)) {
		if (lines.orphan) {
			str_printf(&conf->warnings,
			    "%s: line %d: starts with white space but continues no line; ignored\n",
			    path, lines.start_line);
			continue;
		}
		result = read_line(conf, path, lines.start_line, line, err);
	}
	lines_fini(&lines);
	if (result < 0)
		conf_free(&conf);
	*conf_out = conf;
	return result;
}

int conf_load(const char *etc, struct conf **conf_out, struct err *err)
{
	char *path = alloc_printf("%s%smain.cf", etc, text_ends_nocase(etc, "/") ? "" : "/");
	struct str text = {0};
	int result;

	*conf_out = NULL;
	result = fd_read_file(path, MAIN_CF_MAX, &text, err);
	if (result == 0)
		result = conf_load_text(etc, path, str_text(&text), text.len, conf_out, err);
	str_fini(&text);
	free(path);
	return result;
}

const char *conf_etc(const struct conf *conf)
{
	return conf->etc;
}

const char *conf_warnings(const struct conf *conf)
{
	return str_text(&conf->warnings);
}

struct arena *conf_arena(struct conf *conf)
{
	return &conf->arena;
}

void conf_set(struct conf *conf, const char *name, const char *value, const char *origin)
{
	struct setting *s = setting_new(
	    conf, slice_text(name), slice_trim(slice_text(value)), origin ? origin : "-o");

	map_put(conf->overrides, s->name, s);
	map_free(&conf->computed, NULL);
	conf->computed = map_new();
}

static const struct setting *find_set(const struct conf *conf, const char *name)
{
	const struct setting *s = map_get(conf->overrides, name);

	return s ? s : map_get(conf->by_name, name);
}

bool conf_is_set(const struct conf *conf, const char *name)
{
	return find_set(conf, name) != NULL;
}

const char *conf_origin(const struct conf *conf, const char *name)
{
	const struct setting *s = find_set(conf, name);

	return s ? s->origin : NULL;
}

/* "<transport>_time_limit" is "$command_time_limit" unless set. Kept, for it is asked for often. */
static const char *family_default(struct conf *conf, const char *name)
{
	const struct conf_family *family = conf_family_find(name);
	char *text = map_get(conf->computed, name);

	if (!family || text)
		return text;
	text = arena_printf(&conf->arena, "$%s", family->fallback);
	map_put(conf->computed, name, text);
	return text;
}

const char *conf_default(struct conf *conf, const char *name)
{
	const struct conf_param *row;
	const struct catalogue_row *known;
	const char *text = conf_compute(conf, name);

	if (text)
		return text;
	row = map_get(conf->defaults, name);
	if (row)
		return row->dflt;
	known = catalogue_find(name);
	return known ? (known->dflt ? known->dflt : "") : family_default(conf, name);
}

const char *conf_raw(struct conf *conf, const char *name)
{
	const struct setting *s = find_set(conf, name);

	return s ? s->value : conf_default(conf, name);
}

bool conf_next_set(const struct conf *conf, size_t *cursor, const char **name_out,
    const char **value_out, const char **origin_out)
{
	const struct setting *s;

	if (*cursor >= conf->set_count)
		return false;
	s = conf->set[(*cursor)++];
	if (name_out)
		*name_out = s->name;
	if (value_out)
		*value_out = s->value;
	if (origin_out)
		*origin_out = s->origin;
	return true;
}

void conf_register(struct conf *conf, const struct conf_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		union {
			const struct conf_param *row;
			void *value;
		} u = {.row = &table->rows[i]};

		map_put(conf->defaults, table->rows[i].name, u.value);
	}
}
