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

/*
 * Any match will do, so the bare names go first: that is where the user database answers, and each
 * question to it that cannot be answered costs a walk through nsswitch.
 */
static enum table_answer lookup_local(struct router *router, const char *recipient, struct err *err)
{
	struct table_chain *maps = router->local_recipients;
	enum table_answer answer;
	struct slice local;
	const char *domain;

	address_split(recipient, &local, &domain);
	if (slice_has(local, '@')) /* as a key it would be taken for user@domain */
		return lookup(router, maps, recipient, true, err);
	str_clear(&router->key);
	str_put(&router->key, local.data, local.len);
	answer = lookup(router, maps, str_text(&router->key), true, err);
	if (answer == TABLE_NOT_FOUND && domain)
		answer = lookup(router, maps, recipient, false, err);
	return answer;
}

enum table_answer route_recipient_known(
    struct router *router, const struct route *route, struct err *err)
{
	const bool is_local = route->class_ == ROUTE_LOCAL;
	struct table_chain *maps = NULL;

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
		return TABLE_NOT_FOUND;
	case ROUTE_DEFAULT:
		return TABLE_FOUND;
	}
	if (table_chain_empty(maps))
		return TABLE_FOUND;
	return is_local ? lookup_local(router, route->recipient, err)
	                : lookup(router, maps, route->recipient, false, err);
}
