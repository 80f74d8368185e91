/* SPDX-License-Identifier: ISC */
/* Tables that the parameters of a program name: wrong ones are said before they are needed. */
#include "lib/service/private.h"

#include <string.h>

#include "lib/table/check.h"

static const char *text_of(const struct conf_param *row, const void *params)
{
	if (row->kind != &conf_kind_text)
		return "";
	return *(const char *const *)((const char *)params + row->offset);
}

/* What results are is said by who decides where mail goes: a stranger's text has no part in it. */
static int flags_of(const char *name)
{
	static const char *const guarded[] = {"transport_maps", "sender_dependent_relayhost_maps",
	    "sender_dependent_default_transport_maps"};

	for (size_t i = 0; i < ARRAY_LEN(guarded); i++)
		if (strcmp(name, guarded[i]) == 0)
			return TABLE_FOLD_KEY | TABLE_NO_GROUPS;
	return TABLE_FOLD_KEY;
}

static void check_row(
    struct conf *conf, const struct conf_param *row, const void *params, struct conf_report *report)
{
	const char *origin = conf_origin(conf, row->name), *place;
	enum table_use use = table_use_of(row->name);

	/* defaults name tables that a host need not have */
	if (!origin || use == TABLE_USE_NONE)
		return;
	place = arena_printf(conf_arena(conf), "%s: %s", origin, row->name);
	if (use == TABLE_USE_TABLES)
		table_check_list(text_of(row, params), flags_of(row->name), place, report);
	else
		match_list_check(text_of(row, params), place, report);
}

void service_check_tables(struct service *s, struct conf_report *report)
{
	for (size_t i = 0; i < core_params.count; i++)
		check_row(s->conf, &core_params.rows[i], &s->core, report);
	for (size_t i = 0; s->spec->tables && s->spec->tables[i]; i++) {
		const struct conf_table *table = s->spec->tables[i];

		for (size_t k = 0; table != &core_params && k < table->count; k++)
			check_row(s->conf, &table->rows[k], s->spec->params[i], report);
	}
}
