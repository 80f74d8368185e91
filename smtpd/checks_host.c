/* SPDX-License-Identifier: ISC */
/*
 * The hosts behind a name, looked up in a table: check_*_a_access, check_*_mx_access and
 * check_*_ns_access; and permit_mx_backup, which asks whether we are one of them.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/dns/dns.h"
#include "lib/mail/address.h"
#include "smtpd/restrict.h"

enum { HOSTS_MAX = 50 }; /* that are looked at, of one name */

/* The server of a name. */
struct hosts {
	struct check *check;
	struct dns_resolver *resolver;
	struct arena arena;
	struct dns_answer answer;
	const char *domain;
	bool found; /* something in the table */
};

/* The addresses of a host that mail could come from or go to here. */
static enum dns_status look_up_host(struct hosts *h, const char *host, struct dns_answer *out)
{
	const char *protocols = h->check->s->srv->config->core->inet_protocols;
	int how = DNS_HOST_DNS | DNS_HOST_NATIVE;

	if (strstr(protocols, "all") || strstr(protocols, "ipv4"))
		how |= DNS_HOST_V4;
	if (strstr(protocols, "all") || strstr(protocols, "ipv6"))
		how |= DNS_HOST_V6;
	return dns_lookup_host(h->resolver, host, how, &h->arena, out);
}

static void use_name_itself(struct hosts *h, enum dns_type type)
{
	struct dns_record *r = arena_zero(&h->arena, 1, sizeof(*r));

	*r = (struct dns_record){.type = type, .target = h->domain};
	h->answer = (struct dns_answer){.status = DNS_FOUND, .records = r, .count = 1};
}

/* "Host not found, try again": what stands behind the last colon of an answer's text */
static const char *short_reason(const struct dns_answer *answer)
{
	const char *colon = strrchr(answer->text, ':');

	if (answer->status == DNS_INVALID)
		return "Host not found";
	return colon && colon[1] == ' ' ? colon + 2 : answer->text;
}

static bool says_no(const struct dns_answer *answer)
{
	return answer->status == DNS_NO_DATA || answer->status == DNS_NOT_FOUND ||
	       answer->status == DNS_INVALID;
}

/* Without an exchanger the name is its own; without a name server it has those of its parents. */
static bool find_servers(struct hosts *h, enum dns_type type)
{
	struct dns_answer *answer = &h->answer;
	const char *name = h->domain;

	if (type == DNS_TYPE_A) {
		use_name_itself(h, type);
		return true;
	}
	dns_lookup(h->resolver, name, type, &h->arena, answer);
	if (answer->status == DNS_NULL_MX)
		return false;
	if (says_no(answer) && type == DNS_TYPE_MX)
		use_name_itself(h, type);
	while (type == DNS_TYPE_NS && says_no(answer) && (name = strchr(name, '.')) && *++name)
		dns_lookup(h->resolver, name, type, &h->arena, answer);
	if (answer->status == DNS_FOUND)
		return true;
	log_warn("Unable to look up %s host for %s: %s", dns_type_name(type),
	    name ? name : h->check->name, short_reason(answer));
	return false;
}

/* One server's name, then its addresses. */
static enum verdict look_up_server(struct hosts *h, enum dns_type type, const char *host)
{
	enum verdict verdict = VERDICT_DUNNO;
	struct dns_answer addresses;
	char text[64];

	/* the name itself is what check_<subject>_access is for */
	if (type != DNS_TYPE_A)
		verdict = access_host_lookup(h->check, host, NULL, &h->found);
	if (h->found)
		return verdict;
	if (look_up_host(h, host, &addresses) != DNS_FOUND) {
		if (type != DNS_TYPE_A)
			log_warn("Unable to look up %s host %s for %s %s: %s", dns_type_name(type),
			    host, h->check->class_, h->check->name, short_reason(&addresses));
		return VERDICT_DUNNO;
	}
	for (size_t i = 0; i < addresses.count && !h->found; i++) {
		net_addr_text(&addresses.records[i].addr, text, sizeof(text));
		verdict = access_host_lookup(h->check, NULL, text, &h->found);
	}
	return verdict;
}

