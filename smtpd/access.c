/* SPDX-License-Identifier: ISC */
/*
 * Restriction lists: parsed once per process, evaluated in order until one permits or refuses.
 * What each name means is in checks.c; which lists are due when is here.
 */
#include "smtpd/restrict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/mail/address.h"

enum { REPLY_MAX = 1800 };

static void put_address(struct str *out, const char *what, const char *address)
{
	str_printf(out, " %s=<", what);
	address_log(out, address);
	str_put_char(out, '>');
}

/* class_: of notify_classes */
static void log_action(struct session *s, const char *action, uint32_t class_, const char *text)
{
	struct str line = {0};

	if (strcmp(action, "reject") == 0)
		transcript_trouble(
		    s->srv->transcript, strncmp(text, "452", 3) == 0 ? CLASS_RESOURCE : class_);
	str_printf(&line, "%s: %s: %s from %s: %s;", s->tx.id[0] ? s->tx.id : "NOQUEUE", action,
	    s->where, s->peer.namaddr, text);
	if (s->tx.sender.given)
		put_address(&line, "from", s->tx.sender.given);
	if (s->tx.has_rcpt)
		put_address(&line, "to", s->tx.rcpt.given);
	str_printf(&line, " proto=%s", s->protocol);
	if (s->helo)
		str_printf(&line, " helo=<%s>", s->helo);
	if (*session_login(s) && s->srv->access->sasl_enabled)
		str_printf(&line, " sasl_username=<%s>", session_login(s));
	log_info("%s", str_text(&line));
	str_fini(&line);
}

void access_log(struct session *s, const char *action, const char *text)
{
	log_action(s, action, CLASS_POLICY, text);
}

void access_refuse_bare_lf(struct session *s)
{
	log_action(s, "reject", CLASS_PROTOCOL, "bare <LF> received");
	chat_reply(s, "%d 5.5.2 %s Error: bare <LF> received",
	    s->params->forbid_bare_newline_reject_code, s->srv->config->core->myhostname);
}

/* ---- what a restriction can answer ---------------------------------------------------------- */

/* The answer, in all its consequences. */
static enum verdict refuse(struct check *check, int code, const char *dsn, const char *text)
{
	struct session *s = check->s;

	if (check->quiet)
		return VERDICT_REJECT;
	if (code < 400 || code > 599) { /* a slip that must not look like success */
		log_warn("SMTP reply code configuration error: %d %s %s", code, dsn, text);
		code = 450;
		dsn = "4.7.1";
		text = "Service unavailable";
	}
	if (s->srv->config->core->soft_bounce && code >= 500)
		code -= 100;
	str_clear(&s->reject);
	str_printf(&s->reject, "%d %d%s %s", code, code / 100, dsn + 1, text);
	text_make_printable(s->reject.data, s->reject.len);
	log_action(s, check->warn_depth ? "reject_warning" : "reject",
	    check->undeliverable ? CLASS_BOUNCE : CLASS_POLICY, str_text(&s->reject));
	check->undeliverable = false;
	return check->warn_depth ? VERDICT_DUNNO : VERDICT_REJECT;
}

PRINTF_LIKE(1, 0) static char *text_of(const char *fmt, va_list ap)
{
	struct str text = {.max = REPLY_MAX};

	str_vprintf(&text, fmt, ap);
	str_put(&text, "", 0);
	return text.data ? str_steal(&text) : alloc_strdup("");
}

enum verdict check_refuse(struct check *check, int code, const char *dsn, const char *fmt, ...)
{
	struct deferral *instead = &check->s->access.if_reject;
	enum verdict verdict;
	va_list ap;
	char *text;

	/* a refusal for now is as good as the other one */
	if (instead->active && code >= 500 && !check->warn_depth && !check->quiet) {
		instead->active = false;
		return refuse(check, instead->code, instead->dsn, str_text(&instead->text));
	}
	va_start(ap, fmt);
	text = text_of(fmt, ap);
	va_end(ap);
	verdict = refuse(check, code, dsn, text);
	free(text);
	return verdict;
}

enum verdict check_broken(struct check *check, const char *dsn, const char *fmt, ...)
{
	enum verdict verdict;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = text_of(fmt, ap);
	va_end(ap);
	check->warn_depth = 0;
	verdict = refuse(check, 451, dsn, text);
	free(text);
	return verdict;
}

