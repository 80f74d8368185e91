/* SPDX-License-Identifier: ISC */
#include "smtp/mx.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/sys/clock.h"
#include "smtp/unreachable.h"

enum { ADDRS_MAX = 2 * DNS_RECORDS_MAX, ADDRS_DIRECT_MAX = 16 };

static const char *dsn_of(enum dns_status status)
{
	switch (status) {
	case DNS_RETRY:
		return "4.4.3";
	case DNS_FAILED:
		return "5.4.3";
	case DNS_NULL_MX:
	case DNS_NULL_SRV:
		return "5.1.10";
	case DNS_FILTERED:
		return "4.7.0";
	default:
		return "5.4.4";
	}
}

void mx_lookup_trouble(const struct dns_answer *answer, struct arena *arena, struct trouble *why)
{
	trouble_set(why, arena, dsn_of(answer->status), "%s", answer->text);
	why->site = why->soft;
}

static void set_port(struct net_addr *addr, unsigned port)
{
	char text[64];

	net_addr_text(addr, text, sizeof(text));
	net_addr_parse(addr, text, port);
}

enum dns_status mx_add_host(const struct smtp_client *c, const char *host, unsigned port,
    unsigned preference, struct arena *arena, struct mx_list *list, struct dns_answer *answer)
{
	enum dns_status status =
	    dns_lookup_host(c->resolver, host, c->families | c->lookups, arena, answer);

	for (size_t i = 0; i < answer->count && status == DNS_FOUND; i++) {
		struct mx_addr *a = &list->addrs[list->count];

		if (list->count == list->cap)
			break;
		*a = (struct mx_addr){.addr = answer->records[i].addr,
		    .host = host,
		    .preference = preference,
		    .asked = host,
		    .canonical = answer->name,
		    .mx_secure = list->secure,
		    .secure = answer->secure};
		if (answer->expanded &&
		    (c->params->cname_overrides || (list->secure && answer->secure)))
			a->host = answer->name;
		set_port(&a->addr, port);
		a->suspect = unreachable_is_suspect(c->unreachable, &a->addr);
		list->count++;
	}
	return status;
}

static bool is_own(const struct smtp_client *c, const struct net_addr *addr)
{
	for (size_t i = 0; i < c->own_count; i++)
		if (net_addr_same_host(&c->own[i], addr))
			return true;
	return false;
}

/* The lowest preference under which this host is listed, by address or by name; false: nowhere. */
static bool own_preference(const struct smtp_client *c, const struct mx_list *list, unsigned *out)
{
	bool found = false;

	for (size_t i = 0; i < list->count; i++) {
		const struct mx_addr *a = &list->addrs[i];

		if (!is_own(c, &a->addr) && !text_eq_nocase(a->host, c->core->myhostname))
			continue;
		if (!found || a->preference < *out)
			*out = a->preference;
		found = true;
	}
	return found;
}

/* Drops exchangers that are no better than we are (RFC 5321 5.1). */
static int cut_at_self(const struct smtp_client *c, const char *domain, unsigned best,
    struct arena *arena, struct mx_list *list, struct trouble *why)
{
	unsigned own = 0, found = UINT32_MAX;
	size_t kept = 0;

	if (!own_preference(c, list, &own))
		return 0;
	list->we_are_mx = true;
	for (size_t i = 0; i < list->count; i++) {
		found = MIN(found, list->addrs[i].preference);
		if (list->addrs[i].preference < own)
			list->addrs[kept++] = list->addrs[i];
	}
	list->count = kept;
	if (kept > 0)
		return 0;
	if (best != found) {
		/* a better one exists, but its address is not known now */
		trouble_set(why, arena, "4.4.4", "unable to find primary relay for %s", domain);
		return -1;
	}
	trouble_set(why, arena, "5.4.6", "mail for %s loops back to myself", domain);
	list->loops = true;
	return -1;
}

