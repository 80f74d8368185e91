/* SPDX-License-Identifier: ISC */
/* What each restriction name means. A new one is a function and a row. */
#include "smtpd/restrict.h"
#include "smtpd/tls.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/base/near.h"
#include "lib/base/num.h"
#include "lib/dns/dns.h"
#include "lib/service/service.h"
#include "lib/mail/address.h"
#include "lib/smtp/reply.h"

#define PARAMS(check) ((check)->s->params)

static enum verdict permit(struct check *check)
{
	return check_permit(check);
}

static enum verdict reject(struct check *check)
{
	return check_refuse(check, PARAMS(check)->reject_code, "5.7.1",
	    "<%s>: %s rejected: Access denied", check->name, check->class_);
}

static enum verdict defer(struct check *check)
{
	return check_refuse(check, PARAMS(check)->defer_code, "4.3.2",
	    "<%s>: %s rejected: Try again later", check->name, check->class_);
}

static enum verdict defer_if_permit(struct check *check)
{
	return check_defer_if_permit(check, false, 450, "4.7.0",
	    "<%s>: %s rejected: defer_if_permit requested", check->name, check->class_);
}

static enum verdict defer_if_reject(struct check *check)
{
	return check_defer_if_reject(check, 450, "4.7.0",
	    "<%s>: %s rejected: defer_if_reject requested", check->name, check->class_);
}

static enum verdict pause_for(struct check *check)
{
	int seconds;

	if (!num_int(check->arg, 0, RESTRICT_SLEEP_MAX, &seconds)) {
		log_warn("restriction %s must be followed by number", check->kind->name);
		return check_misconfigured(check);
	}
	for (; seconds > 0; seconds--) {
		poll(NULL, 0, 1000);
		if (check->s->srv->service)
			service_alive(check->s->srv->service);
	}
	return VERDICT_DUNNO;
}

enum verdict check_table_trouble(struct check *check, const char *name)
{
	return check_broken(check, "4.3.0", "<%s>: Temporary lookup failure", name);
}

static enum verdict permit_mynetworks(struct check *check)
{
	switch (session_in_mynetworks(check->s)) {
	case TABLE_FOUND:
		return check_permit_client(check);
	case TABLE_ERROR: /* who it is that we would refuse is not known */
		return check_table_trouble(check, check->name);
	case TABLE_NOT_FOUND:
		break;
	}
	return VERDICT_DUNNO;
}

static enum verdict permit_inet_interfaces(struct check *check)
{
	const struct smtpd *srv = check->s->srv;

	for (size_t i = 0; i < srv->interface_count; i++)
		if (net_addr_same_host(&srv->interfaces[i], &check->s->peer.address))
			return check_permit_client(check);
	return VERDICT_DUNNO;
}

static enum verdict reject_plaintext(struct check *check)
{
	if (session_tls_active(check->s))
		return VERDICT_DUNNO;
	return check_refuse(
	    check, PARAMS(check)->plaintext_reject_code, "4.7.1", "Session encryption is required");
}

/* ---- destination --------------------------------------------------------------------------- */

static bool has_rcpt(const struct check *check)
{
	return check->s->tx.has_rcpt;
}

/* The local part holds another address: the host that gets it could send it on. */
bool check_destination_is_routed(struct check *check)
{
	struct slice local;
	const char *domain;

	address_split(check->s->tx.rcpt.route.recipient, &local, &domain);
	return !PARAMS(check)->allow_untrusted_routing &&
	       (slice_has(local, '@') || slice_has(local, '%') || slice_has(local, '!'));
}

/* Is it a domain that we are responsible for? With a routed address we would relay for anybody. */
bool check_destination_is_ours(struct check *check)
{
	return check->s->tx.rcpt.route.class_ != ROUTE_DEFAULT &&
	       !check_destination_is_routed(check);
}