enum verdict check_misconfigured(struct check *check)
{
	return check_broken(check, "4.3.5", "Server configuration error");
}

/* The first reason counts: it is the one that an administrator can do something about. */
static void put_off(struct deferral *deferral, int code, const char *dsn, const char *text)
{
	if (deferral->active)
		return;
	deferral->active = true;
	deferral->code = code;
	snprintf(deferral->dsn, sizeof(deferral->dsn), "%s", dsn);
	str_clear(&deferral->text);
	str_put_text(&deferral->text, text);
}

enum verdict check_defer_if_permit(
    struct check *check, bool now, int code, const char *dsn, const char *fmt, ...)
{
	enum verdict verdict = VERDICT_DUNNO;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = text_of(fmt, ap);
	va_end(ap);
	if (now || check->warn_depth)
		verdict = check_refuse(check, code, dsn, "%s", text);
	else if (!check->quiet)
		put_off(&check->s->access.if_permit, code, dsn, text);
	free(text);
	return verdict;
}

enum verdict check_defer_if_reject(
    struct check *check, int code, const char *dsn, const char *fmt, ...)
{
	va_list ap;
	char *text;

	if (check->quiet)
		return VERDICT_DUNNO;
	va_start(ap, fmt);
	text = text_of(fmt, ap);
	va_end(ap);
	put_off(&check->s->access.if_reject, code, dsn, text);
	free(text);
	return VERDICT_DUNNO;
}

/* ---- running lists -------------------------------------------------------------------------- */

static void set_subject(struct check *check)
{
	struct session *s = check->s;
	const struct {
		const char *name, *class_;
		enum access_subject implied;
	} subjects[] = {
	    [ACCESS_CLIENT] = {s->peer.namaddr, "Client host", SUBJECT_CLIENT},
	    [ACCESS_HELO] = {s->helo, "Helo command", SUBJECT_HELO},
	    [ACCESS_SENDER] = {s->tx.sender.given, "Sender address", SUBJECT_SENDER},
	    [ACCESS_RELAY] = {s->tx.rcpt.given, "Recipient address", SUBJECT_RECIPIENT},
	    [ACCESS_RECIPIENT] = {s->tx.rcpt.given, "Recipient address", SUBJECT_RECIPIENT},
	    [ACCESS_DATA] = {"DATA", "Data command", SUBJECT_NONE},
	    [ACCESS_END_OF_DATA] = {"END-OF-MESSAGE", "End-of-data", SUBJECT_NONE},
	    [ACCESS_ETRN] = {s->etrn_domain, "Etrn command", SUBJECT_ETRN},
	};

	check->name = subjects[check->stage].name ? subjects[check->stage].name : "";
	check->class_ = subjects[check->stage].class_;
	check->implied = subjects[check->stage].implied;
}

static enum verdict evaluate_list(struct check *check, const struct restriction_list *list);

static enum verdict unknown_name(struct check *check, const char *name)
{
	log_warn("unknown smtpd restriction: \"%s\"", name);
	return check_misconfigured(check);
}

static enum verdict run_item(
    struct check *check, const struct restriction_list *list, const struct restriction *item)
{
	const struct access *a = check->s->srv->access;
	const struct restriction_list *class_;

	check->kind = item->kind;
	check->arg = item->arg;
	if (!item->kind) {
		class_ = a ? map_get(a->classes, item->name) : NULL;
		return class_ ? evaluate_list(check, class_) : unknown_name(check, item->name);
	}
	if (item->kind->flags & RESTRICT_ENDS &&
	    !(check->warn_depth && item->kind->flags & RESTRICT_PROTECTS) &&
	    item + 1 < list->items + list->count)
		log_warn("restriction `%s' after `%s' is ignored", item[1].name, item->name);
	return item->kind->run(check);
}

/*
 * A list within a list has a struct of its own: what it changes is not the outer one's, only what
 * it answers. warn_if_reject holds for the item behind it, with all that this one leads to.
 */
static enum verdict evaluate_list(struct check *outer, const struct restriction_list *list)
{
	struct check check = *outer;
	enum verdict verdict = VERDICT_DUNNO;

