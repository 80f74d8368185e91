/* SPDX-License-Identifier: ISC */
/*
 * Lists of addresses and domains in the DNS (RFC 5782). A name that exists is listed; its address
 * says how, 127.0.0.x by agreement. What a list answers about the question itself and not about the
 * client (127.255.255.x: asked through a public resolver, too often, ...) refuses nobody.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/num.h"
#include "lib/dns/dns.h"
#include "lib/smtp/reply.h"
#include "lib/sys/clock.h"
#include "smtpd/restrict.h"

enum { NAME_MAX_LEN = 253, COMPLAIN_MS = 3600 * 1000, ANSWERS_MAX = 1000, TEXT_MAX = 1000 };

/* What a list says of one name; kept for the session, so that each recipient is not another
 * question. */
struct list_answer {
	enum dns_status status;
	unsigned char (*addresses)[4];
	size_t count;
	const char *text; /* NULL: not looked up yet */
};

static void ask(struct session *s, const char *name, struct list_answer *out)
{
	struct dns_resolver *resolver = access_resolver(s->srv);
	struct arena arena = {0};
	struct dns_answer answer;

	out->status =
	    resolver ? dns_lookup(resolver, name, DNS_TYPE_A, &arena, &answer) : DNS_RETRY;
	if (out->status == DNS_FOUND) {
		out->addresses = arena_zero(&s->arena, answer.count, 4);
		for (size_t i = 0; i < answer.count; i++) {
			char text[64];

			net_addr_text(&answer.records[i].addr, text, sizeof(text));
			if (inet_pton(AF_INET, text, out->addresses[out->count]) == 1)
				out->count++;
		}
	} else if (out->status != DNS_NOT_FOUND && out->status != DNS_NO_DATA) {
		log_warn(
		    "%s: RBL lookup error: %s", name, resolver ? answer.text : "no name service");
	}
	arena_fini(&arena);
}

static struct list_answer *answer_of(struct session *s, const char *name)
{
	struct access_state *a = &s->access;
	struct list_answer *answer;

	if (!a->answers)
		a->answers = map_new();
	answer = map_get(a->answers, name);
	if (!answer) {
		answer = arena_zero(&s->arena, 1, sizeof(*answer));
		ask(s, name, answer);
		if (map_count(a->answers) < ANSWERS_MAX)
			map_put(a->answers, name, answer);
	}
	return answer;
}

/* All that the list says, as one line. */
static const char *join_texts(struct session *s, const struct dns_answer *txt)
{
	struct str all = {.max = TEXT_MAX};
	const char *text;

	for (size_t i = 0; i < txt->count; i++)
		str_printf(&all, "%s%s", i ? " / " : "", (const char *)txt->records[i].data);
	text = arena_strdup(&s->arena, str_text(&all));
	str_fini(&all);
	return text;
}

static const char *text_of(struct session *s, const char *name, struct list_answer *answer)
{
	struct arena arena = {0};
	struct dns_answer txt;

	if (answer->text)
		return answer->text;
	answer->text = "";
	if (dns_lookup(access_resolver(s->srv), name, DNS_TYPE_TXT, &arena, &txt) == DNS_FOUND)
		answer->text = join_texts(s, &txt);
	else if (dns_status_is_soft(txt.status))
		log_warn("%s: TXT lookup error: %s", name, txt.text);
	arena_fini(&arena);
	return answer->text;
}

/* ---- "=127.0.0.[2;4..7]" -------------------------------------------------------------------- */

static bool number(const char **at, unsigned *out)
{
	size_t n = strspn(*at, "0123456789");
	uint64_t value;

	if (n == 0 || !num_u64(*at, n, 255, &value))
		return false;
	*out = (unsigned)value;
	*at += n;
	return true;
}

/* 1: the number is in the set, 0: not, -1: malformed */
static int in_set(const char **at, unsigned octet)
{
	unsigned low, high;
	int found = 0;

	if (**at != '[') {
		if (!number(at, &low))
			return -1;
		return low == octet;
	}
	do {
		(*at)++;
		if (!number(at, &low))
			return -1;
		high = low;
		if (strncmp(*at, "..", 2) == 0) {
			*at += 2;
			if (!number(at, &high) || high < low)
				return -1;
		}
		if (octet >= low && octet <= high)
			found = 1;
	} while (**at == ';');
	if (*(*at)++ != ']')
		return -1;
	return found;
}

int rbl_filter_matches(const char *filter, const unsigned char address[4])
{
	int all = 1;

	for (int i = 0; i < 4; i++) {
		int one;

		if (i > 0 && *filter++ != '.')
			return -1;
		one = in_set(&filter, address[i]);
		if (one < 0)
			return -1;
		all = all && one;
	}
	return *filter ? -1 : all;
}

