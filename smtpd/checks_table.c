/* SPDX-License-Identifier: ISC */
/* Restrictions that look something up: check_*_access, and tables that stand in a list alone. */
#include "smtpd/ccert_search.h"
#include "smtpd/restrict.h"
#include "smtpd/tls.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/mail/address.h"

enum { TABLES_MAX = 1000 };

struct table_chain *access_table(struct access *a, const char *type_and_name)
{
	struct table_chain *chain = map_get(a->tables, type_and_name);

	if (!chain && map_count(a->tables) < TABLES_MAX) {
		chain = table_chain_open(type_and_name, TABLE_FOLD_KEY);
		map_put(a->tables, type_and_name, chain);
	}
	return chain;
}

/* A lookup on its way: until something is found. */
struct lookup {
	struct check *check;
	struct table_chain *chain;
	const char *table;
	struct str value;
	bool found;
	enum verdict verdict;
};

/* The key is a part of what was asked for: pattern tables do not see it. */
static bool ask(struct lookup *l, const char *key, bool is_part)
{
	struct err err = {0};
	enum table_answer answer;

	answer = is_part ? table_chain_get_part(l->chain, key, &l->value, &err)
	                 : table_chain_get(l->chain, key, &l->value, &err);
	if (answer == TABLE_NOT_FOUND)
		return false;
	l->found = true;
	if (answer == TABLE_ERROR) {
		log_warn("%s: table lookup problem", l->table);
		log_warn("%s", err.text);
		l->verdict =
		    action_run(l->check, l->table, "451 4.3.5 Server configuration error", key);
	} else {
		l->verdict = action_run(l->check, l->table, str_text(&l->value), key);
	}
	return true;
}

/* An answer of a table may run lists that look something up here again: nothing is shared. */
static bool lookup_begin(struct lookup *l, struct check *check)
{
	struct access *a = check->s->srv->access;

	*l = (struct lookup){.check = check, .table = check->arg, .verdict = VERDICT_DUNNO};
	l->chain = a ? access_table(a, check->arg) : NULL;
	if (!l->chain)
		l->verdict = check_misconfigured(check);
	return l->chain != NULL;
}

