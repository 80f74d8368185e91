/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/sys/clock.h"
#include "lib/sys/net.h"
#include "lib/table/debug_peer.h"
#include "smtp/session.h"
#include "smtp/unreachable.h"

/* From an address to a connected descriptor, from the right address of our own. */

enum { NO_LIMIT_MS = 600 * 1000, LONG_MS = 1000 };

static int limit_ms(const struct smtp_client *c)
{
	return c->params->connect_timeout ? clock_ms_of(c->params->connect_timeout) : NO_LIMIT_MS;
}

void mx_addr_text(const struct mx_addr *addr, char *out, size_t size)
{
	char text[64];

	if (addr->path) {
		snprintf(out, size, "%s[%s]", addr->host, addr->path);
		return;
	}
	net_addr_text(&addr->addr, text, sizeof(text));
	snprintf(out, size, "%s[%s]:%u", addr->host, text, net_addr_port(&addr->addr));
}

static int refuse(struct arena *arena, struct trouble *why)
{
	trouble_set(why, arena, "4.4.0", "server configuration error");
	return -1;
}

/* -1: *err, or NET_CANNOT_BIND when the address to bind to is no good and that is a fault. */
static int connect_bound(const struct smtp_client *c, const struct mx_addr *to, struct err *err)
{
	const struct own_source *from = &c->source[net_addr_is_v6(&to->addr)];
	int fd;

	if (from->bad && c->params->bind_address_enforce)
		return NET_CANNOT_BIND;
	fd = net_connect(
	    &to->addr, from->set ? &from->addr : NULL, c->core->tcp_windowsize, limit_ms(c), err);
	if (fd != NET_CANNOT_BIND)
		return fd;
	log_warn("%s: %s", from->parameter, err->text);
	if (c->params->bind_address_enforce)
		return NET_CANNOT_BIND;
	return net_connect(&to->addr, NULL, c->core->tcp_windowsize, limit_ms(c), err);
}

void session_debug(const struct smtp_client *c, const char *host, const char *relay)
{
	const char *addr = strchr(relay, '[');
	char text[64];

	if (!c->debug || c->debug_all)
		return;
	snprintf(text, sizeof(text), "%.*s", addr ? (int)strcspn(addr + 1, "]") : 0,
	    addr ? addr + 1 : "");
	debug_peer_begin(c->debug, host, text[0] == '/' ? NULL : text);
}

/* Nothing came back; a refusal is an answer. */
static bool was_silent(int code, int64_t started_ms)
{
	return code == ETIMEDOUT || code == EHOSTUNREACH || code == ENETUNREACH ||
	       clock_mono_ms() - started_ms > LONG_MS;
}

int session_connect(
    const struct smtp_client *c, const struct mx_addr *to, struct arena *arena, struct trouble *why)
{
	int64_t started = clock_mono_ms();
	char name[512];
	struct err err;
	int fd;

	mx_addr_text(to, name, sizeof(name));
	session_debug(c, to->host, name);
	log_debug("connecting to %s", name);
	if (to->path) {
		fd = net_connect_unix(to->path, limit_ms(c), &err);
	} else {
		unreachable_begin(c->unreachable, &to->addr);
		fd = connect_bound(c, to, &err);
		if (fd == NET_CANNOT_BIND) {
			unreachable_end(c->unreachable, &to->addr, true);
			return refuse(arena, why);
		}
		if (fd < 0)
			unreachable_end(c->unreachable, &to->addr, !was_silent(err.code, started));
	}
	if (fd >= 0)
		return fd;
	trouble_set(why, arena, "4.4.1", "connect to %s: %s", name, strerror(err.code));
	why->site = true;
	log_info("%s", why->reason);
	return -1;
}
