/* SPDX-License-Identifier: ISC */
#include <ifaddrs.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "smtp/smtp.h"

/* Addresses of this host: to know ourselves among exchangers, and to connect from. */

struct own_list {
	struct net_addr *addrs;
	size_t count, cap;
};

static void own_add(struct own_list *list, struct arena *arena, const struct net_addr *addr)
{
	if (list->count == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 16;
		struct net_addr *more = arena_zero(arena, cap, sizeof(*more));

		if (list->count)
			memcpy(more, list->addrs, list->count * sizeof(*more));
		list->addrs = more;
		list->cap = cap;
	}
	list->addrs[list->count++] = *addr;
}

static void own_add_interfaces(struct own_list *list, struct arena *arena, bool loopback_only)
{
	struct ifaddrs *all, *ifa;

	if (getifaddrs(&all) < 0)
		return;
	for (ifa = all; ifa; ifa = ifa->ifa_next) {
		struct net_addr addr = {.len = 0};
		int family = ifa->ifa_addr ? ifa->ifa_addr->sa_family : AF_UNSPEC;
		char text[64];

		if (family != AF_INET && family != AF_INET6)
			continue;
		addr.len =
		    family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
		memcpy(&addr.sa, ifa->ifa_addr, addr.len);
		net_addr_text(&addr, text, sizeof(text));
		if (loopback_only && strncmp(text, "127.", 4) != 0 && strcmp(text, "::1") != 0)
			continue;
		own_add(list, arena, &addr);
	}
	freeifaddrs(all);
}

/* One word of inet_interfaces or proxy_interfaces: a keyword, an address, a host name. */
static void own_add_word(struct own_list *list, struct arena *arena, const char *word)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	struct net_addr addr;
	char host[256];
	size_t len = strlen(word);

	if (text_eq_nocase(word, "all") || text_eq_nocase(word, "loopback-only")) {
		own_add_interfaces(list, arena, !text_eq_nocase(word, "all"));
		return;
	}
	if (len >= sizeof(host))
		return;
	strcpy(host, word);
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		memmove(host, host + 1, len - 1);
	}
	if (net_addr_parse(&addr, host, 0)) {
		own_add(list, arena, &addr);
		return;
	}
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return;
	for (struct addrinfo *ai = found; ai; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(addr.sa))
			continue;
		memset(&addr, 0, sizeof(addr));
		memcpy(&addr.sa, ai->ai_addr, ai->ai_addrlen);
		addr.len = ai->ai_addrlen;
		own_add(list, arena, &addr);
	}
	freeaddrinfo(found);
}

static void own_add_words(struct own_list *list, struct arena *arena, const char *words)
{
	char *copy = arena_strdup(arena, words), *save = NULL;

	for (char *w = strtok_r(copy, ", \t\r\n", &save); w; w = strtok_r(NULL, ", \t\r\n", &save))
		own_add_word(list, arena, w);
}

static bool is_loopback(const char *text)
{
	return strncmp(text, "127.", 4) == 0 || strcmp(text, "::1") == 0;
}

/* "192.0.2.1", "[192.0.2.1]", "[ipv6:2001:db8::1]" */
static bool parse_source(struct own_source *source, const char *text, bool v6)
{
	char bare[128];
	size_t len = strlen(text);

	if (text[0] == '[' && len > 2 && text[len - 1] == ']' && len < sizeof(bare)) {
		memcpy(bare, text + 1, len - 2);
		bare[len - 2] = '\0';
		text = text_starts_nocase(bare, "ipv6:") ? bare + 5 : bare;
	}
	return net_addr_parse(&source->addr, text, 0) && net_addr_is_v6(&source->addr) == v6;
}

/*
 * An address that the configuration names; else the only one of the family in inet_interfaces: a
 * virtual host speaks from where it listens.
 */
static void set_source(struct smtp_client *c, bool v6, const char *parameter, const char *text)
{
	struct own_source *source = &c->source[v6];
	const struct net_addr *only = NULL;
	char address[64];

	source->parameter = parameter;
	if (*text) {
		source->set = parse_source(source, text, v6);
		source->bad = !source->set;
		if (source->bad)
			log_warn("%s: \"%s\": expected an %s address of this host", parameter, text,
			    v6 ? "IPv6" : "IPv4");
		return;
	}
	for (size_t i = 0; i < c->listening_count; i++) {
		if (net_addr_is_v6(&c->own[i]) != v6)
			continue;
		if (only && !net_addr_same_host(only, &c->own[i]))
			return;
		only = &c->own[i];
	}
	if (!only)
		return;
	net_addr_text(only, address, sizeof(address));
	source->set = !is_loopback(address) && net_addr_parse(&source->addr, address, 0);
}

void client_open_own(struct smtp_client *c)
{
	struct own_list own = {NULL, 0, 0};

	own_add_words(&own, &c->arena, c->core->inet_interfaces);
	c->listening_count = own.count;
	own_add_words(&own, &c->arena, c->params->proxy_interfaces);
	c->own = own.addrs;
	c->own_count = own.count;
	set_source(
	    c, false, c->lmtp ? "lmtp_bind_address" : "smtp_bind_address", c->params->bind_address);
	set_source(c, true, c->lmtp ? "lmtp_bind_address6" : "smtp_bind_address6",
	    c->params->bind_address6);
}
