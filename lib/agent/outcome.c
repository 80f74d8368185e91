/* SPDX-License-Identifier: ISC */
/* What became of one recipient: the mark in the queue, the result for qmgr, the log line. */
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/agent/agent.h"
#include "lib/agent/delay.h"
#include "lib/agent/filter.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/peer/bounce.h"
#include "lib/peer/verify.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"

struct words {
	enum outcome outcome;
	const char *status; /* in the log */
	const char *action; /* in a notice */
	enum rcpt_status mark;
};

static const struct words words[] = {
    {OUTCOME_SENT, "sent", "delivered", RCPT_DONE},
    {OUTCOME_EXPANDED, "sent", "expanded", RCPT_DONE},
    {OUTCOME_DEFERRED, "deferred", "delayed", RCPT_TODO},
    {OUTCOME_BOUNCED, "bounced", "failed", RCPT_TODO},
};

static const struct words *words_of(enum outcome outcome)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].outcome == outcome)
			return &words[i];
	}
	panic("no words for outcome %d", (int)outcome);
}

static void log_delivery(const struct agent_job *job, size_t i, const char *relay, const char *dsn,
    const char *status, const char *reason, int64_t conn_us, int64_t sent_us)
{
	const struct deliver_rcpt *rcpt = &job->rcpts[i];
	struct delay_times times = {
	    .arrival_us = (int64_t)job->request->arrival_us,
	    .active_us = (int64_t)job->request->active_us,
	    .handoff_us = job->start_us,
	    .conn_us = conn_us,
	    .sent_us = sent_us,
	    .done_us = clock_wall_us(),
	};
	struct str to = {0}, orig = {0};
	char delays[160];

	address_log(&to, rcpt->address);
	if (rcpt->orig && *rcpt->orig && !text_eq_nocase(rcpt->orig, rcpt->address)) {
		str_put_text(&orig, ", orig_to=<");
		address_log(&orig, rcpt->orig);
		str_put_char(&orig, '>');
	}
	delay_print(delays, sizeof(delays), &times);
	log_info("%s: to=<%s>%s, relay=%s, %s, dsn=%s, status=%s (%s)", job->request->id,
	    str_text(&to), str_text(&orig), relay, delays, dsn, status, reason);
	str_fini(&to);
	str_fini(&orig);
}

/* ---- what a report of the trace service will say ----------------------------------------------
 */

bool agent_only_verifies(const struct agent_job *job)
{
	return job->request->env_flags & ENV_VERIFY;
}

static bool wants_report(const struct agent_job *job, size_t i, enum outcome outcome, bool told)
{
	const struct deliver_request *request = job->request;

	if (request->env_flags & (ENV_TRACE | ENV_VERIFY))
		return true;
	if (outcome != OUTCOME_SENT && outcome != OUTCOME_EXPANDED)
		return false;
	return request->flags & DELIVER_WARNED || (!told && job->rcpts[i].notify & NOTIFY_SUCCESS);
}

/*
 * The log is the mail owner's, whoever delivers: a process of root makes files as the owner of the
 * folder. Durable before the recipient is marked, so that no crash loses the report.
 */
static void put_trace(
    const struct agent_job *job, size_t i, const char *relay, const struct rcpt_result *result)
{
	const struct deliver_rcpt *rcpt = &job->rcpts[i];
	const struct bounce_record record = {
	    .address = rcpt->address,
	    .orig = rcpt->orig,
	    .orcpt = rcpt->orcpt,
	    .index = rcpt->index,
	    .notify = rcpt->notify,
	    .dsn = result->dsn,
	    .action = result->action,
	    .reason = strcmp(relay, "none") == 0
	                  ? result->reason
	                  : arena_printf(job->arena, "delivery via %s: %s", relay, result->reason),
	    .diag = result->diag,
	    .mta = result->mta,
	};
	const char *id = job->request->id;
	const bool as_owner = geteuid() == 0;
	struct stat st;
	struct err err;

	if (as_owner && stat("trace", &st) == 0) {
		setfsgid(st.st_gid);
		setfsuid(st.st_uid);
	}
	/* the mail is delivered all the same: to do it again for the report's sake is worse */
	if (bounce_log_append(job->queue, "trace", id, &record, 1, &err) < 0)
		log_warn("%s: no record for the delivery report: %s", id, err.text);
	if (as_owner) {
		setfsuid(0);
		setfsgid(0);
	}
}

