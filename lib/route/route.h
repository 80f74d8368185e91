/* SPDX-License-Identifier: ISC */
#ifndef LIB_ROUTE_ROUTE_H
#define LIB_ROUTE_ROUTE_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/conf/conf.h"
#include "lib/table/table.h"

/*
 * address -> (class, transport, nexthop, recipient): what Postfix's trivial-rewrite(8) does, as a
 * library (D1). Used at the edge by smtpd, pickup, bounce, local; by qmgr only for old routes.
 */
struct route_params {
	const char *relayhost, *default_transport, *local_transport, *relay_transport;
	const char *virtual_transport;
	const char *transport_maps, *sender_dependent_relayhost_maps;
	const char *sender_dependent_default_transport_maps;
	const char *virtual_alias_domains;
	const char *virtual_mailbox_domains, *virtual_mailbox_maps;
	const char *proxy_interfaces;
	struct conf_list parent_domain_matches_subdomains;
	const char *local_recipient_maps, *relay_recipient_maps;
	const char *null_relayhost_key, *null_default_transport_key; /* what to look up for "" */
	bool append_at_myorigin, append_dot_mydomain, swap_bangpath, allow_percent_hack;
	bool resolve_dequoted_address, resolve_null_domain, resolve_numeric_domain;
	bool show_user_unknown_table_name, allow_min_user;
};
extern const struct conf_table route_params;

enum route_class {
	ROUTE_LOCAL,
	ROUTE_VIRTUAL_ALIAS,
	ROUTE_VIRTUAL_MAILBOX,
	ROUTE_RELAY,
	ROUTE_DEFAULT
};

struct route {
	enum route_class class_;
	const char *transport; /* "smtp", "local", "error" */
	const char *nexthop;   /* "[host]:port", "example.com", for error: "5.1.1 text" */
	const char *recipient; /* the address to give to the agent */
};

struct router;
struct core_params;
/*
 * Opens the tables and lists. Never NULL; problems are logged and answered per lookup. core and
 * params must outlive the router. Not shared across fork when tables are in use.
 */
struct router *router_new(const struct core_params *core, const struct route_params *params);
void router_free(struct router **router);
enum table_age router_age(struct router *router); /* of its tables */

/*
 * Resolves one complete address (rewritten before). sender selects sender-dependent relays; may be
 * "". 0; -1 with err when a table failed: the caller answers 451 4.3.0.
 */
int route_resolve(struct router *router, const char *sender, const char *address,
    struct arena *arena, struct route *out, struct err *err);

/*
 * Is the recipient known (local_recipient_maps, relay_recipient_maps by class; classes without a
 * map know everyone; whom aliases know is lib/shape/map.h's)? TABLE_FOUND, TABLE_NOT_FOUND,
 * TABLE_ERROR.
 */
enum table_answer route_recipient_known(
    struct router *router, const struct route *route, struct err *err);

/*
 * Rewrites an envelope address to complete form, as Postfix does for local clients: "user" ->
 * user@$myorigin, "user@host" -> user@host.$mydomain (when append_dot_mydomain), source routes
 * dropped, "site!user" swapped. The null address stays empty. Result in arena.
 */
const char *route_rewrite(struct router *router, const char *address, struct arena *arena);
/* The same with other domains than $myorigin and $mydomain to complete it. */
const char *route_rewrite_for(struct router *router, const char *address, const char *origin,
    const char *parent, struct arena *arena);

/* Is this domain (lower or upper case) one of ours: mydestination, or [an own address]? */
enum table_answer route_domain_is_local(struct router *router, const char *domain, struct err *err);

/*
 * "transport:nexthop", "transport:", "transport", ":nexthop" pulled apart; "[host]:port" and
 * "host:25" are nexthops without a transport. What is absent is "".
 */
void route_split_nexthop(
    const char *text, struct arena *arena, const char **transport_out, const char **nexthop_out);

#endif
