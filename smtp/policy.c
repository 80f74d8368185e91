/* SPDX-License-Identifier: ISC */
#include "smtp/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/dns/dns.h"
#include "lib/sys/fd.h"
#include "lib/table/table.h"
#include "smtp/engine.h"

enum { ANCHORS_MAX = 1024 * 1024 };

void policy_set_invalid(
    struct policy *policy, struct arena *arena, const char *dsn, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	policy->level = LEVEL_INVALID;
	trouble_set(&policy->why, arena, dsn, "%s", text);
}

/* ---- looking it up --------------------------------------------------------------------------- */

static enum table_answer look(struct table_chain *tables, const char *key, struct str *value,
    struct arena *arena, struct policy *out)
{
	struct err err;
	enum table_answer answer = table_chain_get(tables, key, value, &err);

	if (answer == TABLE_ERROR) {
		log_warn("TLS policy lookup for %s: %s", key, err.text);
		policy_set_invalid(out, arena, "4.3.0", "Temporary lookup error");
	}
	return answer;
}

/* [next hop] and anything with a port stand for themselves alone; a domain for those below too. */
static enum table_answer look_up_site(struct table_chain *tables, const char *site,
    struct str *value, struct arena *arena, struct policy *out)
{
	bool domain = dns_name_valid(site);

	for (;;) {
		enum table_answer answer = look(tables, site, value, arena, out);

		if (answer != TABLE_NOT_FOUND || !domain)
			return answer;
		site = strchr(site + 1, '.');
		if (!site)
			return TABLE_NOT_FOUND;
	}
}

/* What is between the commas of the next hop for this destination. */
static const char *site_of(const struct target *to, struct arena *arena)
{
	const char *cursor = to->request->nexthop, *word, *last = cursor;
	struct destination d;

	if (!to->domain)
		return to->request->nexthop;
	while ((word = destination_next(&cursor, arena))) {
		last = word;
		if (destination_parse(word, to->port, arena, &d, NULL) == 0 && d.port == to->port &&
		    d.direct == to->direct && text_eq_nocase(d.host, to->domain))
			return word;
	}
	/* smtp_fallback_relay: as it would be written */
	(void)last;
	return to->direct ? arena_printf(arena, "[%s]", to->domain)
	                  : arena_strdup(arena, to->domain);
}

static void use_policy_maps(
    const struct engine *e, const struct target *to, struct arena *arena, struct policy *out)
{
	const char *site = site_of(to, arena);
	struct str value = {0};
	struct err err;

	if (look_up_site(e->policy_maps, site, &value, arena, out) == TABLE_FOUND &&
	    policy_parse(str_text(&value), arena, out, &err) < 0) {
		log_warn("TLS policy for %s: %s", site, err.text);
		policy_set_invalid(out, arena, "4.7.5", "client TLS configuration problem");
	}
	str_fini(&value);
}

enum site_word { SITE_UNKNOWN, SITE_MAY, SITE_NONE, SITE_NO_MATCH, SITE_MUST };

static enum site_word look_per_site(
    const struct engine *e, const char *key, struct arena *arena, struct policy *out)
{
	static const struct {
		const char *name;
		enum site_word word;
	} words[] = {{"MAY", SITE_MAY}, {"NONE", SITE_NONE}, {"MUST_NOPEERMATCH", SITE_NO_MATCH},
	    {"MUST", SITE_MUST}};
	enum site_word found = SITE_UNKNOWN;
	struct str value = {0};

	if (look(e->per_site, key, &value, arena, out) == TABLE_FOUND) {
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (text_eq_nocase(str_text(&value), words[i].name))
				found = words[i].word;
		if (found == SITE_UNKNOWN)
			log_warn("%s: unknown TLS policy \"%s\" for %s",
			    e->lmtp ? "lmtp_tls_per_site" : "smtp_tls_per_site", str_text(&value),
			    key);
	}
	str_fini(&value);
	return found;
}