static enum verdict permit_auth_destination(struct check *check)
{
	if (!has_rcpt(check))
		return VERDICT_DUNNO;
	if (!transaction_resolve(check->s, &check->s->tx.rcpt))
		return check_table_trouble(check, check->s->tx.rcpt.given);
	return check_destination_is_ours(check) ? check_permit(check) : VERDICT_DUNNO;
}

static enum verdict refuse_relay(struct check *check, int code, const char *dsn)
{
	const char *given = check->s->tx.rcpt.given;

	if (!has_rcpt(check))
		return VERDICT_DUNNO;
	if (!transaction_resolve(check->s, &check->s->tx.rcpt))
		return check_table_trouble(check, given);
	if (check_destination_is_ours(check))
		return VERDICT_DUNNO;
	return check_refuse(check, code, dsn, "<%s>: Relay access denied", given);
}

static enum verdict reject_unauth_destination(struct check *check)
{
	return refuse_relay(check, PARAMS(check)->relay_domains_reject_code, "5.7.1");
}

/* The old form decides: what is not refused is permitted. */
static enum verdict relay_domains_only(struct check *check)
{
	enum verdict verdict = reject_unauth_destination(check);

	log_warn("restriction check_relay_domains is old; use reject_unauth_destination instead");
	if (verdict != VERDICT_DUNNO || (has_rcpt(check) && !check_destination_is_ours(check)))
		return verdict; /* refused, or would be without warn_if_reject */
	return check_permit(check);
}

static enum verdict defer_unauth_destination(struct check *check)
{
	int code = PARAMS(check)->relay_domains_reject_code;

	return refuse_relay(check, code >= 500 ? code - 100 : code, "4.7.1");
}

/* A route to error(8) or retry(8) is an answer by itself: "5.1.1 text". */
static enum verdict refuse_by_route(struct check *check, const struct target *target)
{
	bool temporary = strcmp(target->route.transport, "retry") == 0;
	int code = target->route.class_ == ROUTE_VIRTUAL_ALIAS
	               ? PARAMS(check)->unknown_virtual_alias_reject_code
	               : 550;
	char dsn[12];
	const char *text = smtp_dsn_split(target->route.nexthop, dsn);

	if (dsn[0] == '\0')
		strcpy(dsn, temporary ? "4.0.0" : "5.0.0");
	if (dsn[0] == '4' || temporary)
		code = 450;
	action_fix_dsn(dsn, check->class_);
	check->undeliverable = true;
	return check_refuse(
	    check, code, dsn, "<%s>: %s rejected: %s", target->given, check->class_, text);
}

enum verdict check_unlisted(struct check *check, struct target *target, bool is_sender)
{
	const struct smtpd_params *p = PARAMS(check);
	const struct {
		const char *table;
		int code;
	} classes[] = {
	    [ROUTE_LOCAL] = {"local recipient", p->unknown_local_recipient_reject_code},
	    [ROUTE_VIRTUAL_ALIAS] = {"virtual alias", p->unknown_virtual_alias_reject_code},
	    [ROUTE_VIRTUAL_MAILBOX] = {"virtual mailbox", p->unknown_virtual_mailbox_reject_code},
	    [ROUTE_RELAY] = {"relay recipient", p->unknown_relay_recipient_reject_code},
	    [ROUTE_DEFAULT] = {"", 550},
	};
	const char *given = target->given;
	enum table_answer known;
	struct err err;