	if (++check.depth > RESTRICT_DEPTH_MAX) {
		log_warn("%s: unreasonable recursion of restriction lists", list->parameter);
		return check_misconfigured(outer);
	}
	for (size_t i = 0; i < list->count && verdict == VERDICT_DUNNO; i++) {
		const struct restriction *item = &list->items[i];

		if (check.s->tx.actions.discard)
			break; /* whatever else is said, nobody will get it */
		if (item->kind && !item->kind->run) { /* warn_if_reject */
			if (check.warn_depth == 0)
				check.warn_depth = check.depth;
			continue;
		}
		verdict = run_item(&check, list, item);
		if (check.warn_depth >= check.depth)
			check.warn_depth = 0;
		if (check.s->access.if_permit.active && check.s->access.if_reject.active)
			break; /* it will be put off, whatever comes */
	}
	return verdict;
}

enum verdict check_list_text(struct check *check, const char *origin, const char *text)
{
	struct restriction_list *list;
	enum verdict verdict = VERDICT_PERMIT;

	if (strchr(text, ':')) {
		log_warn("access table %s has entry with lookup table: %s", origin, text);
		log_warn("do not specify lookup tables inside SMTPD access maps");
		log_warn("define a restriction class and specify its name instead.");
		return check_misconfigured(check);
	}
	list = restriction_list_parse(origin, text);
	if (list->count == 0)
		log_warn("access table %s entry %s has empty value", origin, text);
	else
		verdict = evaluate_list(check, list);
	restriction_list_free(&list);
	return verdict;
}

static bool permit_is_logged(const struct check *check, const char *action)
{
	const struct access *a = check->s->srv->access;
	struct err err;

	return !check->quiet && a && a->log_permits &&
	       match_list_text(a->log_permits, action, &err) == TABLE_FOUND;
}

static enum verdict permit(struct check *check, const char *action, const char *class_,
    const char *name, const char *table)
{
	struct str text = {0};

	if (!permit_is_logged(check, action))
		return VERDICT_PERMIT;
	str_printf(&text, "action=%s for %s=%s %s%s", action, class_, name, table ? "from " : "",
	    table ? table : "");
	access_log(check->s, "permit", str_text(&text));
	str_fini(&text);
	return VERDICT_PERMIT;
}

enum verdict check_permit(struct check *check)
{
	return permit(
	    check, check->kind ? check->kind->name : "", check->class_, check->name, NULL);
}

enum verdict check_permit_client(struct check *check)
{
	return permit(check, check->kind ? check->kind->name : "", "Client host",
	    check->s->peer.namaddr, NULL);
}

enum verdict check_permit_by(struct check *check, const char *action, const char *table)
{
	return permit(check, action, check->class_, check->name, table);
}

/* ---- stages --------------------------------------------------------------------------------- */

static struct check check_of(struct session *s, enum access_stage stage)
{
	struct check check = {.s = s, .stage = stage};

	set_subject(&check);
	return check;
}

static bool is_kept(enum access_stage stage)
{
	return stage <= ACCESS_SENDER;
}

/* With smtpd_delay_reject all stages run in a row; without, each begins where the last one ended.
 */
static void begin_stage(struct session *s, enum access_stage stage)
{
	struct access_state *a = &s->access;

	a->if_reject.active = false;
	if (stage == ACCESS_CLIENT)
		a->if_permit.active = false;
	if (s->params->delay_reject || stage == ACCESS_CLIENT)
		return;
	a->if_permit.active = false;
	for (int i = 0; i < (int)MIN(stage, ACCESS_RELAY); i++)
		if (a->kept[i].active)
			put_off(&a->if_permit, a->kept[i].code, a->kept[i].dsn,
			    str_text(&a->kept[i].text));
}

static void end_stage(struct session *s, enum access_stage stage)
{
	struct access_state *a = &s->access;

	if (s->params->delay_reject || !is_kept(stage))
		return;
	a->kept[stage].active = false;
	if (a->if_permit.active)
		put_off(&a->kept[stage], a->if_permit.code, a->if_permit.dsn,
		    str_text(&a->if_permit.text));
}

/* What may not be permitted because something failed that might have refused. */
static bool refuse_deferred(struct session *s, enum access_stage stage)
{
	struct check check = check_of(s, stage);
	struct deferral *d = &s->access.if_permit;

	return d->active && refuse(&check, d->code, d->dsn, str_text(&d->text)) == VERDICT_REJECT;
}

static bool refused_by(struct session *s, enum access_stage stage)
{
	struct check check = check_of(s, stage);

	return evaluate_list(&check, s->srv->restrictions[stage]) == VERDICT_REJECT;
}