/* [192.0.2.1]: the address is the host. */
static enum verdict look_up_literal(struct hosts *h)
{
	char text[64];
	struct net_addr addr;
	size_t len = strlen(h->domain);

	if (len < 3 || len - 2 >= sizeof(text))
		return VERDICT_DUNNO;
	snprintf(text, sizeof(text), "%.*s", (int)(len - 2), h->domain + 1);
	if (text_starts_nocase(text, "IPv6:"))
		memmove(text, text + 5, strlen(text + 5) + 1);
	if (!net_addr_parse(&addr, text, 0))
		return VERDICT_DUNNO;
	return access_host_lookup(h->check, NULL, text, &h->found);
}

static const char *domain_in(const char *text)
{
	const char *at = strrchr(text, '@');

	return at ? at + 1 : text;
}

static enum verdict look_up_servers(struct check *check, const char *domain, enum dns_type type)
{
	struct hosts h = {.check = check, .domain = domain};
	enum verdict verdict = VERDICT_DUNNO;
	size_t len = strlen(domain);

	h.resolver = access_resolver(check->s->srv);
	if (!h.resolver)
		return VERDICT_DUNNO;
	if (len > 1 && domain[len - 1] == '.')
		h.domain = arena_strndup(&h.arena, domain, len - 1);
	if (*domain == '[')
		verdict = type == DNS_TYPE_NS ? VERDICT_DUNNO : look_up_literal(&h);
	else if (find_servers(&h, type))
		for (size_t i = 0; i < MIN(h.answer.count, HOSTS_MAX) && !h.found; i++)
			verdict = look_up_server(&h, type, h.answer.records[i].target);
	arena_fini(&h.arena);
	return verdict;
}

enum verdict check_server_access(struct check *outer)
{
	struct check check = *outer;
	enum access_subject subject = (enum access_subject)(check.kind->data & 0xff);
	enum dns_type type = (enum dns_type)(check.kind->data >> 8);
	const char *text;

	if (!strchr(check.arg, ':')) {
		log_warn("restriction %s: bad argument \"%s\": need maptype:mapname",
		    check.kind->name, check.arg);
		return check_misconfigured(&check);
	}
	if (!access_subject_of(&check, subject, &text))
		return VERDICT_DUNNO;
	text = domain_in(text);
	if (!*text || ((subject == SUBJECT_CLIENT || subject == SUBJECT_REVERSE_CLIENT) &&
	                  strcmp(text, "unknown") == 0))
		return VERDICT_DUNNO;
	return access_not_permitted(&check, look_up_servers(&check, text, type), check.name);
}

/* ---- permit_mx_backup ----------------------------------------------------------------------- */

/* It might be us, or one that may have mail from here. */
static void unknown_host(struct hosts *h, const char *host, const struct dns_answer *answer)
{
	check_defer_if_reject(h->check, 450, "4.4.4",
	    "<%s>: Recipient address rejected: Unable to look up mail exchanger host %s: %s",
	    h->check->s->tx.rcpt.given, host, short_reason(answer));
}

static bool is_ours(const struct smtpd *srv, const struct net_addr *addr)
{
	for (size_t i = 0; i < srv->interface_count; i++)
		if (net_addr_same_host(&srv->interfaces[i], addr))
			return true;
	return false;
}

/* Every host of the best preference has an address in permit_mx_backup_networks. */
static enum table_answer primary_permitted(
    struct check *check, struct hosts *h, unsigned best, struct err *err)
{
	struct match_list *networks = check->s->srv->access->mx_backup_networks;
	enum table_answer all = TABLE_FOUND;
	struct dns_answer addresses;
	char text[64];

