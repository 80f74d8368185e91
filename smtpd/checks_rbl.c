/* SPDX-License-Identifier: ISC */
/*
 * Restrictions by lists in the DNS: reject_rbl_client and its kin, permit_dnswl_client and its kin,
 * and the reply to who is listed (default_rbl_reply, rbl_reply_maps).
 */
#include "smtpd/dns_list.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/dns/dns.h"
#include "lib/smtp/reply.h"

/* ---- the refusal ---------------------------------------------------------------------------- */

static const char *split(struct session *s, const char *address, bool domain)
{
	const char *at = address ? strrchr(address, '@') : NULL;

	if (!address)
		return "";
	if (!at)
		return domain ? "" : address;
	return domain ? at + 1 : arena_strndup(&s->tx.arena, address, (size_t)(at - address));
}

static const char *macro(void *arg, struct slice name)
{
	const struct listing *l = arg;
	struct session *s = l->check->s;
	const struct transaction *tx = &s->tx;
	const char *rcpt = tx->has_rcpt ? tx->rcpt.given : NULL;
	const struct {
		const char *name, *value;
	} values[] = {
	    {"rbl_code", arena_printf(&s->tx.arena, "%d", s->params->maps_rbl_reject_code)},
	    {"rbl_domain", l->list},
	    {"rbl_reason", listing_text(l)},
	    {"rbl_txt", listing_text(l)},
	    {"rbl_what", l->what},
	    {"rbl_class", l->check->class_},
	    {"client", s->peer.namaddr},
	    {"client_address", s->peer.addr},
	    {"client_name", s->peer.name},
	    {"client_port", s->peer.port},
	    {"reverse_client_name", s->peer.reverse_name},
	    {"helo_name", s->helo ? s->helo : ""},
	    {"sender", tx->sender.given ? (*tx->sender.given ? tx->sender.given : "<>") : ""},
	    {"sender_name", split(s, tx->sender.given, false)},
	    {"sender_domain", split(s, tx->sender.given, true)},
	    {"recipient", rcpt ? rcpt : ""},
	    {"recipient_name", split(s, rcpt, false)},
	    {"recipient_domain", split(s, rcpt, true)},
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (slice_eq(name, values[i].name))
			return values[i].value;
	return NULL;
}

static enum verdict refuse_listed(struct listing *l)
{
	struct access *a = l->check->s->srv->access;
	const bool *allowed = l->check->s->srv->expansion_allowed;
	struct str template = {0}, text = {0};
	struct err err = {0};
	enum table_answer answer = table_chain_get(a->rbl_reply_maps, l->list, &template, &err);
	enum verdict verdict;
	const char *words;
	char dsn[12];
	int code = 0;

	if (answer == TABLE_ERROR) {
		log_warn("rbl_reply_maps: %s: lookup error for \"%s\"", err.text, l->list);
		str_fini(&template);
		return check_misconfigured(l->check);
	}
	if (answer == TABLE_FOUND &&
	    macros_expand(&text, str_text(&template), macro, l, allowed) < 0) {
		log_warn("rbl_reply_maps: bad rbl reply template for domain %s: %s", l->list,
		    str_text(&template));
		answer = TABLE_NOT_FOUND;
	}
	if (answer != TABLE_FOUND) {
		str_clear(&text);
		if (macros_expand(&text, a->rbl_reply, macro, l, allowed) < 0)
			log_warn(
			    "default_rbl_reply: bad default rbl reply template: %s", a->rbl_reply);
	}
	words = str_text(&text);
	if (strspn(words, "0123456789") == 3) {
		code = atoi(words);
		words += 3 + strspn(words + 3, " \t");
	}
	if (code < 400 || code > 599 || !*words) {
		log_warn("rbl response code configuration error: %s", str_text(&text));
		code = 450;
		words = "4.7.1 Service unavailable";
	}
	words = smtp_dsn_split(words, dsn);
	if (!*dsn)
		strcpy(dsn, "5.7.1");
	action_fix_dsn(dsn, l->check->class_);
	verdict = check_refuse(l->check, code, dsn, "%s", words);
	str_fini(&template);
	str_fini(&text);
	return verdict;
}

/* ---- the restrictions ----------------------------------------------------------------------- */

static bool reversed_address(const struct session *s, char *out, size_t size)
{
	unsigned char raw[16];
	size_t at = 0;

	if (inet_pton(AF_INET, s->peer.addr, raw) == 1)
		return snprintf(out, size, "%u.%u.%u.%u", raw[3], raw[2], raw[1], raw[0]) > 0;
	if (inet_pton(AF_INET6, s->peer.addr, raw) != 1)
		return false;
	for (int i = 15; i >= 0; i--)
		at += (size_t)snprintf(
		    out + at, size - at, "%x.%x%s", raw[i] & 15, raw[i] >> 4, i ? "." : "");
	return true;
}

static enum verdict bad_filter(struct listing *l)
{
	log_warn(
	    "restriction %s: bad argument \"%s\": expected domain=d.d.d.d, where d is a number "
	    "or [number;number..number]",
	    l->check->kind->name, l->check->arg);
	return check_misconfigured(l->check);
}

static enum verdict run_blocklist(struct listing *l)
{
	switch (listing_ask(l)) {
	case LISTED_YES:
		return refuse_listed(l);
	case LISTED_BAD_FILTER:
		return bad_filter(l);
	default:
		return VERDICT_DUNNO;
	}
}

enum verdict check_rbl(struct check *outer)
{
	struct check check = *outer;
	struct listing l;
	char reversed[80];

	check.class_ = "Client host";
	if (!listing_begin(&l, &check))
		return VERDICT_DUNNO;
	if (!reversed_address(check.s, reversed, sizeof(reversed)) ||
	    !listing_set_name(&l, check.s->peer.addr, reversed))
		return VERDICT_DUNNO;
	return run_blocklist(&l);
}

/* The old form: all lists of maps_rbl_domains. */
enum verdict check_maps_rbl(struct check *outer)
{
	const struct conf_list *lists = &outer->s->params->maps_rbl_domains;
	enum verdict verdict = VERDICT_DUNNO;

	log_warn(
	    "restriction %s is old; use reject_rbl_client domain-name instead", outer->kind->name);
	for (size_t i = 0; i < lists->count && verdict == VERDICT_DUNNO; i++) {
		struct check check = *outer;

		check.arg = lists->items[i];
		verdict = check_rbl(&check);
	}
	return verdict;
}

/* The domain in an address, a host name; NULL: there is none to ask for. */
static const char *domain_of(const char *text)
{
	const char *at = strrchr(text, '@');
	const char *domain = at ? at + 1 : text;

	return !*domain || *domain == '[' || strcmp(domain, "unknown") == 0 ||
	               dns_name_is_numeric(domain)
	           ? NULL
	           : domain;
}

enum verdict check_rhsbl(struct check *outer)
{
	struct check check = *outer;
	const char *text, *domain;
	struct listing l;

	if (!listing_begin(&l, &check))
		return VERDICT_DUNNO;
	if (!access_subject_of(&check, (enum access_subject)check.kind->data, &text))
		return VERDICT_DUNNO;
	domain = domain_of(text);
	if (!domain || !listing_set_name(&l, text, domain))
		return VERDICT_DUNNO;
	return run_blocklist(&l);
}

/* A list of the good ones may not open a relay. */
enum verdict check_dnswl(struct check *outer)
{
	struct check check = *outer;
	struct transaction *tx = &check.s->tx;
	const char *text = NULL, *domain;
	struct listing l;
	char reversed[80];

	check.class_ = "Client host";
	if (!listing_begin(&l, &check))
		return VERDICT_DUNNO;
	if (tx->has_rcpt && strcmp(check.s->where, "RCPT") == 0 &&
	    (!transaction_resolve(check.s, &tx->rcpt) || !check_destination_is_ours(&check)))
		return VERDICT_DUNNO;
	if (check.kind->data == SUBJECT_NONE) {
		text = check.s->peer.addr;
		domain = reversed_address(check.s, reversed, sizeof(reversed)) ? reversed : NULL;
	} else {
		text = check.s->peer.name;
		domain = domain_of(text);
	}
	if (!domain || !listing_set_name(&l, text, domain))
		return VERDICT_DUNNO;
	switch (listing_ask(&l)) {
	case LISTED_YES:
		return check_permit_client(&check);
	case LISTED_UNKNOWN:
		return check_defer_if_reject(&check, 450, "4.7.1",
		    "<%s>: Client host rejected: Service unavailable", l.what);
	case LISTED_BAD_FILTER:
		return bad_filter(&l);
	default:
		return VERDICT_DUNNO;
	}
}
