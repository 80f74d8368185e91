/* SPDX-License-Identifier: ISC */
/*
 * Which restriction lists are due when, in which order, and what one stage leaves to the next. How
 * a list is run is in evaluate.c, what restrictions answer in verdict.c.
 */
#include "smtpd/restrict.h"

#include <strings.h>

#include "lib/base/log.h"

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
			deferral_set(&a->if_permit, a->kept[i].code, a->kept[i].dsn,
			    str_text(&a->kept[i].text));
}

static void end_stage(struct session *s, enum access_stage stage)
{
	struct access_state *a = &s->access;

	if (s->params->delay_reject || !is_kept(stage))
		return;
	a->kept[stage].active = false;
	if (a->if_permit.active)
		deferral_set(&a->kept[stage], a->if_permit.code, a->if_permit.dsn,
		    str_text(&a->if_permit.text));
}

static bool refused_by(struct session *s, enum access_stage stage)
{
	struct check check = check_of(s, stage);

	return check_list(&check, s->srv->restrictions[stage]) == VERDICT_REJECT;
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
	return check_list(&check, list) == VERDICT_PERMIT;
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
	struct check check = check_of(s, ACCESS_RECIPIENT);

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (refused_by(s, order[i]))
			return true;
	return check_refuse_deferred(&check);
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
	struct check check = check_of(s, stage);

	s->access.if_reject.active = false;
	return refused_by(s, stage) || check_refuse_deferred(&check);
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