/* The table of before there were levels: the next hop and the host both count. */
static void use_per_site(
    const struct engine *e, const struct target *to, struct arena *arena, struct policy *out)
{
	enum site_word site = look_per_site(e, site_of(to, arena), arena, out);
	enum site_word host =
	    to->addr ? look_per_site(e, to->addr->host, arena, out) : SITE_UNKNOWN;
	enum site_word both = MAX(site, host);

	if (out->level == LEVEL_INVALID || both == SITE_UNKNOWN)
		return;
	if (both == SITE_MAY)
		out->level = MAX(out->level, LEVEL_MAY);
	else
		out->level = both == SITE_NONE       ? LEVEL_NONE
		             : both == SITE_NO_MATCH ? LEVEL_ENCRYPT
		                                     : LEVEL_VERIFY;
}

enum requiretls policy_requiretls(
    const struct smtp_client *c, const struct deliver_request *request, const char *domain)
{
	if (!(request->env_flags & ENV_REQUIRETLS) ||
	    (c->tls && !c->tls->params->requiretls_enable))
		return REQUIRETLS_OFF;
	return requiretls_find(c->tls ? c->tls->requiretls : NULL, domain);
}

/* RFC 8689: a message may ask for more, or for less, than the site. */
static void apply_message(
    const struct smtp_client *c, const struct target *to, struct arena *arena, struct policy *out)
{
	uint32_t flags = to->request->env_flags;

	if (out->level == LEVEL_INVALID)
		return;
	switch (policy_requiretls(c, to->request, policy_nexthop_domain(to, arena))) {
	case REQUIRETLS_ENFORCE:
		out->requiretls = true;
		if (!policy_is_verified(out))
			out->level = LEVEL_VERIFY;
		return;
	case REQUIRETLS_STARTTLS:
		out->no_plain = true;
		out->level = MAX(out->level, LEVEL_ENCRYPT);
		return;
	case REQUIRETLS_ERROR:
		policy_set_invalid(out, arena, "4.3.0", "Temporary lookup error");
		return;
	case REQUIRETLS_OPPORTUNISTIC:
	case REQUIRETLS_OFF:
		break;
	}
	if (!(flags & ENV_REQUIRETLS) && (flags & ENV_TLS_OPTIONAL) &&
	    c->tls->params->tls_required_enable)
		out->level = MIN(out->level, LEVEL_MAY);
}

const char *policy_nexthop_domain(const struct target *to, struct arena *arena)
{
	struct destination d;

	if (to->domain)
		return to->domain;
	if (destination_parse(to->request->nexthop, 25, arena, &d, NULL) == 0)
		return d.host;
	return to->request->nexthop;
}

void policy_find(
    const struct smtp_client *c, const struct target *to, struct arena *arena, struct policy *out)
{
	const struct engine *e = c->tls;

	*out = (struct policy){.level = e->level,
	    .anchor_files = &e->params->trust_anchor_file,
	    .servername = e->params->servername,
	    .reuse = e->params->connection_reuse};
	if (e->policy_maps)
		use_policy_maps(e, to, arena, out);
	else if (e->per_site)
		use_per_site(e, to, arena, out);
	apply_message(c, to, arena, out);
	if (e->params->wrappermode && out->level >= LEVEL_NONE && out->level < LEVEL_ENCRYPT) {
		log_warn("%s_tls_wrappermode needs %s_tls_security_level = encrypt (or stronger)",
		    e->lmtp ? "lmtp" : "smtp", e->lmtp ? "lmtp" : "smtp");
		policy_set_invalid(out, arena, "4.7.5", "client TLS configuration problem");
	}
}

/* ---- what it comes to for one host ----------------------------------------------------------- */

static void set_names(const struct target *to, struct arena *arena, struct policy *p)
{
	const char *domain = policy_nexthop_domain(to, arena);
	const char *host = to->addr && to->addr->host ? to->addr->host : domain;
	const char **names = arena_zero(arena, p->match->count + 1, sizeof(*names));

	for (size_t i = 0; i < p->match->count; i++) {
		const char *word = p->match->items[i];

		if (text_eq_nocase(word, "nexthop"))
			word = domain;
		else if (text_eq_nocase(word, "dot-nexthop"))
			word = arena_printf(arena, ".%s", domain);
		else if (text_eq_nocase(word, "hostname"))
			word = host;
		names[i] = word;
	}
	p->names = names;
	p->name_count = p->match->count;
}

