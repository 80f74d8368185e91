/* SPDX-License-Identifier: ISC */
#include "lib/route/router.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

static void add(struct own_addrs *own, const struct sockaddr *sa)
{
	socklen_t len;
	struct net_addr *at;

	if (sa && sa->sa_family == AF_INET)
		len = sizeof(struct sockaddr_in);
	else if (sa && sa->sa_family == AF_INET6)
		len = sizeof(struct sockaddr_in6);
	else
		return;
	own->addrs = alloc_array(own->addrs, own->count + 1, sizeof(own->addrs[0]));
	at = &own->addrs[own->count++];
	*at = (struct net_addr){.len = len};
	memcpy(&at->sa, sa, len);
}

static void add_interfaces(struct own_addrs *own)
{
	struct ifaddrs *list, *i;

	if (getifaddrs(&list) < 0) {
		log_warn("cannot list the network interfaces: %m");
		return;
	}
	for (i = list; i; i = i->ifa_next)
		add(own, i->ifa_addr);
	freeifaddrs(list);
}

static void add_name(struct own_addrs *own, const char *parameter, const char *name)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *i;
	char bare[256];
	size_t len = strlen(name);
	int rc;

	if (name[0] == '[' && len > 2 && name[len - 1] == ']') {
		snprintf(bare, sizeof(bare), "%.*s", (int)len - 2, name + 1);
		name = bare;
	}
	rc = getaddrinfo(name, NULL, &hints, &list);
	if (rc != 0) {
		log_warn("%s: %s: %s", parameter, name, gai_strerror(rc));
		return;
	}
	for (i = list; i; i = i->ai_next)
		add(own, i->ai_addr);
	freeaddrinfo(list);
}

static void add_list(struct own_addrs *own, const char *parameter, const char *text)
{
	char *copy = alloc_strdup(text), *save = NULL, *word;

	for (word = strtok_r(copy, ", \t\r\n", &save); word;
	     word = strtok_r(NULL, ", \t\r\n", &save)) {
		if (text_eq_nocase(word, "all")) {
			add_interfaces(own);
		} else if (text_eq_nocase(word, "loopback-only")) {
			add_name(own, parameter, "127.0.0.1");
			add_name(own, parameter, "::1");
		} else {
			add_name(own, parameter, word);
		}
	}
	free(copy);
}

bool own_addr_parse(const char *literal, struct net_addr *addr_out)
{
	char host[64];
	size_t len = strlen(literal);

	if (len < 3 || len - 2 >= sizeof(host) || literal[len - 1] != ']')
		return false;
	memcpy(host, literal + 1, len - 2);
	host[len - 2] = '\0';
	return net_addr_parse(addr_out, text_starts_nocase(host, "IPv6:") ? host + 5 : host, 0);
}

bool own_addrs_match(struct router *router, const char *literal)
{
	struct own_addrs *own = &router->own;
	struct net_addr addr;
	size_t i;

	if (!own_addr_parse(literal, &addr))
		return false;
	if (!own->filled) {
		own->filled = true;
		add_list(own, "inet_interfaces", router->core->inet_interfaces);
		add_list(own, "proxy_interfaces", router->params->proxy_interfaces);
	}
	for (i = 0; i < own->count; i++) {
		if (net_addr_same_host(&own->addrs[i], &addr))
			return true;
	}
	return false;
}

void own_addrs_fini(struct own_addrs *own)
{
	free(own->addrs);
	*own = (struct own_addrs){0};
}
