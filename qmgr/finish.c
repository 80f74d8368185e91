/* SPDX-License-Identifier: ISC */
/*
 * From single results to the end of a message. The order of steps is what keeps mail safe: a bounce
 * record is on disk before its recipient is marked, the notice is in the queue before the log and
 * the message go, a deferred message has its new home before the old one is marked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/sys/clock.h"
#include "qmgr/qmgr.h"

enum { AGAIN_MS = 5000, LOOK_AGAIN_MS = 10000, DOUBT_MS = 60000 };
enum { PART_MAX = 1000 };

static struct deferral *remember(const struct rcpt *rcpt, const struct rcpt_result *result)
{
	const char *const texts[] = {rcpt->address, rcpt->orig, rcpt->orcpt, result->dsn,
	    result->action, result->reason, result->diag, result->mta};
	struct deferral *d;
	const char **to[ARRAY_LEN(texts)];
	size_t size = 0;
	char *next;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		size += strlen(texts[i]) + 1;
	d = alloc(sizeof(*d) + size);
	*d = (struct deferral){.record = {.index = rcpt->index, .notify = rcpt->notify}};
	to[0] = &d->record.address;
	to[1] = &d->record.orig;
	to[2] = &d->record.orcpt;
	to[3] = &d->record.dsn;
	to[4] = &d->record.action;
	to[5] = &d->record.reason;
	to[6] = &d->record.diag;
	to[7] = &d->record.mta;
	next = d->text;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		*to[i] = strcpy(next, texts[i]);
		next += strlen(texts[i]) + 1;
	}
	return d;
}

void mail_forget_deferrals(struct mail *mail)
{
	while (mail->deferrals) {
		struct deferral *d = mail->deferrals;

		mail->deferrals = d->next;
		free(d);
	}
	mail->deferral_count = 0;
}

void mail_add_deferral(struct mail *mail, struct deferral *d)
{
	d->next = mail->deferrals;
	mail->deferrals = d;
	mail->deferral_count++;
}

void mail_settle_rcpt(struct mail *mail, struct rcpt *rcpt, const struct rcpt_result *result)
{
	must(mail->pending > 0);
	mail->pending--;
	switch (result->outcome) {
	case OUTCOME_SENT:
	case OUTCOME_EXPANDED:
		mail->traced |= rcpt->notify & NOTIFY_SUCCESS || mail_request_flags(mail);
		break;
	case OUTCOME_DEFERRED:
		mail_add_deferral(mail, remember(rcpt, result));
		break;
	case OUTCOME_BOUNCED:
		mail_add_bounce(mail, remember(rcpt, result));
		break;
	default:
		mail->skipped = true;
	}
}

/* ---- the end -------------------------------------------------------------------------------- */

static bool is_expired(const struct mail *mail)
{
	struct qmgr *q = mail->qmgr;
	int64_t now = clock_wall_us();
	int64_t lifetime = *mail->sender ? q->params->maximal_lifetime : q->params->bounce_lifetime;

	/* 0: whatever the clock says */
	jumps_look(&q->jumps, now, clock_mono_ms());
	return mail->forced || lifetime == 0 ||
	       jumps_age_us(&q->jumps, mail->arrival_us, now) >= lifetime * 1000000;
}

/* All that is still deferred is returned now. */
static void expire(struct mail *mail)
{
	struct deferral *d = mail->deferrals, *next;
	struct str from = {0};

	address_log(&from, mail->sender);
	log_info("%s: from=<%s>, status=%s, returned to sender", mail->id, str_text(&from),
	    mail->forced ? "force-expired" : "expired");
	str_fini(&from);
	mail->deferrals = NULL;
	mail->deferral_count = 0;
	for (; d; d = next) {
		next = d->next;
		d->record.action = "failed";
		mail_add_bounce(mail, d);
	}
	mail_settled(mail);
}

/* ---- reports and warnings ---------------------------------------------------------------- */

