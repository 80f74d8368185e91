/* SPDX-License-Identifier: ISC */
#include "error/error.h"

#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/str.h"
#include "lib/shape/map.h"
#include "lib/smtp/reply.h"

/*
 * Nothing here reads the message: a request costs its two frames, a mark and a log line. `discard`
 * is what inbound benchmarks deliver to.
 */
static const struct {
	enum outcome outcome;
	char class_;
	const char *dsn, *text;
} modes[] = {
    [ERROR_BOUNCE] = {OUTCOME_BOUNCED, '5', "5.0.0", "undeliverable address"},
    [ERROR_RETRY] = {OUTCOME_DEFERRED, '4', "4.0.0", "delivery temporarily suspended"},
    [ERROR_DISCARD] = {OUTCOME_SENT, '2', "2.0.0", "discarded"},
};

enum error_mode error_mode_of(const char *program, const char *service)
{
	const char *base = strrchr(program, '/');

	base = base ? base + 1 : program;
	if (!strcmp(base, "discard"))
		return ERROR_DISCARD;
	if (!strcmp(base, "retry") || !strcmp(service, "retry"))
		return ERROR_RETRY;
	return ERROR_BOUNCE;
}

const char *error_text(enum error_mode mode, const char *nexthop, char dsn_out[12])
{
	const char *text = smtp_dsn_split(nexthop, dsn_out);

	/* "4.2.1 x" given to the bouncing service keeps its words; the class is the service's. */
	if (!dsn_out[0])
		memcpy(dsn_out, modes[mode].dsn, 6);
	else
		dsn_out[0] = modes[mode].class_;
	while (*text == ' ' || *text == '\t')
		text++;
	return *text ? text : modes[mode].text;
}

/* Not an error: the recipient stands for those that its aliases have put in its place. */
static void report_expansion(struct agent_job *job)
{
	const struct agent_success expanded = {.action = "expanded",
	    .dsn = "2.0.0",
	    .reason = "alias expanded",
	    .diag = "",
	    .mta = ""};

	for (size_t i = 0; i < job->rcpt_count; i++)
		if (job->todo[i])
			agent_sent_as(job, i, "none", &expanded, 0, 0);
}

void error_deliver(struct agent_job *job, void *arg)
{
	const enum error_mode mode = *(const enum error_mode *)arg;
	const enum outcome outcome = modes[mode].outcome;
	char dsn[12];
	const char *text = error_text(mode, job->request->nexthop, dsn);

	if (strcmp(job->request->nexthop, MAP_EXPANDED) == 0) {
		report_expansion(job);
		return;
	}
	for (size_t i = 0; i < job->rcpt_count; i++) {
		if (!job->todo[i])
			continue;
		if (outcome == OUTCOME_SENT)
			agent_sent(job, i, "none", dsn, text, 0, 0);
		else
			agent_failed(job, i, outcome, "none", dsn, text, "", "", 0, 0);
	}
}
