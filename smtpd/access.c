/* SPDX-License-Identifier: ISC */
/*
 * Restriction lists: parsed once per process, evaluated in order until one permits or refuses.
 * What each name means is in checks.c; which lists are due when is here.
 */
#include "smtpd/smtpd.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"

struct restriction {
	const struct restriction_kind *kind; /* NULL: nobody knows this name */
	const char *name, *arg;
};

struct restriction_list {
	struct arena arena;
	const char *parameter;
	struct restriction *items;
	size_t count;
};

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

/* The next word; "{ ... }" is one word, so that arguments may hold blanks. */
static struct slice next_word(const char **at)
{
	const char *start;
	int depth = 0;

	while (is_separator(**at))
		(*at)++;
	for (start = *at; **at && (depth > 0 || !is_separator(**at)); (*at)++) {
		if (**at == '{')
			depth++;
		else if (**at == '}' && depth > 0)
			depth--;
	}
	return slice_of(start, (size_t)(*at - start));
}

struct restriction_list *restriction_list_parse(const char *parameter, const char *text)
{
	struct restriction_list *list = alloc_zero(1, sizeof(*list));
	struct slice word;

	list->parameter = arena_strdup(&list->arena, parameter);
	while ((word = next_word(&text)).len > 0) {
		struct restriction item = {.kind = check_find(word), .arg = ""};

		item.name = arena_strndup(&list->arena, word.data, word.len);
		if (item.kind && item.kind->flags & RESTRICT_ARG) {
			word = next_word(&text);
			item.arg = arena_strndup(&list->arena, word.data, word.len);
		}
		list->items = alloc_array(list->items, list->count + 1, sizeof(item));
		list->items[list->count++] = item;
	}
	return list;
}

void restriction_list_free(struct restriction_list **list)
{
	if (!*list)
		return;
	free((*list)->items);
	arena_fini(&(*list)->arena);
	free(*list);
	*list = NULL;
}

bool restriction_list_protects(const struct restriction_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct restriction_kind *kind = list->items[i].kind;

		if (!kind)
			continue; /* refuses everybody who gets there, which is not what is asked */
		if (!kind->run)
			i++; /* warn_if_reject: the next one refuses nobody */
		else if (kind->flags & RESTRICT_ENDS)
			return false;
		else if (kind->flags & RESTRICT_PROTECTS)
			return true;
	}
	return false;
}

static void put_address(struct str *out, const char *what, const char *address)
{
	str_printf(out, " %s=<", what);
	address_quote(out, address);
	str_put_char(out, '>');
}

void access_log(struct session *s, const char *action, const char *text)
{
	struct str line = {0};

	if (strcmp(action, "reject") == 0)
		transcript_trouble(s->srv->transcript,
		    strncmp(text, "452", 3) == 0 ? CLASS_RESOURCE : CLASS_POLICY);
	str_printf(&line, "%s: %s: %s from %s: %s;", s->tx.id[0] ? s->tx.id : "NOQUEUE", action,
	    s->where, s->peer.namaddr, text);
	if (s->tx.sender.given)
		put_address(&line, "from", s->tx.sender.given);
	if (s->tx.has_rcpt)
		put_address(&line, "to", s->tx.rcpt.given);
	str_printf(&line, " proto=%s", s->protocol);
	if (s->helo)
		str_printf(&line, " helo=<%s>", s->helo);
	log_info("%s", str_text(&line));
	str_fini(&line);
}

enum verdict check_refuse(struct check *check, int code, const char *dsn, const char *fmt, ...)
{
	struct session *s = check->s;
	va_list ap;

	if (check->quiet)
		return VERDICT_REJECT;
	if (code < 400 || code > 599)
		code = 450;
	if (s->srv->config->core->soft_bounce && code >= 500)
		code -= 100;
	str_clear(&s->reject);
	str_printf(&s->reject, "%d %d%s ", code, code / 100, dsn + 1);
	va_start(ap, fmt);
	str_vprintf(&s->reject, fmt, ap);
	va_end(ap);
	access_log(s, check->warn_only ? "reject_warning" : "reject", str_text(&s->reject));
	return check->warn_only ? VERDICT_DUNNO : VERDICT_REJECT;
}

static void set_subject(struct check *check)
{
	struct session *s = check->s;
	const struct {
		const char *name, *class_;
	} subjects[] = {
	    [ACCESS_CLIENT] = {s->peer.namaddr, "Client host"},
	    [ACCESS_HELO] = {s->helo, "Helo command"},
	    [ACCESS_SENDER] = {s->tx.sender.given, "Sender address"},
	    [ACCESS_RELAY] = {s->tx.rcpt.given, "Recipient address"},
	    [ACCESS_RECIPIENT] = {s->tx.rcpt.given, "Recipient address"},
	    [ACCESS_DATA] = {"DATA", "Data command"},
	    [ACCESS_END_OF_DATA] = {"END-OF-MESSAGE", "End-of-data"},
	    [ACCESS_ETRN] = {s->etrn_domain, "Etrn command"},
	};

	check->name = subjects[check->stage].name ? subjects[check->stage].name : "";
	check->class_ = subjects[check->stage].class_;
}