uint32_t mail_request_flags(const struct mail *mail)
{
	return mail->warned && mail->qmgr->params->confirm_delay_cleared ? DELIVER_WARNED : 0;
}

/* Agents have written the trace log themselves; a message without one costs nothing here. */
static bool wants_report(const struct mail *mail)
{
	return !mail->reported && !(mail->env_flags & ENV_PROBE) &&
	       (mail->traced || mail->env_flags & (ENV_TRACE | ENV_VERIFY));
}

static void reported(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg)
{
	(void)answer;
	(void)arg;
	mail->reported = ok;
	if (ok)
		mail_complete(mail);
	else
		mail_after(mail, AGAIN_MS, mail_complete);
}

static bool warning_is_due(const struct mail *mail)
{
	int64_t after = mail->qmgr->params->delay_warning;

	return after > 0 && !mail->warned && !mail->warning_failed && *mail->sender &&
	       clock_wall_us() - (int64_t)mail->arrival_us >= after * 1000000;
}

/* A warning that cannot be made now is left to the next attempt: the message goes first. */
static void warned(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg)
{
	(void)answer;
	(void)arg;
	mail->warned = mail->logged = ok;
	mail->warning_failed = !ok;
	mail_complete(mail);
}

static void flushed(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg)
{
	(void)answer;
	(void)arg;
	mail->flushed = ok;
	if (ok)
		mail_complete(mail);
	else
		mail_after(mail, AGAIN_MS, mail_complete);
}

/* Exponential: the next attempt comes when the message is twice as old, within bounds. */
static int64_t retry_time(const struct mail *mail)
{
	const struct qmgr_params *p = mail->qmgr->params;
	int64_t now = clock_wall_us() / 1000000;
	int64_t delay = now - (int64_t)(mail->arrival_us / 1000000);

	delay = MAX(delay, p->minimal_backoff);
	delay = MIN(delay, MAX(p->maximal_backoff, p->minimal_backoff));
	return now + delay;
}

static void remove_defer_log(const struct mail *mail)
{
	char path[256];

	queue_path(mail->qmgr->queue, "defer", mail->id, path, sizeof(path));
	unlink(path);
}

static void moved(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg)
{
	(void)arg;
	if (ok && answer->status == 1)
		remove_defer_log(mail); /* the message is gone: nobody else would */
	if (ok)
		mail_free(mail); /* it waits in deferred/ now */
	else
		mail_after(mail, AGAIN_MS, mail_complete);
}

static bool is_deferred(const struct mail *mail)
{
	return mail->deferrals || mail->parts_logged;
}

/* Asks defer(8) with what is to be in the log, unless that is there. */
static void ask_defer(struct mail *mail, uint16_t type, struct bounce_request *request,
    void (*done)(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg))
{
	struct bounce_record *records = alloc_array(NULL, mail->deferral_count, sizeof(*records));
	size_t n = 0;

	for (struct deferral *d = mail->deferrals; d && !mail->logged; d = d->next)
		records[n++] = d->record;
	if (mail->was_deferred && !mail->logged && !mail->parts_logged)
		remove_defer_log(mail); /* what this attempt said takes the place of the last one */
	request->records = (struct frame_list){records, n};
	bouncer_ask(&mail->qmgr->defer, type, mail, request, done, NULL);
	free(records);
}

/* The log only tells why: when it cannot be written the recipients are deferred all the same. */
static void part_logged(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg)
{
	(void)ok;
	(void)answer;
	(void)arg;
	mail->waiting--;
	mail_settled(mail);
}

/*
 * Many recipients are deferred while others still wait for their turn: what is known is written
 * down, so that memory, and the request to defer(8), do not follow the number of recipients.
 */
static void settle_part(struct mail *mail)
{
	struct bounce_request request = {.move_dir = ""};

	if (is_expired(mail) && !mail->unlogged) {
		expire(mail);
		return;
	}
	mail->waiting++;
	ask_defer(mail, BOUNCE_APPEND, &request, part_logged);
	mail->parts_logged = true;
	mail_forget_deferrals(mail);
}

