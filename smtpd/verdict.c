/* SPDX-License-Identifier: ISC */
/*
 * What a restriction can answer, with all that comes of it: the reply that the client will hear,
 * the line in the log, and what is put off until no other restriction has a better reason.
 */
#include "smtpd/restrict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"

enum { REPLY_MAX = 1800 };

/* ---- the line in the log -------------------------------------------------------------------- */

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

/* ---- no ------------------------------------------------------------------------------------- */

/* A tabulator of a table's text, or what a DNS list says, ends no line. */
static void blank_controls(struct str *text)
{
	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->data[i] < ' ' || text->data[i] == 127)
			text->data[i] = ' ';
}

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
	blank_controls(&s->reject);
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

/* ---- no, unless ... ----------------------------------------------------------------------------
 */

void deferral_set(struct deferral *deferral, int code, const char *dsn, const char *text)
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
		deferral_set(&check->s->access.if_permit, code, dsn, text);
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
	deferral_set(&check->s->access.if_reject, code, dsn, text);
	free(text);
	return VERDICT_DUNNO;
}

bool check_refuse_deferred(struct check *check)
{
	struct deferral *d = &check->s->access.if_permit;

	return d->active && refuse(check, d->code, d->dsn, str_text(&d->text)) == VERDICT_REJECT;
}

/* ---- yes ------------------------------------------------------------------------------------ */

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
