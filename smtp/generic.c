/* SPDX-License-Identifier: ISC */
#include "smtp/generic.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/mail/address.h"
#include "lib/shape/map.h"
#include "lib/table/match.h"

struct generic {
	const struct smtp_content_params *params;
	const struct core_params *core;
	struct table_chain *tables;
	struct match_list *local; /* mydestination */
};

struct generic *generic_open(
    const struct smtp_content_params *params, const struct core_params *core)
{
	struct generic *g;

	if (!*params->generic_maps)
		return NULL;
	g = alloc_zero(1, sizeof(*g));
	g->params = params;
	g->core = core;
	g->tables = table_chain_open(params->generic_maps, TABLE_FOLD_KEY);
	g->local = match_list_open("mydestination", core->mydestination, 0);
	return g;
}

enum table_age generic_age(const struct generic *g)
{
	return g ? table_chain_age(g->tables) : TABLE_FRESH;
}

void generic_close(struct generic **generic)
{
	struct generic *g = *generic;

	if (!g)
		return;
	table_chain_close(&g->tables);
	match_list_close(&g->local);
	free(g);
	*generic = NULL;
}

/* Are bare user names looked up for this domain? */
static bool is_local(const struct generic *g, const char *address)
{
	const char *at = strrchr(address, '@');

	return !at || text_eq_nocase(at + 1, g->core->myorigin) ||
	       match_list_text(g->local, at + 1, NULL) == TABLE_FOUND;
}

static void complete(const struct generic *g, struct str *address)
{
	const char *at = strrchr(str_text(address), '@');

	if (!at && g->params->append_at_myorigin)
		str_printf(address, "@%s", g->core->myorigin);
	else if (at && !strchr(at, '.') && at[1] != '[' && g->params->append_dot_mydomain)
		str_printf(address, ".%s", g->core->mydomain);
}

int generic_map(
    struct generic *g, const char *address, struct arena *arena, const char **out, struct err *err)
{
	struct str mapped = {0};
	enum table_answer answer = TABLE_NOT_FOUND;

	*out = address;
	if (g && *address)
		answer = table_chain_map_address(g->tables, address, g->core->recipient_delimiter,
		    is_local(g, address), g->params->propagate & PROPAGATE_GENERIC, &mapped, err);
	if (answer == TABLE_FOUND) {
		complete(g, &mapped);
		*out = arena_strdup(arena, str_text(&mapped));
	}
	str_fini(&mapped);
	return answer == TABLE_ERROR ? err_prefix(err, "generic address mapping: ") : 0;
}

bool generic_has_addresses(struct slice name)
{
	static const char *const names[] = {"Apparently-To", "Bcc", "Cc",
	    "Disposition-Notification-To", "Errors-To", "From", "Mail-Followup-To", "Reply-To",
	    "Resent-Bcc", "Resent-Cc", "Resent-From", "Resent-Reply-To", "Resent-Sender",
	    "Resent-To", "Return-Path", "Return-Receipt-To", "Sender", "To"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_nocase(name, names[i]))
			return true;
	return false;
}

int generic_map_field(
    struct generic *g, const struct header *field, struct str *out, struct err *err)
{
	const char *from = field->whole.data, *end = from + field->whole.len;
	struct str address = {0};
	struct arena arena = {0};
	struct slice span;
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && address_next(field->value, &at, &address, &span) > 0) {
		const char *text = str_cstr(&address), *mapped;

		if (!text || !*text)
			continue;
		rc = generic_map(g, text, &arena, &mapped, err);
		if (rc < 0 || mapped == text)
			continue;
		str_put(out, from, (size_t)(span.data - from));
		address_quote(out, mapped);
		from = span.data + span.len;
	}
	if (rc == 0)
		str_put(out, from, (size_t)(end - from));
	str_fini(&address);
	arena_fini(&arena);
	return rc;
}
