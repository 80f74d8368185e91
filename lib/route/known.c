/* SPDX-License-Identifier: ISC */
#include "lib/route/router.h"

#include <string.h>

#include "lib/mail/address.h"

/* Addresses that mail systems need to reach: never unknown at our own domains. */
static bool always_known(const struct router *router, const char *recipient)
{
	struct slice local;
	const char *domain;

	address_split(recipient, &local, &domain);
	return slice_eq_nocase(local, "postmaster") ||
	       slice_eq_nocase(local, router->core->double_bounce_sender) ||
	       slice_eq_nocase(local, router->core->empty_address_recipient);
}

static enum table_answer lookup(struct router *router, struct table_chain *maps,
    const char *recipient, bool is_local, struct err *err)
{
	return table_chain_get_address(
	    maps, recipient, router->core->recipient_delimiter, is_local, &router->value, err);
}

enum table_answer route_recipient_known(
    struct router *router, const struct route *route, struct err *err)
{
	const bool is_local = route->class_ == ROUTE_LOCAL;
	struct table_chain *maps = NULL;
	enum table_answer answer;

	switch (route->class_) {
	case ROUTE_LOCAL:
		if (always_known(router, route->recipient))
			return TABLE_FOUND;
		maps = router->local_recipients;
		break;
	case ROUTE_RELAY:
		maps = router->relay_recipients;
		break;
	case ROUTE_VIRTUAL_MAILBOX:
		maps = router->virtual_mailboxes;
		break;
	case ROUTE_VIRTUAL_ALIAS:
		maps = router->virtual_aliases;
		return table_chain_empty(maps) ? TABLE_NOT_FOUND
		                               : lookup(router, maps, route->recipient, false, err);
	case ROUTE_DEFAULT:
		return TABLE_FOUND;
	}
	if (table_chain_empty(maps))
		return TABLE_FOUND;
	answer = lookup(router, maps, route->recipient, is_local, err);
	if (answer == TABLE_NOT_FOUND && !table_chain_empty(router->virtual_aliases))
		answer = lookup(router, router->virtual_aliases, route->recipient, is_local, err);
	return answer;
}
