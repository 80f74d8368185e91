/* SPDX-License-Identifier: ISC */
/* Are the names right? Misspellings are found by edit distance. */
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/near.h"
#include "lib/conf/catalogue.h"
#include "lib/conf/conf.h"
#include "lib/conf/names.h"

#define FAR 3 /* more edits than this is no misspelling */

const char *conf_names_nearest(const struct conf_names *names, const char *name)
{
	const struct conf_table *const *tables = conf_names_tables(names);
	size_t best_distance = MIN((size_t)FAR, strlen(name) / 3) + 1, d;
	const char *best = NULL;

	for (size_t i = 0; i < catalogue_count; i++) {
		d = near_distance(name, catalogue_rows[i].name, FAR);
		if (d < best_distance) {
			best_distance = d;
			best = catalogue_rows[i].name;
		}
	}
	for (; *tables; tables++) {
		for (size_t i = 0; i < (*tables)->count; i++) {
			d = near_distance(name, (*tables)->rows[i].name, FAR);
			if (d < best_distance) {
				best_distance = d;
				best = (*tables)->rows[i].name;
			}
		}
	}
	return best;
}

/* What has no effect is one warning per file: a real main.cf has dozens of such lines. */
struct idle {
	struct str file, list;
	size_t count;
};

static void idle_end(struct idle *idle, struct conf_report *report)
{
	if (idle->count == 1)
		conf_report_warning(report, "%s: %s is known, but has no effect in this version",
		    str_text(&idle->file), str_text(&idle->list));
	else if (idle->count > 1)
		conf_report_warning(report,
		    "%s: %zu parameters are known, but have no effect in this version: %s",
		    str_text(&idle->file), idle->count, str_text(&idle->list));
	str_fini(&idle->file);
	str_fini(&idle->list);
	*idle = (struct idle){0};
}

/* origin is "FILE: line 7", perhaps with more behind it, or "-o". */
static void idle_add(
    struct idle *idle, const char *name, const char *origin, struct conf_report *report)
{
	static const char mark[] = ": line ";
	const char *line = strstr(origin, mark);
	size_t file_len = line ? (size_t)(line - origin) : strlen(origin);

	if (idle->count > 0 &&
	    (idle->file.len != file_len || memcmp(idle->file.data, origin, file_len) != 0))
		idle_end(idle, report);
	if (idle->count++ == 0)
		str_put(&idle->file, origin, file_len);
	str_printf(&idle->list, "%s%s", idle->count > 1 ? ", " : "", name);
	if (line) {
		line += sizeof(mark) - 1;
		str_printf(&idle->list, " (line %.*s)", (int)strspn(line, "0123456789"), line);
	}
}

static void check_name(const struct conf_names *names, const char *name, const char *origin,
    int what, struct idle *idle, struct conf_report *report)
{
	const char *guess;

	if ((what & CONF_CHECK_DEPRECATED) && catalogue_deprecated(name, &guess))
		conf_report_warning(report,
		    "%s: support for parameter \"%s\" will be removed; instead, %s%s%s", origin,
		    name, guess ? "specify \"" : "do not specify", guess ? guess : "",
		    guess ? "\"" : "");
	if (conf_names_class(names, name) != CONF_NAME_UNKNOWN) {
		if ((what & CONF_CHECK_EFFECT) && !conf_names_has_effect(names, name))
			idle_add(idle, name, origin, report);
		return;
	}
	if (!(what & CONF_CHECK_UNKNOWN))
		return;
	guess = conf_names_nearest(names, name);
	conf_report_warning(report, "%s: %s: unknown parameter%s%s%s", origin, name,
	    guess ? ", did you mean " : "", guess ? guess : "", guess ? "?" : "");
}

void conf_check_names(struct conf *conf, const struct conf_names *names,
    const struct master_cf *services, int what, struct conf_report *report)
{
	const char *name, *origin;
	struct idle idle = {0};
	size_t cursor = 0;

	while (conf_next_set(conf, &cursor, &name, NULL, &origin))
		check_name(names, name, origin, what, &idle, report);
	for (size_t i = 0; services && i < services->count; i++) {
		const struct master_cf_entry *e = &services->entries[i];

		for (size_t j = 0; j < e->override_count; j++) {
			origin = arena_printf(conf_arena(conf), "master.cf: line %d: %s/%s: -o",
			    e->line, e->name, master_cf_type_name(e->type));
			if (!conf_is_set(conf, e->overrides[j].name))
				check_name(
				    names, e->overrides[j].name, origin, what, &idle, report);
		}
	}
	idle_end(&idle, report);
}