static enum verdict evaluate_list(struct check *check, const struct restriction_list *list)
{
	bool warn_only = false;

	for (size_t i = 0; i < list->count; i++) {
		const struct restriction *item = &list->items[i];
		enum verdict verdict;

		if (!item->kind) {
			log_warn("unknown smtpd restriction: \"%s\"", item->name);
			check->warn_only = false;
			return check_refuse(check, 451, "4.3.5", "Server configuration error");
		}
		check->warn_only = warn_only;
		check->arg = item->arg;
		if (!item->kind->run) { /* warn_if_reject */
			warn_only = true;
			continue;
		}
		warn_only = false;
		verdict = item->kind->run(check);
		if (verdict != VERDICT_DUNNO)
			return verdict;
	}
	check->warn_only = false;
	return VERDICT_DUNNO;
}

/* A whole stage. defer_if_permit turns what would be a permit into a 450. */
static enum verdict evaluate(struct session *s, enum access_stage stage)
{
	struct check check = {.s = s, .stage = stage};
	enum verdict verdict;

	set_subject(&check);
	verdict = evaluate_list(&check, s->srv->restrictions[stage]);
	check.warn_only = false;
	if (verdict != VERDICT_REJECT && check.defer_if_permit)
		return check_refuse(&check, s->params->defer_code, "4.7.0",
		    "<%s>: %s rejected: defer_if_permit requested", check.name, check.class_);
	return verdict;
}

bool access_permits(struct session *s, const struct restriction_list *list)
{
	struct check check = {.s = s, .stage = ACCESS_CLIENT, .quiet = true};

	set_subject(&check);
	return evaluate_list(&check, list) == VERDICT_PERMIT;
}

bool access_client(struct session *s)
{
	return evaluate(s, ACCESS_CLIENT) == VERDICT_REJECT;
}

bool access_helo(struct session *s)
{
	return s->helo && evaluate(s, ACCESS_HELO) == VERDICT_REJECT;
}

bool access_sender(struct session *s)
{
	struct check check = {.s = s, .stage = ACCESS_SENDER};

	if (!s->tx.sender.given)
		return false;
	if (evaluate(s, ACCESS_SENDER) == VERDICT_REJECT)
		return true;
	if (!s->params->reject_unlisted_sender || s->tx.sender.given[0] == '\0')
		return false;
	set_subject(&check);
	return check_unlisted(&check, &s->tx.sender, true) == VERDICT_REJECT;
}

/* Without a restriction that keeps strangers from relaying nothing is accepted at all. */
static bool refuse_unprotected(struct session *s)
{
	struct check check = {.s = s, .stage = ACCESS_RELAY};

	if (s->srv->relay_protected)
		return false;
	log_warn("in smtpd_relay_restrictions or smtpd_recipient_restrictions, at least one of "
	         "these is needed: reject_unauth_destination, defer_unauth_destination, reject, "
	         "defer, defer_if_permit");
	set_subject(&check);
	return check_refuse(&check, 451, "4.3.5", "Server configuration error") == VERDICT_REJECT;
}

bool access_recipient(struct session *s)
{
	struct check check = {.s = s, .stage = ACCESS_RECIPIENT};
	enum access_stage first = ACCESS_RELAY, second = ACCESS_RECIPIENT;

	set_subject(&check);
	if (!transaction_resolve(s, &s->tx.rcpt)) {
		check_refuse(
		    &check, 451, "4.3.0", "<%s>: Temporary lookup failure", s->tx.rcpt.given);
		return true;
	}
	/* RFC 5321 4.5.1: the postmaster of this host can always be reached. */
	if (strcasecmp(s->tx.rcpt.given, "postmaster") == 0)
		return false;
	if (s->params->delay_reject && (access_client(s) || access_helo(s) || access_sender(s)))
		return true;
	if (refuse_unprotected(s))
		return true;
	if (!s->params->relay_before_recipient) {
		first = ACCESS_RECIPIENT;
		second = ACCESS_RELAY;
	}
	if (evaluate(s, first) == VERDICT_REJECT || evaluate(s, second) == VERDICT_REJECT)
		return true;
	return s->params->reject_unlisted_recipient &&
	       check_unlisted(&check, &s->tx.rcpt, false) == VERDICT_REJECT;
}

bool access_etrn(struct session *s, const char *domain)
{
	bool refused;

	s->etrn_domain = domain;
	refused = (s->params->delay_reject && (access_client(s) || access_helo(s))) ||
	          evaluate(s, ACCESS_ETRN) == VERDICT_REJECT;
	s->etrn_domain = NULL;
	return refused;
}

bool access_data(struct session *s, enum access_stage stage)
{
	/* It is about the recipient when there is only one; naming one of many would mislead. */
	s->tx.rcpt = s->tx.first;
	s->tx.has_rcpt = s->tx.rcpt_count == 1;
	return evaluate(s, stage) == VERDICT_REJECT;
}
