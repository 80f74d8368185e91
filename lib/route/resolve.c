/* SPDX-License-Identifier: ISC */
#include "lib/route/router.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"

/*
 * The order is that of Postfix's trivial-rewrite(8): first the address is peeled until its domain
 * is not ours or its local part holds no further address; then the domain gives the class, the
 * class the transport; then the transport table has the last word.
 */
enum { PEEL_MAX = 50 };

static bool is_numeric(const char *domain)
{
	return domain[0] && strspn(domain, "0123456789.") == strlen(domain) && strchr(domain, '.');
}

enum table_answer route_domain_is_local(struct router *router, const char *domain, struct err *err)
{
	if (domain[0] == '[')
		return own_addrs_match(router, domain) ? TABLE_FOUND : TABLE_NOT_FOUND;
	return match_list_text(router->mydestination, domain, err);
}

/* Address in its present state; domain points into address. */
struct peel {
	const char *address, *domain;
	bool local, bad;
};

/* user@a%b@ours, x!y@ours, "x@y"@ours: gives the inner address, or NULL when there is none. */
static const char *inner_address(struct router *router, const char *address, struct arena *arena)
{
	const char *at = strrchr(address, '@');
	char *local = arena_strndup(arena, address, (size_t)(at - address));
	char *mark;

	if (router->params->resolve_dequoted_address && strchr(local, '@'))
		return local;
	mark = router->params->swap_bangpath ? strchr(local, '!') : NULL;
	if (mark && mark > local && mark[1])
		return arena_printf(arena, "%s@%.*s", mark + 1, (int)(mark - local), local);
	mark = router->params->allow_percent_hack ? strrchr(local, '%') : NULL;
	if (mark && mark > local && mark[1]) {
		*mark = '@';
		return local;
	}
	return NULL;
}

/* Brings the domain into the form that is looked up. */
static void set_domain(struct router *router, struct peel *p, struct arena *arena)
{
	struct net_addr literal;
	const char *at = strrchr(p->address, '@');
	size_t len = strlen(p->address);

	if (at && at[1] && at[2] && p->address[len - 1] == '.') {
		p->address = arena_strndup(arena, p->address, len - 1);
		at = strrchr(p->address, '@');
	}
	if (at && !at[1] && router->params->resolve_null_domain) {
		p->address = arena_strndup(arena, p->address, (size_t)(at - p->address));
		at = strrchr(p->address, '@');
	}
	if (!at) {
		p->address = arena_printf(arena, "%s@%s", p->address, router->core->myorigin);
		at = strrchr(p->address, '@');
	}
	if (is_numeric(at + 1) && router->params->resolve_numeric_domain) {
		p->address =
		    arena_printf(arena, "%.*s[%s]", (int)(at + 1 - p->address), p->address, at + 1);
		at = strrchr(p->address, '@');
	}
	p->domain = at + 1;
	p->bad = at == p->address || (p->address[0] == '-' && !router->params->allow_min_user) ||
	         (p->domain[0] == '[' ? !own_addr_parse(p->domain, &literal)
	                              : !address_domain_valid(p->domain));
}

static int peel(struct router *router, struct peel *p, struct err *err)
{
	struct arena *arena = &router->work;
	const char *inner;
	int i;

	for (i = 0; i < PEEL_MAX; i++) {
		set_domain(router, p, arena);
		if (p->bad)
			return 0;
		switch (route_domain_is_local(router, p->domain, err)) {
		case TABLE_ERROR:
			return err_prefix(err, "mydestination: ");
		case TABLE_NOT_FOUND:
			return 0;
		case TABLE_FOUND:
			break;
		}
		p->local = true;
		if (!strpbrk(p->address, "%!") && strchr(p->address, '@') == p->domain - 1)
			return 0;
		inner = inner_address(router, p->address, arena);
		if (!inner)
			return 0;
		p->local = false;
		p->address = inner;
	}
	p->bad = true;
	return 0;
}

static void use_hop(
    const struct hop *hop, const char *domain, struct arena *arena, struct route *out)
{
	out->transport = arena_strdup(arena, hop->transport);
	out->nexthop = arena_strdup(arena, hop->nexthop[0] ? hop->nexthop : domain);
}

/*
 * Sender tables: the address (with and without extension), then @domain. "DUNNO" says
 * that the sender has no place of its own: *out is NULL then.
 */
static enum table_answer by_sender(struct router *router, struct table_chain *maps,
    const char *parameter, const char *sender, const char *null_key, const char **out,
    struct err *err)
{
	enum table_answer answer;

	*out = NULL;
	if (table_chain_empty(maps))
		return TABLE_NOT_FOUND;
	if (!sender[0])
		answer = table_chain_get(maps, null_key, &router->value, err);
	else
		answer = table_chain_get_address(
		    maps, sender, router->core->recipient_delimiter, false, &router->value, err);
	if (answer == TABLE_ERROR)
		err_prefix(err, "%s: ", parameter);
	if (answer != TABLE_FOUND)
		return answer;
	if (!text_eq_nocase(str_text(&router->value), "DUNNO"))
		*out = str_text(&router->value);
	return answer;
}

