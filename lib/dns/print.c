/* SPDX-License-Identifier: ISC */
#include "lib/dns/dns.h"

/* A record as a zone file has it. */

static void print_target(struct str *out, const char *target)
{
	str_printf(out, "%s.", target);
}

static void print_tlsa(struct str *out, const struct dns_record *r)
{
	str_printf(out, "%u %u %u ", r->usage, r->selector, r->matching);
	for (size_t i = 0; i < r->data_len; i++)
		str_printf(out, "%02X", r->data[i]);
}

void dns_record_print(struct str *out, const char *name, const struct dns_record *r)
{
	char address[64];

	str_printf(out, "%s. %lu IN %s ", name, (unsigned long)r->ttl, dns_type_name(r->type));
	switch (r->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		net_addr_text(&r->addr, address, sizeof(address));
		str_put_text(out, address);
		break;
	case DNS_TYPE_MX:
		str_printf(out, "%u ", r->preference);
		print_target(out, r->target);
		break;
	case DNS_TYPE_SRV:
		str_printf(out, "%u %u %u ", r->preference, r->weight, r->port);
		print_target(out, r->target);
		break;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
		print_target(out, r->target);
		break;
	case DNS_TYPE_TXT:
		str_printf(out, "\"%s\"", (const char *)r->data);
		break;
	case DNS_TYPE_TLSA:
		print_tlsa(out, r);
		break;
	}
}