static int find_host(const struct smtp_client *c, const struct destination *dest, bool detect_loops,
    struct arena *arena, struct mx_list *out, struct trouble *why)
{
	struct dns_answer answer;
	enum dns_status status = mx_add_host(c, dest->host, dest->port, 0, arena, out, &answer);

	if (status != DNS_FOUND) {
		mx_lookup_trouble(&answer, arena, why);
		return -1;
	}
	if (detect_loops)
		return cut_at_self(c, dest->host, 0, arena, out, why);
	return 0;
}

static int by_preference(const void *a, const void *b)
{
	const struct dns_record *x = a, *y = b;

	return (x->preference > y->preference) - (x->preference < y->preference);
}

/* The addresses of all exchangers; what a soft failure hides may not be taken for "none". */
static int find_exchangers(const struct smtp_client *c, const struct destination *dest,
    const struct dns_answer *mx, bool detect_loops, struct arena *arena, struct mx_list *out,
    struct trouble *why)
{
	struct dns_record *records = arena_alloc(arena, mx->count * sizeof(*records));
	int64_t stop = clock_mono_ms() + c->lookup_ms;
	struct dns_answer answer;
	bool soft = false;

	memcpy(records, mx->records, mx->count * sizeof(*records));
	qsort(records, mx->count, sizeof(*records), by_preference);
	for (size_t i = 0; i < mx->count; i++) {
		enum dns_status status;

		if (i > 0 && clock_mono_ms() >= stop) {
			/* name servers that let us wait, each until its time is over */
			trouble_set(why, arena, "4.4.3",
			    "lookup of the mail exchangers of %s took too long", dest->host);
			break;
		}
		status = mx_add_host(
		    c, records[i].target, dest->port, records[i].preference, arena, out, &answer);
		if (status == DNS_FOUND || soft)
			continue;
		soft = dns_status_is_soft(status);
		mx_lookup_trouble(&answer, arena, why);
	}
	if (out->count == 0) {
		if (c->params->defer_if_no_mx_address_found && !why->soft) {
			why->soft = true;
			why->dsn[0] = '4';
		}
		why->site = why->soft;
		log_warn("no MX host for %s has a valid address record", dest->host);
		return -1;
	}
	if (detect_loops)
		return cut_at_self(c, dest->host, records[0].preference, arena, out, why);
	return 0;
}

static int find_by_mx(const struct smtp_client *c, const struct destination *dest,
    bool detect_loops, struct arena *arena, struct mx_list *out, struct trouble *why)
{
	struct dns_answer mx;

	switch (dns_lookup(c->resolver, dest->host, DNS_TYPE_MX, arena, &mx)) {
	case DNS_FOUND:
		out->secure = mx.secure;
		return find_exchangers(c, dest, &mx, detect_loops, arena, out, why);
	case DNS_NOT_FOUND:
	case DNS_NO_DATA:
		/* RFC 5321 5.1: the domain's own address is its implicit exchanger */
		out->secure = c->dnssec;
		return find_host(c, dest, detect_loops, arena, out, why);
	case DNS_RETRY:
	case DNS_FAILED:
		if (c->params->ignore_mx_lookup_error)
			return find_host(c, dest, detect_loops, arena, out, why);
		FALLTHROUGH;
	default:
		mx_lookup_trouble(&mx, arena, why);
		return -1;
	}
}

int mx_find(const struct smtp_client *c, const struct destination *dest, bool detect_loops,
    struct arena *arena, struct mx_list *out, struct trouble *why)
{
	bool direct = dest->direct || c->no_dns;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	out->cap = direct ? ADDRS_DIRECT_MAX : ADDRS_MAX;
	out->addrs = arena_alloc(arena, out->cap * sizeof(*out->addrs));
	out->secure = direct && c->dnssec;
	if (!direct && srv_is_wanted(c, dest))
		rc = srv_find(c, dest, arena, out, why);
	if (rc == 0)
		rc = direct ? find_host(c, dest, detect_loops, arena, out, why)
		            : find_by_mx(c, dest, detect_loops, arena, out, why);
	if (rc < 0)
		return -1;
	mx_order(out, c->params);
	return 0;
}