static void set_match_default(const struct engine *e, struct policy *p)
{
	if (p->match && p->match->count)
		return;
	p->match = p->level == LEVEL_FINGERPRINT ? &e->params->fingerprint_cert_match
	           : p->level == LEVEL_VERIFY    ? &e->params->verify_cert_match
	                                         : &e->params->secure_cert_match;
}

static void set_sni(const struct target *to, struct arena *arena, struct policy *p)
{
	const char *host = to->addr && to->addr->host ? to->addr->host : "";
	struct net_addr numeric;

	if (p->tlsa_count) /* RFC 7672 8.1 */
		p->sni = p->tlsa_base;
	else if (text_eq_nocase(p->servername, "nexthop"))
		p->sni = policy_nexthop_domain(to, arena);
	else if (text_eq_nocase(p->servername, "hostname"))
		p->sni = host;
	else
		p->sni = p->servername;
	if (!dns_name_valid(p->sni) || net_addr_parse(&numeric, p->sni, 0))
		p->sni = ""; /* RFC 6066 section 3: names alone */
}

static int read_anchors(struct arena *arena, struct policy *p, struct err *err)
{
	struct str pem = {0};
	int rc = 0;

	p->anchors = "";
	if (p->level < LEVEL_VERIFY || !p->anchor_files->count)
		return 0;
	for (size_t i = 0; rc == 0 && i < p->anchor_files->count; i++) {
		struct str file = {0};

		rc = fd_read_file(p->anchor_files->items[i], ANCHORS_MAX, &file, err);
		if (rc == 0)
			str_printf(&pem, "%s\n", str_text(&file));
		str_fini(&file);
	}
	if (rc == 0)
		p->anchors = arena_strdup(arena, str_text(&pem));
	str_fini(&pem);
	return rc;
}

static int set_ciphers(
    const struct engine *e, struct arena *arena, struct policy *p, struct err *err)
{
	const struct smtp_tls_params *params = e->params;
	bool mandatory = policy_is_mandatory(p);
	const char *grade = p->grade    ? p->grade
	                    : mandatory ? params->mandatory_ciphers
	                                : params->ciphers;
	const char *excludes[] = {p->exclude ? p->exclude : params->exclude_ciphers,
	    !p->exclude && mandatory ? params->mandatory_exclude_ciphers : "",
	    policy_is_verified(p) ? "aNULL"
	    : mandatory           ? "eNULL"
	                          : ""};
	const char *protocols = p->protocols ? p->protocols
	                        : mandatory  ? params->mandatory_protocols
	                                     : params->protocols;
	struct str list = {0};
	int rc = tls_cipher_list(&e->secure->common, grade, excludes, 3, &list, err);

	if (rc == 0)
		p->cipherlist = arena_strdup(arena, str_text(&list));
	str_fini(&list);
	return rc == 0 ? tls_protocols_parse(protocols, &p->protocol_bounds, err) : rc;
}

void policy_complete(
    const struct smtp_client *c, const struct target *to, struct arena *arena, struct policy *p)
{
	const struct engine *e = c->tls;
	struct err err;

	p->tlsa_base = p->sni = p->anchors = "";
	if (p->level == LEVEL_MAY && to->addr && to->addr->path)
		p->level = LEVEL_NONE; /* nobody listens on a local socket */
	if (p->level == LEVEL_DANE || p->level == LEVEL_DANE_ONLY)
		dane_apply(c, to, arena, p);
	if (p->requiretls && p->level != LEVEL_INVALID && !policy_is_verified(p))
		p->level = LEVEL_VERIFY;
	if (p->no_plain && p->level != LEVEL_INVALID)
		p->level = MAX(p->level, LEVEL_ENCRYPT);
	if (p->level <= LEVEL_NONE)
		return;
	if (p->level == LEVEL_FINGERPRINT || p->level >= LEVEL_VERIFY) {
		set_match_default(e, p);
		set_names(to, arena, p);
	}
	set_sni(to, arena, p);
	if (set_ciphers(e, arena, p, &err) == 0 && read_anchors(arena, p, &err) == 0)
		return;
	log_warn("TLS policy for %s: %s", to->request->nexthop, err.text);
	policy_set_invalid(p, arena, "4.7.5", "client TLS configuration problem");
}
