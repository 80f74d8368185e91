/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/conf/private.h"

/* Expands (all kinds but raw) and reads one text into the member at `at`. */
static int read_value(
    struct conf *conf, const struct conf_param *row, const char *raw, void *at, struct err *err)
{
	struct str text = {0};
	struct slice value;
	int result = 0;

	if (row->kind == &conf_kind_raw)
		str_put_text(&text, raw);
	else
		result = conf_expand(conf, raw, &text, err);
	if (result == 0) {
		value = slice_trim(slice_of(str_text(&text), text.len));
		str_consume(&text, (size_t)(value.data - str_text(&text)));
		str_cut(&text, value.len);
		result = row->kind->parse(conf, row, str_text(&text), at, err);
	}
	str_fini(&text);
	return result;
}

/* Something sound for a member whose value and default are both unusable. */
static void fill_fallback(struct conf *conf, const struct conf_param *row, void *at)
{
	char number[32];
	struct err ignored;

	snprintf(number, sizeof(number), "%lld", (long long)row->min);
	if (row->kind->parse(conf, row, "", at, &ignored) == 0 ||
	    row->kind->parse(conf, row, number, at, &ignored) == 0 ||
	    row->kind->parse(conf, row, "no", at, &ignored) == 0)
		return;
	if (row->names)
		row->kind->parse(conf, row, row->names[0].name, at, &ignored);
}

static void fill_row(
    struct conf *conf, const struct conf_param *row, void *at, struct conf_report *report)
{
	const char *raw = conf_raw(conf, row->name), *origin = conf_origin(conf, row->name);
	struct err err = {0};

	if (read_value(conf, row, raw, at, &err) == 0)
		return;
	conf_report_problem(report, "%s: %s = %.200s: %s", origin ? origin : "default value",
	    row->name, raw, err.text);
	if (!origin || read_value(conf, row, conf_default(conf, row->name), at, &err) < 0)
		fill_fallback(conf, row, at);
}

static bool has_row(const struct conf_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->rows[i].name, name) == 0)
			return true;
	}
	return false;
}

/* "smtp_destination_concurrency_limit = many": found now, not when smtp gets its first mail. */
static void check_families(
    struct conf *conf, const struct conf_table *table, struct conf_report *report)
{
	const char *name, *raw, *origin;
	_Alignas(16) char scratch[64];
	struct err err;

	for (size_t cursor = 0; conf_next_set(conf, &cursor, &name, &raw, &origin);) {
		const struct conf_family *family = conf_family_find(name);
		struct conf_param row = {.name = name};

		if (!family || has_row(table, name) || !has_row(table, family->fallback))
			continue;
		row.kind = family->kind;
		row.min = family->min;
		row.max = family->max;
		row.dflt = conf_default(conf, family->fallback);
		if (read_value(conf, &row, raw, scratch, &err) < 0)
			conf_report_problem(
			    report, "%s: %s = %.200s: %s", origin, name, raw, err.text);
	}
}

int conf_fill(
    struct conf *conf, const struct conf_table *table, void *out, struct conf_report *report)
{
	size_t before = report->problems;

	conf_register(conf, table);
	for (size_t i = 0; i < table->count; i++)
		fill_row(conf, &table->rows[i], (char *)out + table->rows[i].offset, report);
	check_families(conf, table, report);
	return report->problems == before ? 0 : -1;
}

int conf_check_values(
    struct conf *conf, const struct conf_table *const *tables, struct conf_report *report)
{
	size_t before = report->problems;
	struct map *seen = map_new();
	_Alignas(16) char scratch[256]; /* no kind's member is larger */

	for (size_t t = 0; tables[t]; t++)
		conf_register(conf, tables[t]);
	for (size_t t = 0; tables[t]; t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct conf_param *row = &tables[t]->rows[i];

			if (!map_put(seen, row->name, seen))
				fill_row(conf, row, scratch, report);
		}
		check_families(conf, tables[t], report);
	}
	map_free(&seen, NULL);
	return report->problems == before ? 0 : -1;
}

void conf_family_get(
    struct conf *conf, const struct conf_family *family, const char *transport, void *out)
{
	const char *name = arena_printf(&conf->arena, "%s%s", transport, family->suffix);
	struct conf_param row = {.name = name,
	    .kind = family->kind,
	    .min = family->min,
	    .max = family->max,
	    .dflt = conf_default(conf, family->fallback)};
	const char *raw = conf_raw(conf, name), *origin = conf_origin(conf, name);
	struct err err = {0};

	if (raw && read_value(conf, &row, raw, out, &err) == 0)
		return;
	if (raw && !map_put(conf->complained, name, conf))
		log_warn("%s: %s = %s: %s", origin ? origin : "default value", name, raw, err.text);
	row.name = family->fallback;
	raw = conf_raw(conf, family->fallback);
	if (raw && read_value(conf, &row, raw, out, &err) == 0)
		return;
	if (!row.dflt || read_value(conf, &row, row.dflt, out, &err) < 0)
		fill_fallback(conf, &row, out);
}
