/* SPDX-License-Identifier: ISC */
#include "lib/route/router.h"

#include <string.h>

/* "@a,@b:user@c": what is behind the route. */
static const char *without_route(const char *address)
{
	const char *colon;

	if (address[0] != '@')
		return address;
	colon = strchr(address, ':');
	return colon && colon[1] ? colon + 1 : address;
}

/* An address without '@' may be site!user or user%domain. */
static const char *from_old_forms(struct router *router, const char *address, struct arena *arena)
{
	const char *mark = NULL;

	if (router->params->swap_bangpath)
		mark = strchr(address, '!');
	if (mark && mark > address && mark[1])
		return arena_printf(arena, "%s@%.*s", mark + 1, (int)(mark - address), address);
	mark = router->params->allow_percent_hack ? strrchr(address, '%') : NULL;
	if (mark && mark > address && mark[1])
		return arena_printf(arena, "%.*s@%s", (int)(mark - address), address, mark + 1);
	return address;
}

const char *route_rewrite(struct router *router, const char *address, struct arena *arena)
{
	return route_rewrite_for(
	    router, address, router->core->myorigin, router->core->mydomain, arena);
}

const char *route_rewrite_for(struct router *router, const char *address, const char *origin,
    const char *parent, struct arena *arena)
{
	const char *domain;
	size_t len;

	if (!address[0])
		return "";
	address = without_route(address);
	if (!strchr(address, '@'))
		address = from_old_forms(router, address, arena);
	domain = strrchr(address, '@');
	if (!domain) {
		if (!router->params->append_at_myorigin || !origin[0])
			return arena_strdup(arena, address);
		return arena_printf(arena, "%s@%s", address, origin);
	}
	domain++;
	len = strlen(address);
	if (domain[0] && domain[1] && address[len - 1] == '.')
		return arena_strndup(arena, address, len - 1);
	if (domain[0] && domain[0] != '[' && !strchr(domain, '.') &&
	    router->params->append_dot_mydomain && parent[0])
		return arena_printf(arena, "%s.%s", address, parent);
	return arena_strdup(arena, address);
}
