/* SPDX-License-Identifier: ISC */
#include "lib/dns/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/sys/clock.h"

enum { REFRESH_MS = 60 * 1000, CHAIN_MS = 30 * 1000 /* no further question behind a CNAME */ };

struct dns_resolver {
	struct __res_state state;
	bool open;
	int64_t opened_ms;
	struct sockaddr_in servers[MAXNS];
	int server_count;
	bool defnames, search;
	int timeout_s, attempts;
	unsigned char packet[NS_MAXMSG]; /* only the pages that answers need are ever touched */
};

static int open_state(struct dns_resolver *r, struct err *err)
{
	if (r->open)
		res_nclose(&r->state);
	memset(&r->state, 0, sizeof(r->state));
	r->open = false;
	if (res_ninit(&r->state) != 0)
		return err_sys(err, "name service");
	r->open = true;
	r->opened_ms = clock_mono_ms();
	if (r->server_count > 0) {
		r->state.nscount = r->server_count;
		for (int i = 0; i < r->server_count; i++)
			r->state.nsaddr_list[i] = r->servers[i];
	}
	r->state.options &= ~(u_long)(RES_DEFNAMES | RES_DNSRCH);
	if (r->defnames)
		r->state.options |= RES_DEFNAMES;
	if (r->search)
		r->state.options |= RES_DNSRCH;
	if (r->timeout_s > 0)
		r->state.retrans = r->timeout_s;
	if (r->attempts > 0)
		r->state.retry = r->attempts;
	return 0;
}

static int add_server(struct dns_resolver *r, const char *text, struct err *err)
{
	char host[64];
	unsigned port = NS_DEFAULTPORT;
	struct net_addr addr;

	if (r->server_count == MAXNS)
		return err_set(
		    err, EINVAL, "\"%s\": expected at most %d name servers", text, MAXNS);
	if (!net_addr_parse(&addr, text, port)) {
		if (net_split_host_port(text, host, sizeof(host), &port, err) < 0)
			return -1;
		if (!net_addr_parse(&addr, host, port))
			return err_set(
			    err, EINVAL, "\"%s\": expected an address of a name server", text);
	}
	if (addr.sa.ss_family != AF_INET)
		return err_set(err, EINVAL, "\"%s\": expected an IPv4 address", text);
	memcpy(&r->servers[r->server_count++], &addr.sa, sizeof(struct sockaddr_in));
	return 0;
}

int dns_resolver_new(const struct dns_options *options, struct dns_resolver **out, struct err *err)
{
	struct dns_resolver *r = alloc(sizeof(*r));

	memset(r, 0, offsetof(struct dns_resolver, packet));
	r->defnames = options->defnames;
	r->search = options->search;
	r->timeout_s = options->timeout_s;
	r->attempts = options->attempts;
	*out = r;
	for (size_t i = 0; i < options->server_count; i++)
		if (add_server(r, options->servers[i], err) < 0)
			goto fail;
	return 0; /* resolv.conf is read when the first question is asked */
fail:
	dns_resolver_free(out);
	return -1;
}

void dns_resolver_free(struct dns_resolver **resolver)
{
	if (!*resolver)
		return;
	if ((*resolver)->open)
		res_nclose(&(*resolver)->state);
	free(*resolver);
	*resolver = NULL;
}

/* What libresolv says about a question without an answer. */
static enum dns_status status_of_h_errno(int h)
{
	switch (h) {
	case HOST_NOT_FOUND:
		return DNS_NOT_FOUND;
	case NO_DATA:
		return DNS_NO_DATA;
	case NO_RECOVERY:
		return DNS_FAILED;
	default:
		return DNS_RETRY;
	}
}

