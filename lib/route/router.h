/* SPDX-License-Identifier: ISC */
#ifndef LIB_ROUTE_ROUTER_H
#define LIB_ROUTE_ROUTER_H

#include "lib/conf/core.h"
#include "lib/route/route.h"
#include "lib/sys/net.h"
#include "lib/table/match.h"

/* The inside of a router, private to lib/route. */

/* "transport:nexthop" of a parameter, taken apart once. */
struct hop {
	const char *transport, *nexthop;
};

struct own_addrs {
	struct net_addr *addrs;
	size_t count;
	bool filled; /* interfaces are looked at when the first address literal comes */
};

struct router {
	const struct core_params *core;
	const struct route_params *params;
	struct match_list *mydestination, *relay_domains;
	struct match_list *virtual_alias_domains, *virtual_mailbox_domains;
	struct table_chain *transport_maps, *relayhost_maps, *default_transport_maps;
	struct table_chain *local_recipients, *relay_recipients;
	struct table_chain *virtual_mailboxes;
	struct hop local, virtual, relay, default_; /* texts in arena */
	bool transport_subdomains; /* example.com in transport_maps stands for its subdomains */
	struct own_addrs own;
	struct str value, key; /* scratch for table answers and questions */
	struct arena arena;
	struct arena work; /* for one question */
};

/* Is [1.2.3.4] or [IPv6:...] (with the brackets) one of this host's addresses? */
/* false: what stands between [ and ] is no address. */
bool own_addr_parse(const char *literal, struct net_addr *addr_out);
bool own_addrs_match(struct router *router, const char *literal);
void own_addrs_fini(struct own_addrs *own);

/* TABLE_FOUND: the transport table changed out. */
enum table_answer transport_lookup(struct router *router, const char *address, const char *domain,
    struct arena *arena, struct route *out, struct err *err);

#endif
