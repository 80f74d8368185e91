/* SPDX-License-Identifier: ISC */
/* Restrictions that ask the name service: can mail be sent back to where it claims to come from? */
#include "smtpd/restrict.h"

#include "lib/base/log.h"
#include "lib/dns/dns.h"
#include "lib/mail/address.h"

enum domain_state { DOMAIN_FOUND, DOMAIN_MISSING, DOMAIN_NULL_MX, DOMAIN_UNKNOWN };

static enum domain_state state_of(enum dns_status status)
{
	if (status == DNS_FOUND)
		return DOMAIN_FOUND;
	if (status == DNS_NULL_MX)
		return DOMAIN_NULL_MX;
	return dns_status_is_soft(status) ? DOMAIN_UNKNOWN : DOMAIN_MISSING;
}

static int filter_reply(void *arg, const char *record)
{
	struct str value = {0};
	struct err err = {0};
	int drop = 0;

	switch (table_chain_get(arg, record, &value, &err)) {
	case TABLE_FOUND:
		drop = text_eq_nocase(str_text(&value), "ignore");
		if (!drop)
			log_warn("smtpd_dns_reply_filter: unknown action \"%s\" for %s",
			    str_text(&value), record);
		break;
	case TABLE_ERROR:
		log_warn("smtpd_dns_reply_filter: %s", err.text);
		drop = -1;
		break;
	case TABLE_NOT_FOUND:
		break;
	}
	str_fini(&value);
	return drop;
}

struct dns_resolver *access_resolver(struct smtpd *srv)
{
	const struct smtpd_params *p = &srv->config->smtpd;
	struct dns_options options = {.servers = p->dns_resolver_address.items,
	    .server_count = p->dns_resolver_address.count,
	    .impatient = true};
	struct err err;

	if (srv->resolver)
		return srv->resolver;
	if (srv->access && srv->access->dns_filter) {
		options.filter = filter_reply;
		options.filter_arg = srv->access->dns_filter;
	}
	if (dns_resolver_new(&options, &srv->resolver, &err) < 0) {
		log_warn("dns_resolver_address: %s", err.text);
		dns_resolver_free(&srv->resolver);
	}
	return srv->resolver;
}

/* MX, else an address. What nobody knows now is not missing. */
static enum domain_state domain_state(struct session *s, const char *domain)
{
	static const enum dns_type types[] = {DNS_TYPE_MX, DNS_TYPE_A, DNS_TYPE_AAAA};
	enum domain_state worst = DOMAIN_MISSING;
	struct arena arena = {0};
	struct dns_answer answer;
	struct dns_resolver *resolver = access_resolver(s->srv);

	if (!resolver)
		return DOMAIN_UNKNOWN;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		enum domain_state state =
		    state_of(dns_lookup(resolver, domain, types[i], &arena, &answer));

		if (state == DOMAIN_FOUND || state == DOMAIN_NULL_MX) {
			worst = state;
			break;
		}
		if (state == DOMAIN_UNKNOWN)
			worst = state;
	}
	arena_fini(&arena);
	return worst;
}

static enum verdict refuse_unknown_domain(
    struct check *check, struct target *target, const char *class_, const char *dsn, bool is_sender)
{
	int code = check->s->params->unknown_address_reject_code;
	struct slice local;
	const char *domain;

	address_split(target->address, &local, &domain);
	if (target->address[0] == '\0' || !domain || domain[0] == '[')
		return VERDICT_DUNNO;
	/* Our own domains need not be in the DNS. */
	if (transaction_resolve(check->s, target) && target->route.class_ != ROUTE_DEFAULT)
		return VERDICT_DUNNO;
	switch (domain_state(check->s, domain)) {
	case DOMAIN_MISSING:
		return check_refuse(
		    check, code, dsn, "<%s>: %s rejected: Domain not found", target->given, class_);
	case DOMAIN_UNKNOWN:
		return check_defer_if_permit(check,
		    check->s->params->unknown_address_tempfail == TEMPFAIL_DEFER, 450, dsn,
		    "<%s>: %s rejected: Domain not found", target->given, class_);
	case DOMAIN_NULL_MX:
		return check_refuse(check, is_sender ? 550 : 556, is_sender ? "5.7.27" : "5.1.10",
		    "<%s>: %s rejected: Domain %s does not accept mail (nullMX)", target->given,
		    class_, domain);
	case DOMAIN_FOUND:
		break;
	}
	return VERDICT_DUNNO;
}

enum verdict check_unknown_sender_domain(struct check *check)
{
	struct target *sender = &check->s->tx.sender;

	return sender->given ? refuse_unknown_domain(check, sender, "Sender address", "4.1.8", true)
	                     : VERDICT_DUNNO;
}

enum verdict check_unknown_recipient_domain(struct check *check)
{
	struct transaction *tx = &check->s->tx;

	return tx->has_rcpt
	           ? refuse_unknown_domain(check, &tx->rcpt, "Recipient address", "4.1.2", false)
	           : VERDICT_DUNNO;
}

enum verdict check_helo_in_dns(struct check *check)
{
	const char *helo = check->s->helo;
	enum domain_state state;

	state = domain_state(check->s, helo);
	if (state != DOMAIN_MISSING && state != DOMAIN_UNKNOWN)
		return VERDICT_DUNNO;
	if (state == DOMAIN_UNKNOWN)
		return check_defer_if_permit(check,
		    check->s->params->unknown_hostname_tempfail == TEMPFAIL_DEFER, 450, "4.7.1",
		    "<%s>: Helo command rejected: Host not found", helo);
	return check_refuse(check, check->s->params->unknown_hostname_reject_code, "4.7.1",
	    "<%s>: Helo command rejected: Host not found", helo);
}
