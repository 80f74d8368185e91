/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/net.h"
#include "smtp/session.h"

/* The address to connect from, or NULL. -1: it is set, cannot be used, and is enforced. */
static int bind_address(const struct smtp_client *c, const struct mx_addr *to,
    struct net_addr *storage, const struct net_addr **out, struct arena *arena, struct trouble *why)
{
	bool v6 = net_addr_is_v6(&to->addr);
	const char *text = v6 ? c->params->bind_address6 : c->params->bind_address;

	*out = NULL;
	if (!*text)
		return 0;
	if (net_addr_parse(storage, text, 0) && net_addr_is_v6(storage) == v6) {
		*out = storage;
		return 0;
	}
	log_warn("%s: \"%s\": expected an address of this host",
	    v6 ? "smtp_bind_address6" : "smtp_bind_address", text);
	if (!c->params->bind_address_enforce)
		return 0;
	trouble_set(why, arena, "4.4.0", "server configuration error");
	return -1;
}

int session_connect(const struct smtp_client *c, const struct mx_addr *addr, struct arena *arena,
    struct trouble *why)
{
	int timeout_ms =
	    c->params->connect_timeout ? clock_ms_of(c->params->connect_timeout) : 600 * 1000;
	const struct net_addr *bind_to;
	struct net_addr storage;
	char text[64];
	struct err err;
	int fd;

	if (bind_address(c, addr, &storage, &bind_to, arena, why) < 0)
		return -1;
	fd = net_connect(&addr->addr, bind_to, timeout_ms, &err);
	if (fd >= 0)
		return fd;
	net_addr_text(&addr->addr, text, sizeof(text));
	trouble_set(why, arena, "4.4.1", "connect to %s[%s]:%u: %s", addr->host, text,
	    net_addr_port(&addr->addr), strerror(err.code));
	why->site = true;
	log_info("%s", why->reason);
	return -1;
}