static void explain(struct dns_answer *out, const char *name, enum dns_type type)
{
	static const char *const words[] = {
	    [DNS_NOT_FOUND] = "Host not found",
	    [DNS_NO_DATA] = "Host found but no data record of requested type",
	    [DNS_RETRY] = "Host not found, try again",
	    [DNS_FAILED] = "Non-recoverable error",
	};

	switch (out->status) {
	case DNS_FOUND:
		break;
	case DNS_NULL_MX:
		snprintf(
		    out->text, sizeof(out->text), "Domain %s does not accept mail (nullMX)", name);
		break;
	case DNS_INVALID:
		snprintf(out->text, sizeof(out->text),
		    "Name service error for %.255s: invalid host or domain name", name);
		break;
	default:
		snprintf(out->text, sizeof(out->text),
		    "Host or domain name not found. Name service error for name=%s type=%s: %s",
		    name, dns_type_name(type), words[out->status]);
	}
}

static void malformed(struct dns_answer *out, const char *name, enum dns_type type)
{
	snprintf(out->text, sizeof(out->text),
	    "Name service error for name=%s type=%s: Malformed or unexpected name server reply",
	    name, dns_type_name(type));
}

static void ask_once(struct dns_resolver *r, const char *name, enum dns_type type,
    struct arena *arena, struct dns_answer *out)
{
	int len;

	if (r->defnames || r->search)
		len =
		    res_nsearch(&r->state, name, ns_c_in, (int)type, r->packet, sizeof(r->packet));
	else
		len = res_nquery(&r->state, name, ns_c_in, (int)type, r->packet, sizeof(r->packet));
	if (len < 0) {
		memset(out, 0, sizeof(*out));
		out->status = status_of_h_errno(r->state.res_h_errno);
		out->name = name;
		explain(out, name, type);
		return;
	}
	dns_decode(r->packet, (size_t)len < sizeof(r->packet) ? (size_t)len : sizeof(r->packet),
	    type, arena, out);
	if (out->status == DNS_FAILED || out->status == DNS_RETRY || out->status == DNS_INVALID)
		malformed(out, name, type);
	else
		explain(out, name, type);
}

enum dns_status dns_lookup(struct dns_resolver *r, const char *name, enum dns_type type,
    struct arena *arena, struct dns_answer *out)
{
	int64_t stop = clock_mono_ms() + CHAIN_MS;
	const char *ask = name;

	memset(out, 0, sizeof(*out));
	out->name = name;
	if (!dns_name_valid(name)) {
		out->status = DNS_INVALID;
		explain(out, name, type);
		return out->status;
	}
	if ((!r->open || clock_mono_ms() - r->opened_ms > REFRESH_MS) && open_state(r, NULL) < 0) {
		out->status = DNS_RETRY;
		explain(out, name, type);
		return out->status;
	}
	for (int hops = 0; hops < DNS_CHAIN_MAX; hops++) {
		ask_once(r, ask, type, arena, out);
		/* a CNAME that leads out of the message: the other name is asked for */
		if (out->status != DNS_NO_DATA || !out->name[0] || text_eq_nocase(out->name, ask) ||
		    type == DNS_TYPE_CNAME || r->defnames || r->search)
			return out->status;
		ask = out->name;
		if (clock_mono_ms() >= stop) {
			out->status = DNS_RETRY;
			explain(out, name, type);
			return out->status;
		}
	}
	out->status = DNS_FAILED;
	snprintf(out->text, sizeof(out->text), "Name server loop for %s", name);
	return out->status;
}

enum dns_status dns_lookup_address(struct dns_resolver *r, const struct net_addr *addr,
    struct arena *arena, struct dns_answer *out)
{
	char text[64], name[NS_MAXDNAME];
	struct in6_addr v6;
	struct in_addr v4;
	size_t at = 0;

	net_addr_text(addr, text, sizeof(text));
	if (inet_pton(AF_INET, text, &v4) == 1) {
		const unsigned char *b = (const unsigned char *)&v4;

		snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
	} else if (inet_pton(AF_INET6, text, &v6) == 1) {
		for (int i = 15; i >= 0; i--, at += 4)
			snprintf(name + at, sizeof(name) - at, "%x.%x.", v6.s6_addr[i] & 15,
			    v6.s6_addr[i] >> 4);
		snprintf(name + at, sizeof(name) - at, "ip6.arpa");
	} else {
		strcpy(name, "");
	}
	return dns_lookup(r, arena_strdup(arena, name), DNS_TYPE_PTR, arena, out);
}
