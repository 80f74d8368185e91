/* SPDX-License-Identifier: ISC */
#include "lib/dns/dns.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"

/* The addresses of a host: literal, from DNS, from the system's own name service. */

static void add(struct dns_record *records, size_t *count, const void *sa, socklen_t len)
{
	struct dns_record *rec = &records[*count];

	if (*count >= DNS_RECORDS_MAX || len > sizeof(rec->addr.sa))
		return;
	memset(rec, 0, sizeof(*rec));
	memcpy(&rec->addr.sa, sa, len);
	rec->addr.len = len;
	rec->type = rec->addr.sa.ss_family == AF_INET6 ? DNS_TYPE_AAAA : DNS_TYPE_A;
	rec->target = "";
	++*count;
}

static bool family_wanted(int family, int how)
{
	return (family == AF_INET && (how & DNS_HOST_V4)) ||
	       (family == AF_INET6 && (how & DNS_HOST_V6));
}

/* true when the host needs no lookup at all; the answer may still be empty (wrong family) */
static bool literal(const char *host, int how, struct dns_record *records, size_t *count)
{
	static const char *const loopback[] = {"127.0.0.1", "::1"};
	struct net_addr addr;

	if (net_addr_parse(&addr, host, 0)) {
		if (family_wanted(addr.sa.ss_family, how))
			add(records, count, &addr.sa, addr.len);
		return true;
	}
	if (!text_eq_nocase(host, "localhost"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(loopback); i++)
		if (net_addr_parse(&addr, loopback[i], 0) && family_wanted(addr.sa.ss_family, how))
			add(records, count, &addr.sa, addr.len);
	return true;
}

static enum dns_status from_dns(struct dns_resolver *r, const char *host, int how,
    struct arena *arena, struct dns_record *records, struct dns_answer *out)
{
	static const struct {
		int how;
		enum dns_type type;
	} kinds[] = {{DNS_HOST_V4, DNS_TYPE_A}, {DNS_HOST_V6, DNS_TYPE_AAAA}};
	struct dns_answer one, worst = {.status = DNS_NO_DATA, .name = host};
	size_t count = 0;
	bool soft = false, secure = true, expanded = false;
	const char *name = host;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		if (!(how & kinds[k].how))
			continue;
		if (dns_lookup(r, host, kinds[k].type, arena, &one) != DNS_FOUND) {
			if (!soft)
				worst = one;
			soft = soft || dns_status_is_soft(one.status);
			continue;
		}
		for (size_t i = 0; i < one.count; i++)
			add(records, &count, &one.records[i].addr.sa, one.records[i].addr.len);
		name = one.name;
		secure = secure && one.secure;
		expanded = expanded || one.expanded;
	}
	if (count == 0) {
		*out = worst;
		return out->status;
	}
	*out = (struct dns_answer){.status = DNS_FOUND,
	    .records = records,
	    .count = count,
	    .name = name,
	    .expanded = expanded,
	    .secure = secure};
	return DNS_FOUND;
}

static enum dns_status from_system(
    const char *host, int how, struct dns_record *records, struct dns_answer *out)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int rc;

	if ((how & (DNS_HOST_V4 | DNS_HOST_V6)) != (DNS_HOST_V4 | DNS_HOST_V6))
		hints.ai_family = how & DNS_HOST_V6 ? AF_INET6 : AF_INET;
	memset(out, 0, sizeof(*out));
	out->name = host;
	rc = getaddrinfo(host, NULL, &hints, &list);
	if (rc != 0) {
		out->status = rc == EAI_NONAME || rc == EAI_NODATA ? DNS_NOT_FOUND
		              : rc == EAI_FAIL || rc == EAI_FAMILY ? DNS_FAILED
		                                                   : DNS_RETRY;
		snprintf(out->text, sizeof(out->text), "unable to look up host %.255s: %s", host,
		    gai_strerror(rc));
		return out->status;
	}
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
		if (family_wanted(ai->ai_family, how))
			add(records, &out->count, ai->ai_addr, ai->ai_addrlen);
	freeaddrinfo(list);
	out->records = records;
	out->status = out->count ? DNS_FOUND : DNS_NO_DATA;
	if (!out->count)
		snprintf(out->text, sizeof(out->text),
		    "unable to look up host %.255s: No address of a usable family", host);
	return out->status;
}

enum dns_status dns_lookup_host(
    struct dns_resolver *r, const char *host, int how, struct arena *arena, struct dns_answer *out)
{
	struct dns_record *records = arena_alloc(arena, 2 * sizeof(*records));
	size_t count = 0;

	if (literal(host, how, records, &count)) {
		*out = (struct dns_answer){.status = count ? DNS_FOUND : DNS_NO_DATA,
		    .records = records,
		    .count = count,
		    .name = host};
		if (!count)
			snprintf(out->text, sizeof(out->text),
			    "%.255s: the address family is disabled by inet_protocols", host);
		return out->status;
	}
	records = arena_alloc(arena, DNS_RECORDS_MAX * sizeof(*records));
	if (how & DNS_HOST_DNS) {
		enum dns_status status = from_dns(r, host, how, arena, records, out);

		/* as Postfix: a host that DNS knows not, or not now, may be in the hosts file */
		if (status == DNS_FOUND || !(how & DNS_HOST_NATIVE) ||
		    ((how & DNS_HOST_SECURE) && dns_status_is_soft(status)))
			return status;
	}
	return from_system(host, how, records, out);
}
