/* SPDX-License-Identifier: ISC */
#include "lib/route/router.h"

#include <string.h>

void route_split_nexthop(
    const char *text, struct arena *arena, const char **transport_out, const char **nexthop_out)
{
	const char *colon = text[0] == '[' ? NULL : strchr(text, ':');

	if (text[0] == '[' || (colon && colon > text && colon[1] &&
	                          strspn(colon + 1, "0123456789") == strlen(colon + 1))) {
		*transport_out = "";
		*nexthop_out = arena_strdup(arena, text);
		return;
	}
	if (!colon) {
		*transport_out = arena_strdup(arena, text);
		*nexthop_out = "";
		return;
	}
	*transport_out = arena_strndup(arena, text, (size_t)(colon - text));
	*nexthop_out = arena_strdup(arena, colon + 1);
}

/*
 * What a table says: ":" changes nothing, ":nexthop" only the nexthop, "transport:" goes to the
 * recipient's domain whatever relayhost says.
 */
static enum table_answer apply(
    struct router *router, const char *domain, struct arena *arena, struct route *out)
{
	const char *text = str_text(&router->value), *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	const char *nexthop = colon ? colon + 1 : "";

	if (len > 0)
		out->transport = arena_strndup(arena, text, len);
	if (nexthop[0])
		out->nexthop = arena_strdup(arena, nexthop);
	else if (len > 0)
		out->nexthop = arena_strdup(arena, domain);
	return TABLE_FOUND;
}

/* domain, then its parents as ".parent" (or as "parent" where the configuration says so). */
static enum table_answer domain_lookup(struct router *router, const char *domain, struct err *err)
{
	struct table_chain *maps = router->transport_maps;
	enum table_answer answer = table_chain_get(maps, domain, &router->value, err);
	const char *dot;

	if (domain[0] == '[')
		return answer;
	for (dot = strchr(domain + (domain[0] == '.'), '.');
	     dot && dot[1] && answer == TABLE_NOT_FOUND; dot = strchr(dot + 1, '.'))
		answer = table_chain_get(
		    maps, router->transport_subdomains ? dot + 1 : dot, &router->value, err);
	return answer;
}

enum table_answer transport_lookup(struct router *router, const char *address, const char *domain,
    struct arena *arena, struct route *out, struct err *err)
{
	struct table_chain *maps = router->transport_maps;
	enum table_answer answer;

	if (table_chain_empty(maps))
		return TABLE_NOT_FOUND;
	answer = table_chain_get_address(
	    maps, address, router->core->recipient_delimiter, false, &router->value, err);
	if (answer == TABLE_NOT_FOUND)
		answer = domain_lookup(router, domain, err);
	if (answer == TABLE_NOT_FOUND)
		answer = table_chain_get(maps, "*", &router->value, err);
	if (answer == TABLE_FOUND)
		return apply(router, domain, arena, out);
	return answer;
}