	check->class_ = is_sender ? "Sender address" : "Recipient address";
	if (!transaction_resolve(check->s, target))
		return check_table_trouble(check, given);
	known = map_knows(check->s->srv->addresses, target->route.recipient, &err);
	if (known == TABLE_NOT_FOUND && (strcmp(target->route.transport, "error") == 0 ||
	                                    strcmp(target->route.transport, "retry") == 0))
		return refuse_by_route(check, target);
	if (known == TABLE_NOT_FOUND)
		known = route_recipient_known(check->s->srv->router, &target->route, &err);
	switch (known) {
	case TABLE_FOUND:
		return VERDICT_DUNNO;
	case TABLE_ERROR:
		log_warn("%s", err.text);
		return check_table_trouble(check, given);
	case TABLE_NOT_FOUND:
		break;
	}
	check->undeliverable = true;
	if (!check->s->srv->config->route.show_user_unknown_table_name)
		return check_refuse(check, classes[target->route.class_].code,
		    is_sender ? "5.1.0" : "5.1.1", "<%s>: %s rejected: User unknown", given,
		    check->class_);
	return check_refuse(check, classes[target->route.class_].code,
	    is_sender ? "5.1.0" : "5.1.1", "<%s>: %s rejected: User unknown in %s table", given,
	    check->class_, classes[target->route.class_].table);
}

static enum verdict reject_unlisted_recipient(struct check *check)
{
	return has_rcpt(check) ? check_unlisted(check, &check->s->tx.rcpt, false) : VERDICT_DUNNO;
}

static enum verdict reject_unlisted_sender(struct check *check)
{
	struct target *sender = &check->s->tx.sender;

	return sender->given && sender->given[0] ? check_unlisted(check, sender, true)
	                                         : VERDICT_DUNNO;
}

static enum verdict reject_multi_recipient_bounce(struct check *check)
{
	const struct transaction *tx = &check->s->tx;
	size_t count = tx->rcpt_count + (check->stage < ACCESS_DATA && tx->has_rcpt ? 1 : 0);

	if (!tx->sender.given || tx->sender.given[0] || count < 2)
		return VERDICT_DUNNO;
	return check_refuse(check, PARAMS(check)->multi_recipient_bounce_reject_code, "5.5.3",
	    "<%s>: %s rejected: Multi-recipient bounce", check->name, check->class_);
}

static enum verdict reject_unauth_pipelining(struct check *check)
{
	if (!check->s->bad_pipelining)
		return VERDICT_DUNNO;
	return check_refuse(check, 503, "5.5.0",
	    "<%s>: %s rejected: Improper use of SMTP command pipelining", check->name,
	    check->class_);
}

/* ---- the client ----------------------------------------------------------------------------- */

static enum verdict refuse_unnamed(
    struct check *check, enum peer_status status, const char *dsn, const char *what)
{
	int code = PARAMS(check)->unknown_client_reject_code;

	if (status == PEER_NAME_OK)
		return VERDICT_DUNNO;
	return check_refuse(check, status == PEER_NAME_TEMPFAIL ? 450 : code, dsn,
	    "Client host rejected: cannot find your %s, [%s]", what, check->s->peer.addr);
}

static enum verdict reject_unknown_client(struct check *check)
{
	return refuse_unnamed(check, check->s->peer.name_status, "4.7.25", "hostname");
}

static enum verdict reject_unknown_reverse_client(struct check *check)
{
	return refuse_unnamed(check, check->s->peer.reverse_status, "4.7.1", "reverse hostname");
}

#define TABLE_OF(name, subject)                                                  \
	{                                                                        \
		name, check_access_table, RESTRICT_ARG | RESTRICT_TABLE, subject \
	}

#define SERVERS_OF(name, subject, type)                                   \
	{                                                                 \
		name, check_server_access, RESTRICT_ARG | RESTRICT_TABLE, \
		    (int)(subject) | (int)(type) << 8                     \
	}

