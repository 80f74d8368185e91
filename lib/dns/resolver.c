/* SPDX-License-Identifier: ISC */
#include "lib/dns/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/dns/exchange.h"
#include "lib/mail/idna.h"
#include "lib/sys/clock.h"

/*
 * libresolv reads resolv.conf and writes questions; asking is exchange.c. A question is a name that
 * is asked for as it is, then, where that is wanted, completed by the domains of resolv.conf.
 */
enum { REFRESH_MS = 60 * 1000, LOOKUP_MS = 30 * 1000, EDNS_SIZE = 1232 };
enum { SILENCES_MAX = 64, LOST_MAX_MS = 30 * 1000, HURRY_MS = 1000 };

/* A question that nobody answered. */
struct silence {
	uint64_t name; /* its hash */
	enum dns_type type;
};

struct dns_resolver {
	struct __res_state state; /* as of resolv.conf */
	bool open;
	int64_t opened_ms;
	struct net_addr configured[DNS_SERVERS_MAX]; /* by dns_options */
	size_t configured_count;
	struct net_addr found[MAXNS]; /* in resolv.conf */
	struct dns_exchange exchange;
	bool dnssec, defnames, search, idna2003, impatient;
	struct silence silences[SILENCES_MAX];
	size_t silence_count; /* all that came, the last ones are kept */
	int64_t lost_ms;      /* waiting for nothing */
	int timeout_s, attempts;
	int (*filter)(void *arg, const char *record);
	void *filter_arg;
	unsigned char
	    answer[DNS_PACKET_MAX]; /* only the pages that answers need are ever touched */
};

/* libresolv has IPv4 in one array and IPv6 behind pointers in another. */
static size_t found_servers(struct dns_resolver *r)
{
	struct sockaddr_in6 *const *v6 = r->state._u._ext.nsaddrs;
	size_t count = 0;

	for (int i = 0; i < r->state.nscount && i < MAXNS; i++) {
		const struct sockaddr_in *v4 = &r->state.nsaddr_list[i];
		struct net_addr *addr = &r->found[count];

		memset(addr, 0, sizeof(*addr));
		if (v4->sin_family == AF_INET) {
			memcpy(&addr->sa, v4, addr->len = sizeof(*v4));
			count++;
		} else if (v6[i]) {
			memcpy(&addr->sa, v6[i], addr->len = sizeof(*v6[i]));
			count++;
		}
	}
	return count;
}

static void close_state(struct dns_resolver *r)
{
	if (r->open)
		res_nclose(&r->state);
	r->open = false;
}

/* false: resolv.conf cannot be read. */
static bool open_state(struct dns_resolver *r)
{
	struct dns_exchange *x = &r->exchange;

	if (r->open && clock_mono_ms() - r->opened_ms <= REFRESH_MS)
		return true;
	close_state(r);
	memset(&r->state, 0, sizeof(r->state));
	if (res_ninit(&r->state) != 0)
		return false;
	r->open = true;
	r->opened_ms = clock_mono_ms();
	x->servers = r->configured_count ? r->configured : r->found;
	x->server_count = r->configured_count ? r->configured_count : found_servers(r);
	x->timeout_ms = clock_ms_of(r->timeout_s > 0 ? r->timeout_s : MAX(r->state.retrans, 1));
	x->attempts = r->attempts > 0 ? r->attempts : MAX(r->state.retry, 1);
	x->first = 0;
	if ((r->state.options & RES_ROTATE) && x->server_count > 0)
		x->first = (size_t)r->opened_ms % x->server_count;
	return true;
}

static int add_server(struct dns_resolver *r, const char *text, struct err *err)
{
	char host[64];
	unsigned port = NS_DEFAULTPORT;
	struct net_addr addr;

	if (r->configured_count == DNS_SERVERS_MAX)
		return err_set(
		    err, EINVAL, "\"%s\": expected at most %d name servers", text, DNS_SERVERS_MAX);
	if (!net_addr_parse(&addr, text, port)) {
		if (net_split_host_port(text, host, sizeof(host), &port, err) < 0)
			return -1;
		if (!net_addr_parse(&addr, host, port))
			return err_set(
			    err, EINVAL, "\"%s\": expected an address of a name server", text);
	}
	r->configured[r->configured_count++] = addr;
	return 0;
}

