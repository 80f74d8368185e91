/* SPDX-License-Identifier: ISC */
#include "qmgr/check.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/conf/conf.h"
#include "lib/table/table.h"
#include "qmgr/backoff.h"
#include "qmgr/params.h"
#include "qmgr/rate.h"

typedef int parse_fn(const char *value, struct err *err);

struct place {
	struct conf *conf;
	const char *parameter;
	parse_fn *parse;
	struct conf_report *report;
};

static int parse_rate(const char *value, struct err *err)
{
	struct rate rate;

	return rate_parse(value, &rate, err);
}

static int parse_backoff(const char *value, struct err *err)
{
	struct backoff backoff;

	return backoff_parse(value, &backoff, err);
}

static void problem(const struct place *p, const char *text)
{
	const char *origin = conf_origin(p->conf, p->parameter);

	conf_report_problem(
	    p->report, "%s: %s: %s", origin ? origin : "default", p->parameter, text);
}

/* An entry, or one that the table itself could not read. */
static void check_entry(const struct place *p, const struct table *table, int rc,
    const struct str *key, const struct str *value, struct err *err)
{
	char *text;

	if (rc < 0) {
		problem(p, err->text);
	} else if (p->parse(str_text(value), err) < 0) {
		text = alloc_printf("%s: %s: value \"%s\": %s", table_name(table), str_text(key),
		    str_text(value), err->text);
		problem(p, text);
		free(text);
	}
}

static void check_table(const struct place *p, const char *name)
{
	struct str key = {0}, value = {0};
	struct table *table;
	struct err err = {0};
	size_t before;
	int rc;

	if (table_open(name, TABLE_FOLD_KEY, &table, &err) < 0) {
		problem(p, err.text);
		return;
	}
	before = p->report->problems;
	for (bool first = true; (rc = table_next_rule(table, first, &key, &value, &err)) != 0;
	     first = false) {
		check_entry(p, table, rc, &key, &value, &err);
		if (p->report->problems - before >= 20 || (rc < 0 && !table_is_pattern(table)))
			break;
	}
	table_close(&table);
	str_fini(&key);
	str_fini(&value);
}

static void check_list(const struct place *p, const char *list)
{
	struct slice item;

	while (table_list_next(&list, &item)) {
		char *name = alloc_strndup(item.data, item.len);

		check_table(p, name);
		free(name);
	}
}

void check_tables(struct conf *conf, const struct qmgr_params *params, struct conf_report *report)
{
	const struct {
		const char *parameter, *list;
		parse_fn *parse;
	} all[] = {
	    {"transport_rate_maps", params->transport_rate_maps, parse_rate},
	    {"destination_rate_maps", params->destination_rate_maps, parse_rate},
	    {"mx_rate_maps", params->mx_rate_maps, parse_rate},
	    {"destination_backoff_maps", params->destination_backoff_maps, parse_backoff},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		check_list(
		    &(struct place){conf, all[i].parameter, all[i].parse, report}, all[i].list);
}
