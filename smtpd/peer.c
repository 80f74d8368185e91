/* SPDX-License-Identifier: ISC */
/*
 * The client's name counts only when it leads back to the client's address. Both lookups go
 * through the system's resolver (hosts file included) and block; peer_limit_resolver bounds that.
 * Answers are kept for a short time: a client that delivers connection by connection is looked up
 * once.
 */
#include "smtpd/smtpd.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/sys/clock.h"

enum { CACHE_SLOTS = 64, KEEP_GOOD_MS = 60000, KEEP_BAD_MS = 10000 };

struct peer_names {
	char addr[64];
	char name[NI_MAXHOST], reverse_name[NI_MAXHOST];
	enum peer_status name_status, reverse_status;
	char warning[NI_MAXHOST + 128]; /* said once per session, "" when all is well */
	int64_t until_ms;
};

struct peer_cache {
	struct peer_names *slots[CACHE_SLOTS];
};

struct peer_cache *peer_cache_new(void)
{
	return alloc_zero(1, sizeof(struct peer_cache));
}

void peer_cache_free(struct peer_cache **cache)
{
	if (!*cache)
		return;
	for (int i = 0; i < CACHE_SLOTS; i++)
		free((*cache)->slots[i]);
	free(*cache);
	*cache = NULL;
}

/* Two tries of three seconds for each of at most three servers, for each of the two lookups. */
void peer_limit_resolver(void)
{
	setenv("RES_OPTIONS", "timeout:3 attempts:2", 0);
}

static enum peer_status status_of(int gai)
{
	return gai == EAI_AGAIN || gai == EAI_MEMORY || gai == EAI_SYSTEM ? PEER_NAME_TEMPFAIL
	                                                                  : PEER_NAME_PERMFAIL;
}

/* Letters, digits, '-', '_' and dots between labels; not a number that could pass for an address.
 */
static bool name_is_sane(const char *name)
{
	size_t len = strlen(name), label = 0;
	bool letter = false;

	if (len == 0 || len > 255)
		return false;
	for (const char *p = name; *p; p++) {
		bool alpha = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');

		if (*p == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!alpha && !(*p >= '0' && *p <= '9') && *p != '-' && *p != '_')
			return false;
		letter |= alpha;
		if (++label > 63)
			return false;
	}
	return letter;
}

/* Does the name have this address among its own? */
static enum peer_status verify(const struct net_addr *address, struct peer_names *names)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *all, *i;
	struct net_addr found;
	bool same = false;
	int gai;

	hints.ai_family = net_addr_is_v6(address) ? AF_INET6 : AF_INET;
	gai = getaddrinfo(names->name, NULL, &hints, &all);
	if (gai != 0) {
		snprintf(names->warning, sizeof(names->warning),
		    "hostname %s does not resolve to address %s: %s", names->name, names->addr,
		    gai_strerror(gai));
		return status_of(gai);
	}
	for (i = all; i && !same; i = i->ai_next) {
		if (i->ai_addrlen > sizeof(found.sa))
			continue;
		found.len = i->ai_addrlen;
		memcpy(&found.sa, i->ai_addr, found.len);
		same = net_addr_same_host(address, &found);
	}
	freeaddrinfo(all);
	if (same)
		return PEER_NAME_OK;
	snprintf(names->warning, sizeof(names->warning),
	    "hostname %s does not resolve to address %s", names->name, names->addr);
	return PEER_NAME_PERMFAIL;
}

static void look_up(const struct net_addr *address, struct peer_names *names)
{
	const struct sockaddr *sa = (const struct sockaddr *)&address->sa;
	struct net_addr plain;
	int gai;

	/* A mapped address has its name under the IPv4 address. */
	if (sa->sa_family == AF_INET6 && !net_addr_is_v6(address) &&
	    net_addr_parse(&plain, names->addr, 0))
		sa = (const struct sockaddr *)&plain.sa;
	else
		plain = *address;
	gai = getnameinfo(sa, plain.len, names->name, sizeof(names->name), NULL, 0, NI_NAMEREQD);
	names->name[sizeof(names->name) - 1] = '\0';
	if (gai == 0 && !name_is_sane(names->name)) {
		snprintf(names->warning, sizeof(names->warning),
		    "malformed or numeric hostname: %s", names->name);
		gai = EAI_NONAME;
	}
	names->reverse_status = gai == 0 ? PEER_NAME_OK : status_of(gai);
	names->name_status = names->reverse_status;
	snprintf(names->reverse_name, sizeof(names->reverse_name), "%s",
	    gai == 0 ? names->name : "unknown");
	if (gai == 0)
		names->name_status = verify(&plain, names);
	if (names->name_status != PEER_NAME_OK)
		snprintf(names->name, sizeof(names->name), "unknown");
}

