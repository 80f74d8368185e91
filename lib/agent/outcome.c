/* SPDX-License-Identifier: ISC */
/* What became of one recipient: the mark in the queue, the result for qmgr, the log line. */
#include <stdio.h>
#include <string.h>

#include "lib/agent/agent.h"
#include "lib/agent/delay.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
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

	address_quote(&to, rcpt->address);
	if (rcpt->orig && *rcpt->orig && !text_eq_nocase(rcpt->orig, rcpt->address)) {
		str_put_text(&orig, ", orig_to=<");
		address_quote(&orig, rcpt->orig);
		str_put_char(&orig, '>');
	}
	delay_print(delays, sizeof(delays), &times);
	log_info("%s: to=<%s>%s, relay=%s, %s, dsn=%s, status=%s (%s)", job->request->id,
	    str_text(&to), str_text(&orig), relay, delays, dsn, status, reason);
	str_fini(&to);
	str_fini(&orig);
}

static const char *keep(struct agent_job *job, const char *text)
{
	return arena_strdup(job->arena, text ? text : "");
}

static void settle(struct agent_job *job, size_t i, const struct words *w, const char *relay,
    const char *dsn, const char *reason, const char *diag, const char *mta, int64_t conn_us,
    int64_t sent_us)
{
	struct err err;

	if (w->mark != RCPT_TODO && message_mark(job->m, job->rcpts[i].index, w->mark, &err) < 0)
		/* delivered all the same: the worst that can come of it is a second copy */
		log_warn("%s: %s", job->request->id, err.text);
	job->results[i] = (struct rcpt_result){
	    .index = job->rcpts[i].index,
	    .outcome = w->outcome,
	    .dsn = keep(job, dsn),
	    .action = w->action,
	    .reason = keep(job, reason),
	    .diag = keep(job, diag),
	    .mta = keep(job, mta),
	};
	log_delivery(job, i, relay, dsn, w->status, reason, conn_us, sent_us);
}

void agent_sent(struct agent_job *job, size_t i, const char *relay, const char *dsn,
    const char *reason, int64_t conn_us, int64_t sent_us)
{
	settle(job, i, words_of(OUTCOME_SENT), relay, dsn, reason, "", "", conn_us, sent_us);
}

void agent_failed(struct agent_job *job, size_t i, enum outcome outcome, const char *relay,
    const char *dsn, const char *reason, const char *diag, const char *mta, int64_t conn_us,
    int64_t sent_us)
{
	static const struct words soft = {OUTCOME_DEFERRED, "SOFTBOUNCE", "delayed", RCPT_TODO};
	const struct words *w = words_of(outcome);
	char softened[16];

	if (outcome == OUTCOME_BOUNCED && service_core(job->service)->soft_bounce) {
		w = &soft;
		snprintf(softened, sizeof(softened), "4%s", *dsn ? dsn + 1 : ".0.0");
		dsn = softened;
	}
	settle(job, i, w, relay, dsn, reason, diag, mta, conn_us, sent_us);
}