int dns_resolver_new(const struct dns_options *options, struct dns_resolver **out, struct err *err)
{
	struct dns_resolver *r = alloc(sizeof(*r));

	memset(r, 0, offsetof(struct dns_resolver, answer));
	r->dnssec = options->dnssec;
	r->idna2003 = options->idna2003;
	r->filter = options->filter;
	r->filter_arg = options->filter_arg;
	r->defnames = options->defnames;
	r->search = options->search;
	r->impatient = options->impatient;
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
	close_state(*resolver);
	free(*resolver);
	*resolver = NULL;
}

void dns_resolver_forget(struct dns_resolver *r)
{
	if (!r)
		return;
	r->silence_count = 0;
	r->lost_ms = 0;
}

/* Was the name asked for in vain? With type 0: whatever was asked. */
static bool was_silent(const struct dns_resolver *r, uint64_t name, int type)
{
	for (size_t i = 0; i < MIN(r->silence_count, (size_t)SILENCES_MAX); i++) {
		if (r->silences[i].name == name && (type == 0 || (int)r->silences[i].type == type))
			return true;
	}
	return false;
}

/* dns_exchange for somebody who waits, and asks for much that nobody answers. */
static size_t exchange(
    struct dns_resolver *r, const char *name, enum dns_type type, unsigned char *query, size_t len)
{
	struct dns_exchange *x = &r->exchange, hurried = *x;
	uint64_t hash = map_hash(name, strlen(name));
	int64_t began = clock_mono_ms(), took;
	size_t got;

	if (!r->impatient)
		return dns_exchange(x, query, len, r->answer);
	if (was_silent(r, hash, (int)type))
		return 0;
	if (was_silent(r, hash, 0) || r->lost_ms > LOST_MAX_MS) {
		hurried.attempts = 1;
		hurried.timeout_ms = MIN(x->timeout_ms, HURRY_MS);
		hurried.stop_ms = MIN(x->stop_ms, began + 3 * HURRY_MS);
	}
	got = dns_exchange(&hurried, query, len, r->answer);
	x->first = hurried.first;
	took = clock_mono_ms() - began;
	if (got == 0 && took >= hurried.timeout_ms) {
		r->silences[r->silence_count++ % SILENCES_MAX] = (struct silence){hash, type};
		r->lost_ms += took;
	}
	return got;
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
	case DNS_NULL_SRV:
		snprintf(
		    out->text, sizeof(out->text), "Service %s is not available (nullSRV)", name);
		break;
	case DNS_FILTERED:
		snprintf(out->text, sizeof(out->text),
		    "Error looking up name=%s type=%s: the DNS reply filter drops all results",
		    name, dns_type_name(type));
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

/* RFC 6891, RFC 3225: room for a larger answer, and the wish for signed ones; RFC 6840: AD. */
static int add_edns(unsigned char *query, int len)
{
	static const unsigned char opt[] = {
	    0, 0, ns_t_opt, EDNS_SIZE >> 8, EDNS_SIZE & 255, 0, 0, 0x80, 0, 0, 0};

	memcpy(query + len, opt, sizeof(opt));
	query[3] |= 0x20;
	query[11] = 1;
	return len + (int)sizeof(opt);
}

static void ask_for(struct dns_resolver *r, const char *name, enum dns_type type,
    struct arena *arena, struct dns_answer *out)
{
	unsigned char query[DNS_QUESTION_MAX + 64];
	int len = res_nmkquery(&r->state, ns_o_query, name, ns_c_in, (int)type, NULL, 0, NULL,
	    query, DNS_QUESTION_MAX);
	size_t got;