static const struct peer_names *names_of(struct peer_cache *cache, const struct peer *peer)
{
	struct peer_names **slot =
	    &cache->slots[map_hash(peer->addr, strlen(peer->addr)) % CACHE_SLOTS];
	int64_t now = clock_mono_ms();

	if (*slot && strcmp((*slot)->addr, peer->addr) == 0 && now < (*slot)->until_ms)
		return *slot;
	if (!*slot)
		*slot = alloc(sizeof(**slot));
	memset(*slot, 0, sizeof(**slot));
	snprintf((*slot)->addr, sizeof((*slot)->addr), "%s", peer->addr);
	look_up(&peer->address, *slot);
	(*slot)->until_ms =
	    now + ((*slot)->name_status == PEER_NAME_OK ? KEEP_GOOD_MS : KEEP_BAD_MS);
	return *slot;
}

void peer_set_address(struct peer *peer, const char *addr)
{
	if (net_addr_parse(&peer->address, addr, 0)) {
		net_addr_text(&peer->address, peer->addr, sizeof(peer->addr));
	} else {
		peer->address = (struct net_addr){0};
		snprintf(peer->addr, sizeof(peer->addr), "unknown");
	}
	snprintf(peer->rfc_addr, sizeof(peer->rfc_addr), "%s%.63s",
	    net_addr_is_v6(&peer->address) ? "IPv6:" : "", peer->addr);
}

void peer_complete(struct smtpd *srv, struct arena *arena, struct peer *peer)
{
	bool port = srv->config->smtpd.client_port_logging;

	peer->namaddr = arena_printf(
	    arena, "%s[%s]%s%s", peer->name, peer->addr, port ? ":" : "", port ? peer->port : "");
}

void peer_set(struct smtpd *srv, struct arena *arena, struct peer *peer, const char *name,
    const char *addr, const char *port)
{
	peer_set_address(peer, addr);
	snprintf(peer->port, sizeof(peer->port), "%s", port);
	peer->name = peer->reverse_name = arena_strdup(arena, name);
	peer->name_status = peer->reverse_status =
	    strcmp(name, "unknown") == 0 ? PEER_NAME_PERMFAIL : PEER_NAME_OK;
	peer_complete(srv, arena, peer);
}

void peer_from_address(
    struct smtpd *srv, const struct net_addr *address, struct arena *arena, struct peer *out)
{
	const struct peer_names *names;
	char port[8];

	out->address = *address;
	net_addr_text(&out->address, out->addr, sizeof(out->addr));
	snprintf(port, sizeof(port), "%u", net_addr_port(&out->address));
	if (!srv->config->smtpd.peername_lookup) {
		peer_set(srv, arena, out, "unknown", out->addr, port);
		return;
	}
	names = names_of(srv->peers, out);
	peer_set(srv, arena, out, names->name, names->addr, port);
	out->reverse_name = arena_strdup(arena, names->reverse_name);
	out->name_status = names->name_status;
	out->reverse_status = names->reverse_status;
	if (names->warning[0])
		log_warn("%s", names->warning);
}

void peer_from_fd(struct smtpd *srv, int fd, struct arena *arena, struct peer *out)
{
	struct net_addr address;

	if (!net_addr_from_fd(&address, fd, true) ||
	    (address.sa.ss_family != AF_INET && address.sa.ss_family != AF_INET6))
		peer_set(srv, arena, out, "localhost", "127.0.0.1", "0");
	else
		peer_from_address(srv, &address, arena, out);
}