static bool is_error(const unsigned char a[4])
{
	return a[0] == 127 && a[1] == 255 && a[2] == 255;
}

/* Nobody reads a line for each message: one an hour says what is to be done. */
static void complain(struct session *s, const char *list, const char *name,
    struct list_answer *answer, const unsigned char a[4])
{
	struct access *access = s->srv->access;
	int64_t now = clock_mono_ms();

	if (access->list_complaint_ms && now - access->list_complaint_ms < COMPLAIN_MS)
		return;
	access->list_complaint_ms = now;
	if (is_error(a))
		log_warn("%s: the list answers %u.%u.%u.%u: it refuses our questions (%s). It "
		         "blocks and permits nobody until it is asked through a name server of "
		         "your own, or with a key; or remove it",
		    list, a[0], a[1], a[2], a[3],
		    *text_of(s, name, answer) ? answer->text : "no reason is given");
	else
		log_warn("%s: the list answers %u.%u.%u.%u, which is not in 127.0.0.0/8: it is no "
		         "list (any more). It blocks and permits nobody; remove it, or name the "
		         "answer as %s=%u.%u.%u.%u",
		    list, a[0], a[1], a[2], a[3], list, a[0], a[1], a[2], a[3]);
}

/* One question to one list. */
struct listing {
	struct check *check;
	const char *list;   /* "bl.example" */
	const char *filter; /* or NULL */
	const char *what;   /* what is asked for: address, name */
	char name[NAME_MAX_LEN + 1];
	struct list_answer *answer;
};

/* 1: listed, 0: not, -1: nobody knows now, -2: the filter is malformed */
static int is_listed(struct listing *l)
{
	struct session *s = l->check->s;
	int result = 0;

	l->answer = answer_of(s, l->name);
	if (l->filter && rbl_filter_matches(l->filter, (const unsigned char[4]){0}) < 0)
		return -2;
	if (l->answer->status != DNS_FOUND)
		return l->answer->status == DNS_NOT_FOUND || l->answer->status == DNS_NO_DATA ||
		               l->answer->status == DNS_INVALID
		           ? 0
		           : -1;
	for (size_t i = 0; i < l->answer->count; i++) {
		const unsigned char *a = l->answer->addresses[i];

		if (is_error(a) || (!l->filter && a[0] != 127))
			complain(s, l->list, l->name, l->answer, a);
		else if (!l->filter || rbl_filter_matches(l->filter, a) > 0)
			result = 1;
	}
	return result;
}

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
	    {"rbl_reason", text_of(s, l->name, l->answer)},
	    {"rbl_txt", l->answer->text},
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

	if (answer == TABLE_ERROR)
		log_warn("rbl_reply_maps: %s", err.text);
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

/* "domain=filter" of the list's argument. false: it names no list, which is said and harmless. */
static bool begin(struct listing *l, struct check *check)
{
	struct session *s = check->s;
	const char *equals = strchr(check->arg, '=');

	*l = (struct listing){.check = check};
	if (!*check->arg) {
		log_warn("restriction %s requires domain name argument", check->kind->name);
		return false;
	}
	l->list = equals ? arena_strndup(&s->tx.arena, check->arg, (size_t)(equals - check->arg))
	                 : check->arg;
	l->filter = equals ? equals + 1 : NULL;
	return true;
}

/* false: it cannot be asked for. */
static bool set_name(struct listing *l, const char *what, const char *key)
{
	l->what = what;
	return snprintf(l->name, sizeof(l->name), "%s.%s", key, l->list) < (int)sizeof(l->name) &&
	       dns_name_valid(l->name);
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
	switch (is_listed(l)) {
	case 1:
		return refuse_listed(l);
	case -2:
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
	if (!begin(&l, &check))
		return VERDICT_DUNNO;
	if (!reversed_address(check.s, reversed, sizeof(reversed)) ||
	    !set_name(&l, check.s->peer.addr, reversed))
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

	if (!begin(&l, &check))
		return VERDICT_DUNNO;
	if (!access_subject_of(&check, (enum access_subject)check.kind->data, &text))
		return VERDICT_DUNNO;
	domain = domain_of(text);
	if (!domain || !set_name(&l, text, domain))
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
	if (!begin(&l, &check))
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
	if (!domain || !set_name(&l, text, domain))
		return VERDICT_DUNNO;
	switch (is_listed(&l)) {
	case 1:
		return check_permit_client(&check);
	case -1:
		return check_defer_if_reject(&check, 450, "4.7.1",
		    "<%s>: Client host rejected: Service unavailable", l.what);
	case -2:
		return bad_filter(&l);
	default:
		return VERDICT_DUNNO;
	}
}
