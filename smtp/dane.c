/* SPDX-License-Identifier: ISC */
/*
 * DANE for SMTP (RFC 7672). TLSA records count when the name service vouches for them and for the
 * way to them: the exchanger's name (MX), its address, CNAMEs included. "No" counts as much as
 * "yes"; "nobody knows" makes the mail wait, for an attacker can always bring that about.
 */
#include "smtp/policy.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "smtp/engine.h"

enum { BASE_NAMES_MAX = 2 };

/*
 * No DANE here. The level dane then does without, or without names when there were records;
 * dane-only does not.
 */
static void fall_back(const struct target *to, struct arena *arena, struct policy *p,
    enum tls_level instead, const char *why)
{
	if (p->level == LEVEL_DANE_ONLY) {
		policy_set_invalid(p, arena, "4.7.5", "%s", why);
		return;
	}
	log_debug("TLS policy lookup for %s/%s: %s", to->request->nexthop,
	    to->addr ? to->addr->host : "", why);
	p->level = instead;
}

/* Usage 2 and 3, with digests that we can compare; the rest is for others (RFC 7672 3.1.3). */
static bool is_usable(const struct dns_record *r)
{
	static const size_t digest_len[] = {[1] = 32, [2] = 64};

	if ((r->usage != 2 && r->usage != 3) || r->selector > 1 || r->matching > 2)
		return false;
	return r->matching == 0 || r->data_len == digest_len[r->matching];
}

static void use_records(
    const struct dns_answer *answer, struct arena *arena, struct policy *p, const char *base)
{
	struct tls_tlsa *tlsa = arena_zero(arena, answer->count, sizeof(*tlsa));

	p->tlsa_count = 0;
	for (size_t i = 0; i < answer->count; i++) {
		const struct dns_record *r = &answer->records[i];

		if (is_usable(r))
			tlsa[p->tlsa_count++] = (struct tls_tlsa){
			    r->usage, r->selector, r->matching, r->data, r->data_len};
	}
	p->tlsa = tlsa;
	p->tlsa_base = base;
}

enum tlsa_result { TLSA_FOUND, TLSA_NONE, TLSA_UNKNOWN };

static enum tlsa_result look_up(const struct smtp_client *c, const struct target *to,
    const char *base, struct arena *arena, struct dns_answer *answer)
{
	const char *name = arena_printf(arena, "_%u._tcp.%s", net_addr_port(&to->addr->addr), base);
	enum dns_status status = dns_lookup(c->resolver, name, DNS_TYPE_TLSA, arena, answer);

	if (c->tls->params->loglevel >= 2)
		log_info("%s: %zu TLSA records, %s", name, status == DNS_FOUND ? answer->count : 0,
		    answer->secure ? "secure" : "insecure");
	if (status == DNS_FOUND)
		return answer->secure ? TLSA_FOUND : TLSA_NONE;
	if (status == DNS_NOT_FOUND || status == DNS_NO_DATA)
		return TLSA_NONE;
	return TLSA_UNKNOWN;
}

/* RFC 7672 2.2.2: under the name at the end of the CNAMEs first, then under that of the MX. */
static enum tlsa_result find(
    const struct smtp_client *c, const struct target *to, struct arena *arena, struct policy *p)
{
	const char *bases[BASE_NAMES_MAX] = {to->addr->canonical, to->addr->asked};
	struct dns_answer answer;

	for (size_t i = 0; i < BASE_NAMES_MAX; i++) {
		enum tlsa_result result;

		if (!bases[i] || (i > 0 && bases[0] && text_eq_nocase(bases[i], bases[0])))
			continue;
		result = look_up(c, to, bases[i], arena, &answer);
		if (result == TLSA_FOUND)
			use_records(&answer, arena, p, bases[i]);
		if (result == TLSA_UNKNOWN)
			log_warn("TLSA lookup error for %s:%u: %s", bases[i],
			    net_addr_port(&to->addr->addr), answer.text);
		if (result != TLSA_NONE)
			return result;
	}
	return TLSA_NONE;
}

/* Usage 2 is held to names: the host's, and where the MX is secure the destination's as well. */
static void set_reference_names(const struct target *to, struct arena *arena, struct policy *p)
{
	const char **names = arena_zero(arena, 2, sizeof(*names));

	names[0] = policy_nexthop_domain(to, arena);
	p->names = names;
	p->name_count = 1;
}

static void found(
    const struct smtp_client *c, const struct target *to, struct arena *arena, struct policy *p)
{
	bool secure_mx = to->addr->mx_secure;

	if (!p->tlsa_count) {
		fall_back(to, arena, p, LEVEL_ENCRYPT, "TLSA records unusable");
		return;
	}
	if (secure_mx) {
		set_reference_names(to, arena, p);
		return;
	}
	p->level = (enum tls_level)c->tls->params->dane_insecure_mx_policy;
	if (p->level != LEVEL_HALF_DANE)
		p->tlsa_count = 0;
}

void dane_apply(
    const struct smtp_client *c, const struct target *to, struct arena *arena, struct policy *p)
{
	const struct smtp_tls_params *params = c->tls->params;
	struct net_addr numeric;

	if (!c->dnssec) {
		log_warn("TLS level %s for %s needs smtp_dns_support_level = dnssec",
		    policy_level_name(p->level), to->request->nexthop);
		fall_back(
		    to, arena, p, LEVEL_MAY, "DANE policy requires DNSSEC: smtp_dns_support_level");
		return;
	}
	if (!to->addr || to->addr->path || net_addr_parse(&numeric, to->addr->host, 0)) {
		fall_back(to, arena, p, LEVEL_MAY, "non DNSSEC destination");
		return;
	}
	if (!to->addr->mx_secure && p->level == LEVEL_DANE_ONLY) {
		fall_back(to, arena, p, LEVEL_MAY, "non DNSSEC destination");
		return;
	}
	if (!to->addr->mx_secure && params->dane_insecure_mx_policy == LEVEL_MAY) {
		p->level = LEVEL_MAY;
		return;
	}
	if (!to->addr->secure && !params->force_insecure_host_tlsa_lookup) {
		fall_back(to, arena, p, LEVEL_MAY, "non DNSSEC destination");
		return;
	}
	switch (find(c, to, arena, p)) {
	case TLSA_FOUND:
		found(c, to, arena, p);
		break;
	case TLSA_NONE:
		fall_back(to, arena, p, LEVEL_MAY, "no TLSA records found");
		break;
	case TLSA_UNKNOWN:
		policy_set_invalid(p, arena, "4.7.5", "TLSA lookup error for %s:%u", to->addr->host,
		    net_addr_port(&to->addr->addr));
		break;
	}
}