	memset(out, 0, sizeof(*out));
	out->name = name;
	if (len < 0) {
		out->status = DNS_INVALID;
		return;
	}
	if (r->dnssec)
		len = add_edns(query, len);
	got = exchange(r, name, type, query, (size_t)len);
	if (got == 0) {
		out->status = DNS_RETRY;
		explain(out, name, type);
		return;
	}
	dns_decode(r->answer, got, type, arena, out);
	out->secure = out->secure && r->dnssec;
	if (out->status == DNS_FAILED || out->status == DNS_RETRY || out->status == DNS_INVALID)
		malformed(out, name, type);
	else
		explain(out, name, type);
}

static bool says_no(enum dns_status status)
{
	return status == DNS_NOT_FOUND || status == DNS_NO_DATA;
}

/*
 * The name as it is when it has a dot; then, as resolv.conf's ways with names want it, with the
 * domains there; at last as it is when it has none. What is said of it as it is counts when nothing
 * is found.
 */
static void ask(struct dns_resolver *r, const char *name, enum dns_type type, struct arena *arena,
    struct dns_answer *out)
{
	bool dots = strchr(name, '.') != NULL;
	struct dns_answer one;

	if (dots) {
		ask_for(r, name, type, arena, out);
		if (!r->search || !says_no(out->status))
			return;
	} else if (!r->defnames) {
		ask_for(r, name, type, arena, out);
		return;
	}
	for (int i = 0; i < MAXDNSRCH && r->state.dnsrch[i]; i++) {
		const char *longer = arena_printf(arena, "%s.%s", name, r->state.dnsrch[i]);

		if (dns_name_valid(longer)) {
			ask_for(r, longer, type, arena, &one);
			if (one.status == DNS_FOUND || dns_status_is_soft(one.status)) {
				*out = one;
				return;
			}
		}
		if (!r->search)
			break;
	}
	if (!dots)
		ask_for(r, name, type, arena, out);
}

/* Drops the records that the filter does not want; the rest moves up. */
static void filter(struct dns_resolver *r, struct arena *arena, struct dns_answer *out)
{
	struct dns_record *kept = arena_alloc(arena, out->count * sizeof(*kept));
	struct str text = {0};
	size_t count = 0;

	for (size_t i = 0; i < out->count && out->status == DNS_FOUND; i++) {
		int verdict;

		str_clear(&text);
		dns_record_print(&text, out->name, &out->records[i]);
		verdict = r->filter(r->filter_arg, str_text(&text));
		if (verdict < 0)
			out->status = DNS_RETRY;
		else if (verdict == 0)
			kept[count++] = out->records[i];
	}
	str_fini(&text);
	if (out->status == DNS_FOUND && count == 0)
		out->status = DNS_FILTERED;
	out->records = kept;
	out->count = out->status == DNS_FOUND ? count : 0;
}

/* As ask, with CNAMEs that lead out of a message: the other name is asked for. */
static void follow(struct dns_resolver *r, const char *name, enum dns_type type,
    struct arena *arena, struct dns_answer *out)
{
	bool secure = true;

	for (int hops = 0; hops < DNS_CHAIN_MAX; hops++) {
		const char *asked = name;

		if (hops == 0)
			ask(r, name, type, arena, out);
		else
			ask_for(r, name, type, arena, out);
		out->secure = secure = secure && out->secure;
		if (out->status != DNS_NO_DATA || !out->expanded || type == DNS_TYPE_CNAME) {
			out->expanded = out->expanded || hops > 0;
			return;
		}
		name = arena_strdup(arena, out->name);
		if (text_eq_nocase(name, asked))
			break;
	}
	out->status = DNS_FAILED;
	snprintf(out->text, sizeof(out->text), "Name server loop for %s", name);
}

enum dns_status dns_lookup(struct dns_resolver *r, const char *name, enum dns_type type,
    struct arena *arena, struct dns_answer *out)
{
	char ascii[IDNA_MAX];

	if (!idna_is_ascii(name) && idna_to_ascii(name, r->idna2003, ascii))
		name = arena_strdup(arena, ascii);
	memset(out, 0, sizeof(*out));
	out->name = name;
	out->status = dns_name_valid(name) ? DNS_RETRY : DNS_INVALID;
	if (out->status == DNS_INVALID || !open_state(r)) {
		explain(out, name, type);
		return out->status;
	}
	r->exchange.stop_ms = clock_mono_ms() + LOOKUP_MS;
	follow(r, name, type, arena, out);
	if (out->status == DNS_FOUND && r->filter) {
		filter(r, arena, out);
		explain(out, name, type);
	}
	return out->status;
}