	for (size_t i = 0; i < h->answer.count; i++) {
		const struct dns_record *mx = &h->answer.records[i];
		enum table_answer answer = TABLE_NOT_FOUND;

		if (mx->preference != best)
			continue;
		if (look_up_host(h, mx->target, &addresses) != DNS_FOUND) {
			unknown_host(h, mx->target, &addresses);
			return TABLE_NOT_FOUND;
		}
		for (size_t j = 0; j < addresses.count && answer == TABLE_NOT_FOUND; j++) {
			net_addr_text(&addresses.records[j].addr, text, sizeof(text));
			answer = match_list_host(networks, mx->target, text, err);
		}
		if (answer == TABLE_ERROR)
			return TABLE_ERROR;
		if (answer == TABLE_NOT_FOUND)
			all = TABLE_NOT_FOUND;
	}
	return all;
}

/* We are a host of the domain, and not its first one. */
static bool we_are_backup(struct check *check, struct hosts *h, unsigned *best_out)
{
	const struct smtpd *srv = check->s->srv;
	bool listed = false, first = false;
	struct dns_answer addresses;

	*best_out = UINT32_MAX;
	for (size_t i = 0; i < h->answer.count; i++)
		*best_out = MIN(*best_out, h->answer.records[i].preference);
	for (size_t i = 0; i < MIN(h->answer.count, HOSTS_MAX); i++) {
		const struct dns_record *mx = &h->answer.records[i];
		bool us = text_eq_nocase(mx->target, srv->config->core->myhostname);

		if (!us && look_up_host(h, mx->target, &addresses) == DNS_FOUND)
			for (size_t j = 0; j < addresses.count && !us; j++)
				us = is_ours(srv, &addresses.records[j].addr);
		else if (!us)
			unknown_host(h, mx->target, &addresses);
		listed = listed || us;
		first = first || (us && mx->preference == *best_out);
	}
	return listed && !first;
}

static enum verdict mx_backup(struct check *check, struct hosts *h)
{
	const char *given = check->s->tx.rcpt.given;
	unsigned best;
	struct err err = {0};

	dns_lookup(h->resolver, h->domain, DNS_TYPE_MX, &h->arena, &h->answer);
	if (dns_status_is_soft(h->answer.status))
		return check_defer_if_reject(check, 450, "4.4.4",
		    "<%s>: %s rejected: Unable to look up mail exchanger information: %s", given,
		    "Recipient address", short_reason(&h->answer));
	if (h->answer.status != DNS_FOUND)
		return VERDICT_DUNNO;
	if (!we_are_backup(check, h, &best))
		return VERDICT_DUNNO;
	if (!check->s->srv->access->mx_backup_networks)
		return check_permit(check);
	switch (primary_permitted(check, h, best, &err)) {
	case TABLE_FOUND:
		return check_permit(check);
	case TABLE_ERROR:
		log_warn("permit_mx_backup_networks: %s", err.text);
		return check_broken(check, "4.3.0", "<%s>: Temporary lookup failure", given);
	case TABLE_NOT_FOUND:
		break;
	}
	return VERDICT_DUNNO;
}

enum verdict check_mx_backup(struct check *check)
{
	struct transaction *tx = &check->s->tx;
	struct hosts h = {.check = check};
	enum verdict verdict = VERDICT_DUNNO;
	struct slice local;

	if (!tx->has_rcpt)
		return VERDICT_DUNNO;
	if (!transaction_resolve(check->s, &tx->rcpt))
		return check_table_trouble(check, tx->rcpt.given);
	if (check_destination_is_ours(check))
		return check_permit(check);
	/* an address that hides another one would let strangers relay */
	address_split(tx->rcpt.route.recipient, &local, &h.domain);
	if (!h.domain || *h.domain == '[' || slice_has(local, '@') || slice_has(local, '%') ||
	    slice_has(local, '!'))
		return VERDICT_DUNNO;
	h.resolver = access_resolver(check->s->srv);
	if (h.resolver)
		verdict = mx_backup(check, &h);
	arena_fini(&h.arena);
	return verdict;
}
