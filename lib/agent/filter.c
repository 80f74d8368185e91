/* SPDX-License-Identifier: ISC */
#include "lib/agent/filter.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/smtp/reply.h"
#include "lib/table/table.h"

static bool same_class(const char *a, const char *b)
{
	return (a[0] == '2') == (b[0] == '2');
}

void status_filter(struct table_chain *filter, const char *where, struct arena *arena,
    const char **dsn, const char **reason)
{
	struct str value = {0};
	const char *key, *text;
	char status[12];
	struct err err;

	if (!filter || table_chain_empty(filter))
		return;
	key = arena_printf(arena, "%s %s", *dsn, *reason);
	switch (table_chain_get(filter, key, &value, &err)) {
	case TABLE_FOUND:
		text = smtp_dsn_split(str_text(&value), status);
		if (!status[0] || !*text || !same_class(status, *dsn)) {
			log_warn(
			    "%s: delivery status filter: \"%s\" for \"%s\": expected a status of "
			    "the same kind and a text",
			    where, str_text(&value), key);
			break;
		}
		*dsn = arena_strdup(arena, status);
		*reason = arena_strdup(arena, text);
		break;
	case TABLE_NOT_FOUND:
		break;
	case TABLE_ERROR:
		log_warn("%s: delivery status filter: %s", where, err.text);
		break;
	}
	str_fini(&value);
}