/* A domain that is not ours: relayhost and what depends on the sender. */
static int off_host(struct router *router, const char *sender, const char *domain,
    struct arena *arena, struct route *out, struct err *err)
{
	const struct hop *hop = out->class_ == ROUTE_RELAY ? &router->relay : &router->default_;
	const char *value;
	struct hop mine;
	enum table_answer answer;

	if (out->class_ == ROUTE_DEFAULT) {
		answer = by_sender(router, router->default_transport_maps,
		    "sender_dependent_default_transport_maps", sender,
		    router->params->null_default_transport_key, &value, err);
		if (answer == TABLE_ERROR)
			return -1;
		if (value) {
			route_split_nexthop(value, arena, &mine.transport, &mine.nexthop);
			if (!mine.transport[0])
				mine.transport = hop->transport;
			hop = &mine;
		}
	}
	use_hop(hop, domain, arena, out);
	if (hop->nexthop[0])
		return 0;
	answer = by_sender(router, router->relayhost_maps, "sender_dependent_relayhost_maps",
	    sender, router->params->null_relayhost_key, &value, err);
	if (answer == TABLE_ERROR)
		return -1;
	if (value)
		out->nexthop = arena_strdup(arena, value);
	else if (answer == TABLE_NOT_FOUND && router->params->relayhost[0])
		out->nexthop = arena_strdup(arena, router->params->relayhost);
	return 0;
}

/* The first list that has the domain gives the class. */
static int classify(struct router *router, const struct peel *p, struct route *out, struct err *err)
{
	const struct {
		struct match_list *list;
		enum route_class class_;
		const char *name;
	} lists[] = {
	    {router->virtual_alias_domains, ROUTE_VIRTUAL_ALIAS, "virtual_alias_domains"},
	    {router->virtual_mailbox_domains, ROUTE_VIRTUAL_MAILBOX, "virtual_mailbox_domains"},
	    {router->relay_domains, ROUTE_RELAY, "relay_domains"},
	};
	size_t i;

	out->class_ = p->local ? ROUTE_LOCAL : ROUTE_DEFAULT;
	if (p->local || p->domain[0] == '[')
		return 0;
	for (i = 0; i < ARRAY_LEN(lists); i++) {
		switch (match_list_text(lists[i].list, p->domain, err)) {
		case TABLE_FOUND:
			out->class_ = lists[i].class_;
			return 0;
		case TABLE_ERROR:
			return err_prefix(err, "%s: ", lists[i].name);
		case TABLE_NOT_FOUND:
			break;
		}
	}
	return 0;
}

/*
 * Each step of peel makes a new address; a client may ask for many steps with each of many
 * recipients, and only the last one is kept.
 */
static int find_inmost(struct router *router, const char *address, struct arena *arena,
    struct peel *p, struct err *err)
{
	int rc;

	p->address = arena_strdup(
	    &router->work, address[0] ? address : router->core->empty_address_recipient);
	rc = peel(router, p, err);
	p->address = arena_strdup(arena, p->address);
	p->domain = strrchr(p->address, '@');
	if (p->domain)
		p->domain++;
	else
		p->bad = true;
	arena_reset(&router->work);
	return rc;
}

static void use_error(const char *text, struct route *out)
{
	out->transport = "error";
	out->nexthop = text;
}

int route_resolve(struct router *router, const char *sender, const char *address,
    struct arena *arena, struct route *out, struct err *err)
{
	struct peel p = {0};

	*out = (struct route){.class_ = ROUTE_DEFAULT};
	if (find_inmost(router, address, arena, &p, err) < 0)
		return -1;
	out->recipient = p.address;
	if (p.bad) {
		use_error("5.1.3 Bad recipient address syntax", out);
		return 0;
	}
	if (classify(router, &p, out, err) < 0)
		return -1;
	switch (out->class_) {
	case ROUTE_LOCAL:
		use_hop(&router->local, p.domain, arena, out);
		break;
	case ROUTE_VIRTUAL_ALIAS:
		use_error(router->params->show_user_unknown_table_name
		              ? "5.1.1 User unknown in virtual alias table"
		              : "5.1.1 User unknown",
		    out);
		return 0;
	case ROUTE_VIRTUAL_MAILBOX:
		use_hop(&router->virtual, p.domain, arena, out);
		break;
	case ROUTE_RELAY:
	case ROUTE_DEFAULT:
		if (off_host(router, sender, p.domain, arena, out, err) < 0)
			return -1;
		break;
	}
	if (transport_lookup(router, p.address, p.domain, arena, out, err) == TABLE_ERROR)
		return err_prefix(err, "transport_maps: ");
	return 0;
}
