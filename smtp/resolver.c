/* SPDX-License-Identifier: ISC */
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/table/table.h"
#include "smtp/smtp.h"

/* How this client asks the name service: parameters into options. */

static void set_lookups(struct smtp_client *c)
{
	const struct smtp_params *p = c->params;

	c->no_dns = p->dns_support_level == SMTP_DNS_LEGACY
	                ? p->disable_dns_lookups
	                : p->dns_support_level == SMTP_DNS_DISABLED;
	c->dnssec = p->dns_support_level == SMTP_DNS_DNSSEC;
	c->lookups = p->host_lookup;
	if (c->no_dns || !c->lookups)
		c->lookups = DNS_HOST_NATIVE;
	if (c->dnssec)
		c->lookups |= DNS_HOST_SECURE;
}

/* What smtp_dns_reply_filter says of a record; its only word is IGNORE. */
static int filter(void *arg, const char *record)
{
	struct table_chain *tables = arg;
	struct str value = {0};
	struct err err;
	int drop = 0;

	switch (table_chain_get(tables, record, &value, &err)) {
	case TABLE_FOUND:
		drop = text_eq_nocase(str_text(&value), "IGNORE") ? 1 : -1;
		if (drop < 0)
			log_warn("dns_reply_filter: \"%s\" for \"%s\": expected IGNORE",
			    str_text(&value), record);
		else
			log_info("ignoring DNS RR: %s", record);
		break;
	case TABLE_NOT_FOUND:
		break;
	case TABLE_ERROR:
		log_warn("dns_reply_filter: %s", err.text);
		drop = -1;
		break;
	}
	str_fini(&value);
	return drop;
}

int client_open_resolver(struct smtp_client *c, struct err *err)
{
	const struct smtp_params *p = c->params;
	struct dns_options options = {.servers = p->dns_resolver_address.items,
	    .server_count = p->dns_resolver_address.count,
	    .defnames = p->dns_resolver_options & SMTP_RES_DEFNAMES,
	    .search = p->dns_resolver_options & SMTP_RES_DNSRCH};

	set_lookups(c);
	options.idna2003 = c->core->idna2003;
	options.dnssec = c->dnssec;
	if (c->dns_filter) {
		options.filter = filter;
		options.filter_arg = c->dns_filter;
	}
	if (dns_resolver_new(&options, &c->resolver, err) < 0)
		return err_prefix(err, "dns_resolver_address");
	return 0;
}

void client_close_resolver(struct smtp_client *c)
{
	dns_resolver_free(&c->resolver);
	table_chain_close(&c->dns_filter);
}
