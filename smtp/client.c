/* SPDX-License-Identifier: ISC */
#include "smtp/smtp.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/str.h"
#include "lib/table/match.h"
#include "smtp/cache.h"
#include "smtp/auth.h"
#include "smtp/destination.h"
#include "smtp/session.h"

/* From parameters to what the deliveries use, once per process. */

/*
 * The time limits of main.cf are for one step each. These bound what a server, or a name server,
 * makes of many of them: a thousand recipients, each answered just in time.
 */
enum { LOOKUP_S = 120, ATTEMPT_S = 3600 };

void trouble_set(struct trouble *t, struct arena *arena, const char *dsn, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memset(t, 0, sizeof(*t));
	t->soft = dsn[0] == '4';
	snprintf(t->dsn, sizeof(t->dsn), "%s", dsn);
	t->reason = arena_strdup(arena, text);
	t->diag = t->mta = "";
}

static bool kernel_has(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* "all", "ipv4", "ipv6", "ipv4, ipv6" */
static int families_of(const char *inet_protocols)
{
	bool all = strcasestr(inet_protocols, "all") != NULL;
	int families = 0;

	if ((all || strcasestr(inet_protocols, "ipv4")) && kernel_has(AF_INET))
		families |= DNS_HOST_V4;
	if ((all || strcasestr(inet_protocols, "ipv6")) && kernel_has(AF_INET6))
		families |= DNS_HOST_V6;
	return families ? families : DNS_HOST_V4;
}

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

/* "[host]:port" is a destination, but nothing that a match list knows. */
static void open_cache_list(struct smtp_client *c)
{
	const char *cursor = c->params->cache_destinations, *word;
	struct str rest = {0};

	while ((word = destination_next(&cursor, &c->arena)))
		if (word[0] != '[')
			str_printf(&rest, "%s ", word);
	c->cache_always = match_list_open("smtp_connection_cache_destinations", str_text(&rest), 0);
	str_fini(&rest);
}

int smtp_client_init(struct smtp_client *c, const struct core_params *core,
    const struct smtp_params *params, struct err *err)
{
	struct own_list own = {NULL, 0, 0};
	char host[8];
	struct err why;

	c->core = core;
	c->params = params;
	c->idle.fd = -1;
	c->lookup_ms = LOOKUP_S * 1000;
	c->attempt_ms = ATTEMPT_S * 1000;
	if (net_split_host_port(params->tcp_port, host, sizeof(host), &c->default_port, &why) < 0 ||
	    *host)
		return err_set(err, 0, "smtp_tcp_port: %s", why.text);
	c->families = families_of(core->inet_protocols);
	if (client_open_resolver(c, err) < 0)
		return -1;
	open_cache_list(c);
	cache_open(c);
	own_add_words(&own, &c->arena, core->inet_interfaces);
	own_add_words(&own, &c->arena, params->proxy_interfaces);
	c->own = own.addrs;
	c->own_count = own.count;
	return 0;
}

void smtp_client_fini(struct smtp_client *c)
{
	cache_fini(c);
	auth_close(&c->auth);
	match_list_close(&c->cache_always);
	client_close_resolver(c);
	arena_fini(&c->arena);
}