/* ---- one recipient's outcome --------------------------------------------------------------- */

static const char *keep(struct agent_job *job, const char *text)
{
	return arena_strdup(job->arena, text ? text : "");
}

/* What is to be made of recipient i, in words; NULL texts count as "". */
struct verdict {
	const struct words *words;
	const char *dsn, *action, *reason, *diag, *mta;
	bool told;
};

static void tell_verifier(const struct agent_job *job, size_t i, const struct verdict *v)
{
	const struct deliver_rcpt *rcpt = &job->rcpts[i];

	verify_tell(conf_get(service_conf(job->service), "address_verify_service_name"),
	    rcpt->address, rcpt->orig ? rcpt->orig : "", v->dsn, v->reason);
}

static void settle(struct agent_job *job, size_t i, const struct verdict *v, const char *relay,
    int64_t conn_us, int64_t sent_us)
{
	static const struct words verified[] = {
	    {OUTCOME_SENT, "deliverable", "deliverable", RCPT_DONE},
	    {OUTCOME_SENT, "undeliverable", "undeliverable", RCPT_DONE},
	};
	const struct words *w = v->words;
	const char *action = v->action;
	struct err err;

	if (agent_only_verifies(job)) {
		w = &verified[w->mark != RCPT_DONE];
		action = w->action;
	}
	job->results[i] = (struct rcpt_result){
	    .index = job->rcpts[i].index,
	    .outcome = w->outcome,
	    .dsn = keep(job, v->dsn),
	    .action = keep(job, action),
	    .reason = keep(job, v->reason),
	    .diag = keep(job, v->diag),
	    .mta = keep(job, v->mta),
	};
	if (job->request->env_flags & ENV_PROBE)
		tell_verifier(job, i, v);
	else if (wants_report(job, i, w->outcome, v->told))
		put_trace(job, i, relay, &job->results[i]);
	if (w->mark != RCPT_TODO && message_mark(job->m, job->rcpts[i].index, w->mark, &err) < 0)
		/* delivered all the same: the worst that can come of it is a second copy */
		log_warn("%s: %s", job->request->id, err.text);
	log_delivery(job, i, relay, v->dsn, w->status, v->reason, conn_us, sent_us);
}

void agent_sent_as(struct agent_job *job, size_t i, const char *relay,
    const struct agent_success *success, int64_t conn_us, int64_t sent_us)
{
	const bool expanded = strcmp(success->action, "expanded") == 0;
	struct verdict v = {
	    .words = words_of(expanded ? OUTCOME_EXPANDED : OUTCOME_SENT),
	    .dsn = success->dsn,
	    .action = success->action,
	    .reason = success->reason,
	    .diag = success->diag,
	    .mta = success->mta,
	    .told = success->next_tells,
	};

	status_filter(job->status_filter, job->request->id, job->arena, &v.dsn, &v.reason);
	settle(job, i, &v, relay, conn_us, sent_us);
}

void agent_sent(struct agent_job *job, size_t i, const char *relay, const char *dsn,
    const char *reason, int64_t conn_us, int64_t sent_us)
{
	const struct agent_success success = {.action = "delivered", .dsn = dsn, .reason = reason};

	agent_sent_as(job, i, relay, &success, conn_us, sent_us);
}

void agent_failed(struct agent_job *job, size_t i, enum outcome outcome, const char *relay,
    const char *dsn, const char *reason, const char *diag, const char *mta, int64_t conn_us,
    int64_t sent_us)
{
	static const struct words soft = {OUTCOME_DEFERRED, "SOFTBOUNCE", "delayed", RCPT_TODO};
	struct verdict v = {.dsn = dsn, .reason = reason, .diag = diag, .mta = mta};
	char softened[16];

	status_filter(job->status_filter, job->request->id, job->arena, &v.dsn, &v.reason);
	if (v.dsn != dsn)
		outcome = v.dsn[0] == '5' ? OUTCOME_BOUNCED : OUTCOME_DEFERRED;
	v.words = words_of(outcome);
	if (outcome == OUTCOME_BOUNCED && service_core(job->service)->soft_bounce &&
	    !agent_only_verifies(job)) {
		v.words = &soft;
		snprintf(softened, sizeof(softened), "4%s", *v.dsn ? v.dsn + 1 : ".0.0");
		v.dsn = softened;
	}
	v.action = v.words->action;
	settle(job, i, &v, relay, conn_us, sent_us);
}