static bool evaluate_early(struct session *s, enum access_stage stage)
{
	bool refused;

	begin_stage(s, stage);
	refused = refused_by(s, stage);
	end_stage(s, stage);
	return refused;
}

bool access_permits(struct session *s, const struct restriction_list *list)
{
	struct check check = check_of(s, ACCESS_CLIENT);

	check.quiet = true;
	return evaluate_list(&check, list) == VERDICT_PERMIT;
}

bool access_client(struct session *s)
{
	return evaluate_early(s, ACCESS_CLIENT);
}

bool access_helo(struct session *s)
{
	s->access.actions[ACCESS_HELO] = (struct access_actions){.hold = false};
	return s->helo && evaluate_early(s, ACCESS_HELO);
}

bool access_sender(struct session *s)
{
	struct check check = check_of(s, ACCESS_SENDER);

	if (!s->tx.sender.given)
		return false;
	if (evaluate_early(s, ACCESS_SENDER))
		return true;
	if (!s->params->reject_unlisted_sender ||
	    s->srv->config->shape.overrides & SHAPE_NO_UNKNOWN_CHECKS ||
	    s->tx.sender.given[0] == '\0' || s->tx.actions.discard)
		return false;
	return check_unlisted(&check, &s->tx.sender, true) == VERDICT_REJECT;
}

/* Without a restriction that keeps strangers from relaying nothing is accepted at all. */
static bool refuse_unprotected(struct session *s)
{
	struct check check = check_of(s, ACCESS_RELAY);

	if (s->srv->relay_protected)
		return false;
	log_warn("in smtpd_relay_restrictions or smtpd_recipient_restrictions, at least one of "
	         "these is needed: reject_unauth_destination, defer_unauth_destination, reject, "
	         "defer, defer_if_permit");
	return check_misconfigured(&check) == VERDICT_REJECT;
}

/* Both lists, then what was put off. */
static bool refused_by_recipient_lists(struct session *s)
{
	bool relay_first = s->params->relay_before_recipient;
	const enum access_stage order[] = {relay_first ? ACCESS_RELAY : ACCESS_RECIPIENT,
	    relay_first ? ACCESS_RECIPIENT : ACCESS_RELAY};

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (refused_by(s, order[i]))
			return true;
	return refuse_deferred(s, ACCESS_RECIPIENT);
}

bool access_recipient(struct session *s)
{
	struct check check = check_of(s, ACCESS_RECIPIENT);

	if (!transaction_resolve(s, &s->tx.rcpt)) {
		check_broken(&check, "4.3.0", "<%s>: Temporary lookup failure", s->tx.rcpt.given);
		return true;
	}
	/* RFC 5321 4.5.1: the postmaster of this host can always be reached. */
	if (strcasecmp(s->tx.rcpt.given, "postmaster") == 0)
		return false;
	if (s->params->delay_reject && (access_client(s) || access_helo(s) || access_sender(s)))
		return true;
	if (refuse_unprotected(s))
		return true;
	begin_stage(s, ACCESS_RELAY);
	if (refused_by_recipient_lists(s))
		return true;
	return s->params->reject_unlisted_recipient && !s->tx.actions.discard &&
	       !(s->srv->config->shape.overrides & SHAPE_NO_UNKNOWN_CHECKS) &&
	       check_unlisted(&check, &s->tx.rcpt, false) == VERDICT_REJECT;
}

static bool evaluate_late(struct session *s, enum access_stage stage)
{
	s->access.if_reject.active = false;
	return refused_by(s, stage) || refuse_deferred(s, stage);
}

bool access_etrn(struct session *s, const char *domain)
{
	bool refused;

	s->etrn_domain = domain;
	refused = s->params->delay_reject && (access_client(s) || access_helo(s));
	if (!refused)
		begin_stage(s, ACCESS_ETRN);
	refused = refused || evaluate_late(s, ACCESS_ETRN);
	s->etrn_domain = NULL;
	return refused;
}

bool access_data(struct session *s, enum access_stage stage)
{
	/* It is about the recipient when there is only one; naming one of many would mislead. */
	s->tx.rcpt = s->tx.first;
	s->tx.has_rcpt = s->tx.rcpt_count == 1;
	s->access.if_permit.active = false;
	return evaluate_late(s, stage);
}
