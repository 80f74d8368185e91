/* SPDX-License-Identifier: ISC */
#include "lib/route/router.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

static bool list_has(const struct conf_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (text_eq_nocase(list->items[i], name))
			return true;
	}
	return false;
}

static struct hop split_hop(struct router *router, const char *text)
{
	struct hop hop;

	route_split_nexthop(text, &router->arena, &hop.transport, &hop.nexthop);
	return hop;
}

static void open_lists(
    struct router *r, const struct core_params *core, const struct route_params *params)
{
	const struct conf_list *parents = &params->parent_domain_matches_subdomains;

	r->mydestination = match_list_open("mydestination", core->mydestination, 0);
	r->relay_domains = match_list_open("relay_domains", core->relay_domains,
	    list_has(parents, "relay_domains") ? MATCH_SUBDOMAINS : 0);
	r->virtual_alias_domains =
	    match_list_open("virtual_alias_domains", params->virtual_alias_domains, 0);
	r->virtual_mailbox_domains =
	    match_list_open("virtual_mailbox_domains", params->virtual_mailbox_domains, 0);
	r->transport_subdomains = list_has(parents, "transport_maps");
}

static void open_tables(struct router *r, const struct route_params *params)
{
	r->transport_maps =
	    table_chain_open(params->transport_maps, TABLE_FOLD_KEY | TABLE_NO_GROUPS);
	r->relayhost_maps = table_chain_open(
	    params->sender_dependent_relayhost_maps, TABLE_FOLD_KEY | TABLE_NO_GROUPS);
	r->default_transport_maps = table_chain_open(
	    params->sender_dependent_default_transport_maps, TABLE_FOLD_KEY | TABLE_NO_GROUPS);
	r->local_recipients = table_chain_open(params->local_recipient_maps, TABLE_FOLD_KEY);
	r->relay_recipients = table_chain_open(params->relay_recipient_maps, TABLE_FOLD_KEY);
	r->virtual_mailboxes = table_chain_open(params->virtual_mailbox_maps, TABLE_FOLD_KEY);
}

struct router *router_new(const struct core_params *core, const struct route_params *params)
{
	struct router *r = alloc_zero(1, sizeof(*r));

	r->core = core;
	r->params = params;
	r->local = split_hop(r, params->local_transport);
	r->virtual = split_hop(r, params->virtual_transport);
	r->relay = split_hop(r, params->relay_transport);
	r->default_ = split_hop(r, params->default_transport);
	open_lists(r, core, params);
	open_tables(r, params);
	return r;
}

void router_free(struct router **router)
{
	struct router *r = *router;

	if (!r)
		return;
	*router = NULL;
	match_list_close(&r->mydestination);
	match_list_close(&r->relay_domains);
	match_list_close(&r->virtual_alias_domains);
	match_list_close(&r->virtual_mailbox_domains);
	table_chain_close(&r->transport_maps);
	table_chain_close(&r->relayhost_maps);
	table_chain_close(&r->default_transport_maps);
	table_chain_close(&r->local_recipients);
	table_chain_close(&r->relay_recipients);
	table_chain_close(&r->virtual_mailboxes);
	own_addrs_fini(&r->own);
	str_fini(&r->value);
	str_fini(&r->key);
	arena_fini(&r->arena);
	arena_fini(&r->work);
	free(r);
}

enum table_age router_age(struct router *r)
{
	struct match_list *lists[] = {r->mydestination, r->relay_domains, r->virtual_alias_domains,
	    r->virtual_mailbox_domains};
	struct table_chain *chains[] = {r->transport_maps, r->relayhost_maps,
	    r->default_transport_maps, r->local_recipients, r->relay_recipients,
	    r->virtual_mailboxes};
	enum table_age worst = TABLE_FRESH;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		worst = MAX(worst, match_list_age(lists[i]));
	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		worst = MAX(worst, table_chain_age(chains[i]));
	return worst;
}