static bool is_number(const char *name)
{
	unsigned char raw[16];

	return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

/* The name, then its parents, with or without their dot. */
static bool ask_domain(struct lookup *l, const char *domain, bool is_part)
{
	bool bare_parents = l->check->s->srv->access->parent_matches;
	const char *name = domain, *dot;

	if (!*name)
		return false;
	if (ask(l, name, is_part))
		return true;
	while (!is_number(domain) && (dot = strchr(name + 1, '.'))) {
		name = bare_parents ? dot + 1 : dot;
		if (!*name || !strcmp(name, ".") || ask(l, name, true))
			break;
	}
	return l->found;
}

static bool ask_address(struct lookup *l, const char *addr)
{
	char delimiter = strchr(addr, ':') ? ':' : '.', *text = alloc_strdup(addr), *last;
	bool is_part = false;

	while (*text && !ask(l, text, is_part) && (last = strrchr(text, delimiter))) {
		*last = '\0';
		is_part = true;
	}
	free(text);
	return l->found;
}

enum verdict access_host_lookup(
    struct check *check, const char *name, const char *addr, bool *found_out)
{
	struct lookup l;

	*found_out = false;
	if (lookup_begin(&l, check)) {
		if (!(name && ask_domain(&l, name, false)) && addr)
			ask_address(&l, addr);
		*found_out = l.found;
	}
	str_fini(&l.value);
	return l.verdict;
}

static bool ask_printf(struct lookup *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool ask_printf(struct lookup *l, const char *fmt, ...)
{
	struct str key = {0};
	va_list ap;
	bool found;

	va_start(ap, fmt);
	str_vprintf(&key, fmt, ap);
	va_end(ap);
	found = ask(l, str_text(&key), true);
	str_fini(&key);
	return found;
}

/* user+ext@domain, user@domain, domain and its parents, user+ext@, user@ */
static void ask_mail_address(struct lookup *l, const char *address)
{
	const char *delimiters = l->check->s->srv->config->core->recipient_delimiter, *domain;
	struct slice local, user, ext;

	address_split(address, &local, &domain);
	address_split_extension(local, delimiters, &user, &ext);
	if (ask(l, address, false) || !domain)
		return;
	if (user.len < local.len && ask_printf(l, "%.*s@%s", SLICE_ARG(user), domain))
		return;
	if (ask_domain(l, domain, true) || ask_printf(l, "%.*s@", SLICE_ARG(local)))
		return;
	if (user.len < local.len)
		ask_printf(l, "%.*s@", SLICE_ARG(user));
}

static enum verdict look_up_address(struct check *check, struct target *target)
{
	struct lookup l;

	if (!transaction_resolve(check->s, target))
		return check_table_trouble(check, target->given);
	if (lookup_begin(&l, check)) {
		if (target->given[0] == '\0')
			ask(&l, check->s->params->null_access_lookup_key, false);
		else
			ask_mail_address(&l, target->route.recipient);
	}
	str_fini(&l.value);
	/* an address that hides another one says nothing about whether we may relay to that */
	if (l.verdict == VERDICT_PERMIT && target == &check->s->tx.rcpt &&
	    check_destination_is_routed(check))
		return VERDICT_DUNNO;
	return l.verdict;
}

/* ---- what is looked up ---------------------------------------------------------------------- */

bool access_subject_of(struct check *check, enum access_subject subject, const char **text_out)
{
	struct session *s = check->s;
	struct transaction *tx = &s->tx;
	const struct {
		const char *name, *class_, *text;
	} subjects[] = {
	    [SUBJECT_CLIENT] = {s->peer.namaddr, "Client host", s->peer.name},
	    [SUBJECT_REVERSE_CLIENT] = {s->peer.reverse_name, "Unverified Client host",
	        s->peer.reverse_name},
	    [SUBJECT_HELO] = {s->helo, "Helo command", s->helo},
	    [SUBJECT_SENDER] = {tx->sender.given, "Sender address", tx->sender.given},
	    [SUBJECT_RECIPIENT] = {tx->rcpt.given, "Recipient address",
	        tx->has_rcpt ? tx->rcpt.given : NULL},
	    [SUBJECT_ETRN] = {s->etrn_domain, "Etrn command", s->etrn_domain},
	    [SUBJECT_CCERT] = {session_tls_ccert_subject(s), "Client certificate", NULL},
	    [SUBJECT_SASL] = {session_login(s), "SASL login name",
	        *session_login(s) ? session_login(s) : NULL},
	};

	*text_out = subjects[subject].text;
	if (subject == SUBJECT_CCERT)
		*text_out = *session_tls_ccert_fingerprint(s) ? "" : NULL;
	if (!*text_out)
		return false;
	check->name = subjects[subject].name;
	check->class_ = subjects[subject].class_;
	return true;
}

/* An OK for a name that anybody can claim would let anybody in. */
enum verdict access_not_permitted(struct check *check, enum verdict verdict, const char *name)
{
	if (verdict != VERDICT_PERMIT || check->s->tx.actions.discard)
		return verdict;
	log_warn("restriction %s returns OK for %s", check->kind->name, name);
	log_warn("this is not allowed for security reasons");
	log_warn("use DUNNO instead of OK if you want to make an exception");
	return check_misconfigured(check);
}

static enum verdict look_up_plain(struct check *check, const char *text)
{
	struct lookup l;

	if (lookup_begin(&l, check))
		ask(&l, text, false);
	str_fini(&l.value);
	return l.verdict;
}

static enum verdict look_up_ccert(struct check *check, const struct ccert_search *search)
{
	struct lookup l;
	bool ok = lookup_begin(&l, check);

	for (size_t i = 0; ok && !l.found && i < search->count; i++) {
		const char *print = search->by_key[i] ? session_tls_ccert_key_fingerprint(check->s)
		                                      : session_tls_ccert_fingerprint(check->s);

		if (*print)
			ask(&l, print, false);
	}
	str_fini(&l.value);
	return l.verdict;
}

static enum verdict check_ccert(struct check *check)
{
	enum verdict verdict = VERDICT_DUNNO;
	struct ccert_search search;
	struct str table = {0};
	const char *text;
	struct err err;

	if (!check->s->srv->config->tls.ask_ccert)
		log_warn("%s is requested, but \"smtpd_tls_ask_ccert = no\"", check->kind->name);
	if (ccert_search_parse(check->arg, &search, &table, &err) < 0) {
		log_warn("restriction %s: %s in '%s'", check->kind->name, err.text, check->arg);
		verdict = check_misconfigured(check);
	} else if (access_subject_of(check, SUBJECT_CCERT, &text)) {
		check->arg = str_text(&table);
		verdict = look_up_ccert(check, &search);
	}
	str_fini(&table);
	return verdict;
}

static enum verdict look_up(struct check *check, enum access_subject subject)
{
	struct session *s = check->s;
	const char *text;
	bool found;

	if (!access_subject_of(check, subject, &text))
		return VERDICT_DUNNO;
	switch (subject) {
	case SUBJECT_CLIENT:
		return access_host_lookup(check, s->peer.name, s->peer.addr, &found);
	case SUBJECT_REVERSE_CLIENT:
		return access_not_permitted(check,
		    access_host_lookup(check, s->peer.reverse_name, s->peer.addr, &found), text);
	case SUBJECT_HELO:
	case SUBJECT_ETRN:
		return access_host_lookup(check, text, NULL, &found);
	case SUBJECT_SENDER:
		return look_up_address(check, &s->tx.sender);
	case SUBJECT_RECIPIENT:
		return look_up_address(check, &s->tx.rcpt);
	case SUBJECT_SASL:
		return look_up_plain(check, text);
	case SUBJECT_CCERT: /* check_ccert */
	case SUBJECT_NONE:
		break;
	}
	return VERDICT_DUNNO;
}

enum verdict check_access_table(struct check *outer)
{
	struct check check = *outer;

	if (!strchr(check.arg, ':')) {
		log_warn("restriction %s: bad argument \"%s\": need maptype:mapname",
		    check.kind->name, check.arg);
		return check_misconfigured(&check);
	}
	if (check.kind->data == SUBJECT_SASL && !check.s->srv->access->sasl_enabled)
		return check_without_sasl(&check);
	if (check.kind->data == SUBJECT_CCERT)
		return check_ccert(&check);
	return look_up(&check, (enum access_subject)check.kind->data);
}

enum verdict check_bare_table(struct check *outer)
{
	struct check check = *outer;

	if (check.implied == SUBJECT_NONE) {
		log_warn("specify one of (check_client_access, check_helo_access, "
		         "check_sender_access, check_recipient_access, check_etrn_access) before "
		         "%s restriction \"%s\"",
		    check.class_, check.arg);
		return check_misconfigured(&check);
	}
	return look_up(&check, check.implied);
}