void mail_settled(struct mail *mail)
{
	bool more = mail->cursor.index < mail->rcpt_count && !mail->damaged;

	mail_send_bounces(mail);
	if (mail->deferral_count >= PART_MAX && !mail->damaged && (more || mail->pending > 0))
		settle_part(mail);
	if (mail->pending > 0 || mail->waiting > 0)
		return;
	if (more)
		mail_load_more(mail);
	else
		mail_complete(mail);
}

static void warn(struct mail *mail)
{
	struct bounce_request request = {.move_dir = ""};

	ask_defer(mail, BOUNCE_WARN, &request, warned);
}

static void defer(struct mail *mail)
{
	struct bounce_request request = {
	    .move_dir = "deferred", .retry_at = (uint64_t)retry_time(mail)};

	ask_defer(mail, BOUNCE_MOVE, &request, moved);
}

/* Some recipients were in other hands: read the record again from the start. */
static void look_again(struct mail *mail)
{
	mail->skipped = mail->reported = mail->logged = mail->parts_logged = false;
	mail->cursor = (struct rcpt_cursor){0, 0};
	mail_load_more(mail);
}

/*
 * An agent, or our own reading, found the record damaged. It is looked at once more, whole: what
 * turns out sound (a device that failed for a moment) is tried again later.
 */
static void set_aside(struct mail *mail)
{
	struct qmgr *q = mail->qmgr;
	struct message m;
	struct err err = {0};
	int rc = message_open(
	    q->queue, &mail->loc, mail->id, MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m, &err);

	if (rc == 0 || (rc < 0 && !message_is_damaged(&err))) {
		if (rc == 0)
			message_close(&m);
		log_warn("%s: not found damaged: %s", mail->id, mail->damaged);
		mail->damaged = NULL;
		mail_forget_deferrals(mail);
		/* all of it is read then: a task that waits for more must not read on before */
		mail->cursor.index = mail->rcpt_count;
		tasks_read(mail);
		mail_after(mail, DOUBT_MS, look_again);
		return;
	}
	if (rc < 0 && mail->loc.lane < 0) {
		log_warn("%s: moved to the corrupt queue: %s", mail->id, err.text);
		if (message_move(q->queue, &mail->loc, mail->id, "corrupt",
		        clock_wall_us() / 1000000, &err) < 0)
			log_warn("%s: %s", mail->id, err.text);
	} else if (rc < 0) {
		q->check_lanes = q->rescan_new = true; /* the journal's scan sets damage aside */
	}
	mail_free(mail);
}

static void finish(struct mail *mail)
{
	struct err err;
	int rc = message_finish(mail->qmgr->queue, &mail->loc, mail->id, &err);

	if (rc < 0) {
		log_warn("%s: %s", mail->id, err.text);
		mail_after(mail, AGAIN_MS, mail_complete);
		return;
	}
	if (mail->was_deferred)
		remove_defer_log(mail);
	if (rc == 0)
		log_info("%s: removed", mail->id);
	mail_free(mail);
}

void mail_complete(struct mail *mail)
{
	struct bounce_request nothing = {0};

	if (mail->damaged)
		set_aside(mail);
	else if (mail->deferrals && is_expired(mail) && !mail->unlogged)
		expire(mail);
	else if (mail->bounced && !mail->flushed)
		bouncer_ask(&mail->qmgr->bounce, BOUNCE_FLUSH, mail, &nothing, flushed, NULL);
	else if (wants_report(mail))
		bouncer_ask(&mail->qmgr->trace, BOUNCE_FLUSH, mail, &nothing, reported, NULL);
	else if (is_deferred(mail) && warning_is_due(mail))
		warn(mail);
	else if (is_deferred(mail))
		defer(mail);
	else if (mail->skipped)
		mail_after(mail, LOOK_AGAIN_MS, look_again);
	else
		finish(mail);
}