static const struct restriction_kind kinds[] = {
    {"permit", permit, RESTRICT_ENDS, 0},
    {"reject", reject, RESTRICT_PROTECTS | RESTRICT_ENDS, 0},
    {"defer", defer, RESTRICT_PROTECTS | RESTRICT_ENDS, 0},
    {"warn_if_reject", NULL, 0, 0},
    {"defer_if_permit", defer_if_permit, RESTRICT_PROTECTS, 0},
    {"defer_if_reject", defer_if_reject, 0, 0},
    {"sleep", pause_for, RESTRICT_ARG, 0},
    {"permit_mynetworks", permit_mynetworks, 0, 0},
    {"permit_inet_interfaces", permit_inet_interfaces, 0, 0},
    {"permit_sasl_authenticated", check_sasl_authenticated, 0, 0},
    {"permit_tls_clientcerts", check_tls_clientcerts, 0, 0},
    {"permit_tls_all_clientcerts", check_tls_all_clientcerts, 0, 0},
    {"permit_auth_destination", permit_auth_destination, 0, 0},
    {"reject_unauth_destination", reject_unauth_destination, RESTRICT_PROTECTS, 0},
    {"check_relay_domains", relay_domains_only, RESTRICT_PROTECTS | RESTRICT_ENDS, 0},
    {"defer_unauth_destination", defer_unauth_destination, RESTRICT_PROTECTS, 0},
    {"reject_unlisted_recipient", reject_unlisted_recipient, 0, 0},
    {"check_recipient_maps", reject_unlisted_recipient, 0, 0},
    {"reject_unlisted_sender", reject_unlisted_sender, 0, 0},
    {"reject_multi_recipient_bounce", reject_multi_recipient_bounce, 0, 0},
    {"reject_unauth_pipelining", reject_unauth_pipelining, 0, 0},
    {"reject_plaintext_session", reject_plaintext, 0, 0},
    {"reject_non_fqdn_sender", check_non_fqdn_sender, 0, 0},
    {"reject_non_fqdn_recipient", check_non_fqdn_recipient, 0, 0},
    {"reject_non_fqdn_helo_hostname", check_non_fqdn_helo, 0, 0},
    {"reject_non_fqdn_hostname", check_non_fqdn_helo, 0, 0},
    {"reject_invalid_helo_hostname", check_invalid_helo, 0, 0},
    {"reject_invalid_hostname", check_invalid_helo, 0, 0},
    {"permit_naked_ip_address", check_naked_address, 0, 0},
    {"reject_unknown_sender_domain", check_unknown_sender_domain, 0, 0},
    {"reject_unknown_address", check_unknown_sender_domain, 0, 0},
    {"reject_unknown_recipient_domain", check_unknown_recipient_domain, 0, 0},
    {"reject_unknown_helo_hostname", check_unknown_helo, 0, 0},
    {"reject_unknown_hostname", check_unknown_helo, 0, 0},
    {"reject_unknown_client_hostname", reject_unknown_client, 0, 0},
    {"reject_unknown_client", reject_unknown_client, 0, 0},
    {"reject_unknown_reverse_client_hostname", reject_unknown_reverse_client, 0, 0},
    TABLE_OF("check_client_access", SUBJECT_CLIENT),
    TABLE_OF("check_reverse_client_hostname_access", SUBJECT_REVERSE_CLIENT),
    TABLE_OF("check_helo_access", SUBJECT_HELO),
    TABLE_OF("check_sender_access", SUBJECT_SENDER),
    TABLE_OF("check_recipient_access", SUBJECT_RECIPIENT),
    TABLE_OF("check_etrn_access", SUBJECT_ETRN),
    TABLE_OF("check_ccert_access", SUBJECT_CCERT),
    TABLE_OF("check_sasl_access", SUBJECT_SASL),
    SERVERS_OF("check_client_a_access", SUBJECT_CLIENT, DNS_TYPE_A),
    SERVERS_OF("check_client_mx_access", SUBJECT_CLIENT, DNS_TYPE_MX),
    SERVERS_OF("check_client_ns_access", SUBJECT_CLIENT, DNS_TYPE_NS),
    SERVERS_OF("check_reverse_client_hostname_a_access", SUBJECT_REVERSE_CLIENT, DNS_TYPE_A),
    SERVERS_OF("check_reverse_client_hostname_mx_access", SUBJECT_REVERSE_CLIENT, DNS_TYPE_MX),
    SERVERS_OF("check_reverse_client_hostname_ns_access", SUBJECT_REVERSE_CLIENT, DNS_TYPE_NS),
    SERVERS_OF("check_helo_a_access", SUBJECT_HELO, DNS_TYPE_A),
    SERVERS_OF("check_helo_mx_access", SUBJECT_HELO, DNS_TYPE_MX),
    SERVERS_OF("check_helo_ns_access", SUBJECT_HELO, DNS_TYPE_NS),
    SERVERS_OF("check_sender_a_access", SUBJECT_SENDER, DNS_TYPE_A),
    SERVERS_OF("check_sender_mx_access", SUBJECT_SENDER, DNS_TYPE_MX),
    SERVERS_OF("check_sender_ns_access", SUBJECT_SENDER, DNS_TYPE_NS),
    SERVERS_OF("check_recipient_a_access", SUBJECT_RECIPIENT, DNS_TYPE_A),
    SERVERS_OF("check_recipient_mx_access", SUBJECT_RECIPIENT, DNS_TYPE_MX),
    SERVERS_OF("check_recipient_ns_access", SUBJECT_RECIPIENT, DNS_TYPE_NS),
    {"permit_mx_backup", check_mx_backup, 0, 0},
    {"reject_rbl_client", check_rbl, RESTRICT_ARG, 0},
    {"reject_rbl", check_rbl, RESTRICT_ARG, 0},
    {"reject_maps_rbl", check_maps_rbl, 0, 0},
    {"reject_rhsbl_client", check_rhsbl, RESTRICT_ARG, SUBJECT_CLIENT},
    {"reject_rhsbl_reverse_client", check_rhsbl, RESTRICT_ARG, SUBJECT_REVERSE_CLIENT},
    {"reject_rhsbl_helo", check_rhsbl, RESTRICT_ARG, SUBJECT_HELO},
    {"reject_rhsbl_sender", check_rhsbl, RESTRICT_ARG, SUBJECT_SENDER},
    {"reject_rhsbl_recipient", check_rhsbl, RESTRICT_ARG, SUBJECT_RECIPIENT},
    {"permit_dnswl_client", check_dnswl, RESTRICT_ARG, SUBJECT_NONE},
    {"permit_rhswl_client", check_dnswl, RESTRICT_ARG, SUBJECT_CLIENT},
    {"reject_unverified_sender", check_unverified_sender, 0, 0},
    {"reject_unverified_recipient", check_unverified_recipient, 0, 0},
    {"check_policy_service", check_policy_service, RESTRICT_ARG, 0},
    {"reject_sender_login_mismatch", check_login_mismatch, 0,
        LOGIN_MISMATCH_AUTH | LOGIN_MISMATCH_NONE},
    {"reject_authenticated_sender_login_mismatch", check_login_mismatch, 0, LOGIN_MISMATCH_AUTH},
    {"reject_unauthenticated_sender_login_mismatch", check_login_mismatch, 0, LOGIN_MISMATCH_NONE},
    {"reject_known_sender_login_mismatch", check_login_mismatch, 0,
        LOGIN_MISMATCH_AUTH | LOGIN_MISMATCH_NONE | LOGIN_MISMATCH_UNKNOWN_OK},
};

const char *check_nearest(const char *name)
{
	enum { FAR = 3 };
	size_t best_distance = MIN((size_t)FAR, strlen(name) / 3) + 1;
	const char *best = NULL;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t d = near_distance(name, kinds[i].name, FAR);

		if (d < best_distance) {
			best = kinds[i].name;
			best_distance = d;
		}
	}
	return best;
}

const struct restriction_kind *check_find(struct slice name)
{
	static const struct restriction_kind bare = {"", check_bare_table, RESTRICT_TABLE, 0};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (slice_eq_nocase(name, kinds[i].name))
			return &kinds[i];
	return slice_has(name, ':') ? &bare : NULL;
}
