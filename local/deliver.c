/* SPDX-License-Identifier: ISC */
#include "local/expand.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/mail/address.h"
#include "lib/service/service.h"
#include "lib/table/table.h"

/*
 * One recipient: expanded first, then its targets are served: what is stored here before what is
 * sent on, and nothing after the first that has to wait. The recipient is marked as done when all
 * is durable; until then a repeated delivery may repeat a target, never lose one.
 */

/* ---- one target --------------------------------------------------------------------------------
 */

static void deliver_mailbox_file(
    const struct target *t, const char *path, bool in_spool, struct verdict *v)
{
	if (path[strlen(path) - 1] == '/')
		maildir_deliver(&t->d, path, &t->user, in_spool, v);
	else
		mbox_deliver(&t->d, path, &t->user, in_spool, v);
}

/* 1: there is one, 0: none, -1: the tables failed. */
static int find_mailbox_command(const struct target *t, const char **command_out)
{
	struct local *local = t->d.local;
	struct str value = {0};
	enum table_answer got = TABLE_NOT_FOUND;
	struct err err = {0};

	*command_out = local->params.mailbox_command;
	if (!table_chain_empty(local->mailbox_commands))
		got = table_chain_get(local->mailbox_commands, t->d.user, &value, &err);
	if (got == TABLE_FOUND)
		*command_out = arena_strdup(t->d.arena, str_text(&value));
	else if (got == TABLE_ERROR)
		log_warn("mailbox_command_maps: %s", err.text);
	str_fini(&value);
	return got == TABLE_ERROR ? -1 : **command_out != '\0';
}

static bool home_is_missing(const struct target *t)
{
	struct stat st;
	struct err err;
	bool missing;

	if (!t->d.local->params.require_home_directory)
		return false;
	if (identity_enter(&t->user, &err) < 0)
		return true;
	missing = stat(t->user.home, &st) < 0 || !S_ISDIR(st.st_mode);
	identity_leave();
	return missing;
}

static void deliver_mailbox(const struct target *t, struct verdict *v)
{
	const struct local *local = t->d.local;
	const char *spool = local->params.mail_spool_directory, *command, *path;
	size_t len = strlen(spool);
	int has_command = find_mailbox_command(t, &command);

	if (home_is_missing(t)) {
		verdict_set(
		    v, OUTCOME_DEFERRED, "4.3.0", "cannot access home directory %s", t->user.home);
	} else if (has_command < 0) {
		verdict_set(v, OUTCOME_DEFERRED, "4.3.0", "mailbox command table unavailable");
	} else if (has_command) {
		bool root = t->user.uid == 0 && identity_is_root();

		if (root && !local->has_default_user)
			verdict_set(v, OUTCOME_DEFERRED, "4.3.5", "default_privs: no such user");
		else
			command_deliver(
			    &t->d, command, &t->user, root ? &local->default_user : &t->user, v);
	} else if (*local->params.home_mailbox) {
		path = arena_printf(t->d.arena, "%s/%s", t->user.home, local->params.home_mailbox);
		deliver_mailbox_file(t, path, false, v);
	} else if (len == 0) {
		verdict_set(v, OUTCOME_DEFERRED, "4.3.5", "mail_spool_directory is empty");
	} else {
		path = spool[len - 1] == '/'
		           ? arena_printf(t->d.arena, "%s%s/", spool, t->user.name)
		           : arena_printf(t->d.arena, "%s/%s", spool, t->user.name);
		deliver_mailbox_file(t, path, true, v);
	}
}

static void deliver_file(const struct target *t, struct verdict *v)
{
	if (agent_only_verifies(t->d.job)) {
		verdict_set(v, OUTCOME_SENT, "2.0.0", "delivers to file: %.500s", t->text);
		return;
	}
	/* The black hole that everyone uses costs nothing. */
	if (!strcmp(t->text, "/dev/null"))
		v->outcome = OUTCOME_SENT;
	else
		deliver_mailbox_file(t, t->text, false, v);
	if (v->outcome == OUTCOME_SENT)
		verdict_set(v, OUTCOME_SENT, "2.0.0", "delivered to file: %.500s", t->text);
}

static void deliver_target(const struct target *t, struct verdict *v)
{
	switch (t->kind) {
	case TARGET_MAILBOX:
		deliver_mailbox(t, v);
		break;
	case TARGET_FILE:
		deliver_file(t, v);
		break;
	case TARGET_COMMAND:
		command_deliver(&t->d, t->text, &t->user, &t->user, v);
		break;
	case TARGET_FORWARD:
		panic("a forward is delivered alone");
	}
}

/* ---- all targets of one recipient ---------------------------------------------------------------
 */

/* What became of one target of a recipient. */
struct told {
	const char *address; /* at which the way ended */
	bool expanded;       /* it goes on to others */
	struct verdict verdict;
};

static void tell(const struct delivery *d, size_t i, const struct told *told)
{
	const struct verdict *v = &told->verdict;
	const char *address = told->address;
	const struct agent_success success = {
	    .action = told->expanded ? "expanded" : "delivered", .dsn = v->dsn, .reason = v->text};
	struct agent_job job = *d->job;
	struct deliver_rcpt rcpt = job.rcpts[i];

	if (strcmp(address, rcpt.address) != 0) {
		if (!rcpt.orig || !*rcpt.orig)
			rcpt.orig = rcpt.address;
		rcpt.address = address;
	}
	job.rcpts = &rcpt;
	job.rcpt_count = 1;
	job.results = &d->job->results[i];
	if (v->outcome == OUTCOME_SENT)
		agent_sent_as(&job, 0, "local", &success, 0, 0);
	else
		agent_failed(&job, 0, v->outcome, "local", v->dsn, v->text, v->diag, "", 0, 0);
}

static void tell_one(
    const struct delivery *d, size_t i, const char *address, const struct verdict *v)
{
	const struct told told = {.address = address, .verdict = *v};

	tell(d, i, &told);
}

static void send_on(struct expansion *x, struct verdict *v)
{
	const struct delivery *d = x->d;
	struct recipient *rcpts = arena_zero(d->arena, x->count, sizeof(*rcpts));
	size_t count = 0;
	const char *id;

	for (size_t i = 0; i < x->count; i++)
		if (x->targets[i].kind == TARGET_FORWARD)
			rcpts[count++] = x->targets[i].forward;
	if (d->trace->hops >= d->local->params.hopcount_limit) {
		verdict_set(v, OUTCOME_BOUNCED, "5.4.0", "too many hops");
		return;
	}
	id = resend_message(d, rcpts, count, v);
	if (id)
		verdict_set(v, OUTCOME_SENT, "2.0.0", "forwarded as %s", id);
}

static bool has_forward(const struct expansion *x)
{
	for (size_t i = 0; i < x->count; i++)
		if (x->targets[i].kind == TARGET_FORWARD)
			return true;
	return false;
}

/*
 * The results of several targets, told at the end: a failure is the last word, since what it says
 * is what qmgr gets to know. A verification tells them all.
 */
static void tell_all(const struct delivery *d, size_t i, const struct told *told, size_t count)
{
	bool verify = agent_only_verifies(d->job);
	bool any_failed = false;

	for (size_t k = 0; k < count; k++)
		any_failed |= told[k].verdict.outcome != OUTCOME_SENT;
	for (size_t k = 0; k < count; k++)
		if (!any_failed || verify || told[k].verdict.outcome != OUTCOME_SENT)
			tell(d, i, &told[k]);
}

/* Of a verification: where each address would go on to. */
static size_t tell_forwards(const struct expansion *x, struct told *told)
{
	size_t count = 0;

	for (size_t k = 0; k < x->count; k++) {
		if (x->targets[k].kind != TARGET_FORWARD)
			continue;
		told[count].address = x->targets[k].forward.address;
		verdict_set(&told[count].verdict, OUTCOME_SENT, "2.0.0", "forwards to %.500s",
		    told[count].address);
		count++;
	}
	return count;
}

static void deliver_targets(struct expansion *x, size_t i)
{
	const struct delivery *d = x->d;
	struct told *told = arena_zero(d->arena, x->count + 2, sizeof(*told));
	bool forward = has_forward(x), wait = false;
	size_t count = 0;

	for (size_t k = 0; k < x->count && !wait; k++) {
		const struct target *t = &x->targets[k];

		if (t->kind == TARGET_FORWARD)
			continue;
		/* each may take its time limit: the watchdog means the process, not the list */
		if (d->job->service)
			service_alive(d->job->service);
		told[count].address = t->d.address;
		deliver_target(t, &told[count].verdict);
		wait = told[count++].verdict.outcome == OUTCOME_DEFERRED;
	}
	if (forward && !wait && agent_only_verifies(d->job)) {
		count += tell_forwards(x, told + count);
	} else if (forward && !wait) {
		told[count].address = d->rcpt->address;
		told[count].expanded = !x->has_owner; /* RFC 3461 5.2.7.1: a list is an end */
		send_on(x, &told[count].verdict);
		wait = told[count++].verdict.outcome == OUTCOME_DEFERRED;
	}
	if (wait) {
		tell(d, i, &told[count - 1]);
		return;
	}
	if (x->failed) {
		told[count].address = d->rcpt->address;
		told[count++].verdict = x->failure;
	}
	if (count == 0) {
		told[0].address = d->rcpt->address;
		verdict_set(&told[count++].verdict, OUTCOME_SENT, "2.0.0", "list without members");
	}
	tell_all(d, i, told, count);
}

/* ---- the recipient
 * -------------------------------------------------------------------------------- */

void local_look_at(struct delivery *d, const char *address)
{
	struct slice local, user, ext;
	const char *delimiters = d->local->core->recipient_delimiter;
	char *folded;

	d->address = address;
	address_split(address, &local, &d->domain);
	if (!d->domain)
		d->domain = "";
	d->local_part = arena_strndup(d->arena, local.data, local.len);
	folded = arena_strdup(d->arena, d->local_part);
	text_lower(folded);
	d->user = folded;
	d->extension = d->delimiter = "";
	if (!*delimiters)
		return;
	if (d->local->params.owner_request_special && !strcmp(delimiters, "-") &&
	    (text_starts_nocase(folded, "owner-") || text_ends_nocase(folded, "-request")))
		return;
	address_split_extension(slice_text(folded), delimiters, &user, &ext);
	if (user.len == strlen(folded))
		return;
	d->delimiter = arena_strndup(d->arena, folded + user.len, 1);
	d->extension = arena_strndup(d->arena, ext.data, ext.len);
	d->user = arena_strndup(d->arena, user.data, user.len);
}

static void deliver_one(
    struct local *local, struct agent_job *job, size_t i, const struct content_trace *trace)
{
	const struct deliver_rcpt *rcpt = &job->rcpts[i];
	struct delivery d = {
	    .local = local,
	    .job = job,
	    .rcpt = rcpt,
	    .trace = trace,
	    .arena = job->arena,
	    .sender = job->request->sender,
	    .original = rcpt->orig && *rcpt->orig ? rcpt->orig : rcpt->address,
	};
	struct expansion x;
	struct verdict v;

	if (content_was_delivered_to(trace, rcpt->address)) {
		verdict_set(
		    &v, OUTCOME_BOUNCED, "5.4.6", "mail forwarding loop for %s", rcpt->address);
		tell_one(&d, i, rcpt->address, &v);
		return;
	}
	local_look_at(&d, rcpt->address);
	expansion_init(&x, &d);
	expansion_run(&x);
	if (x.failed && (x.failure.outcome == OUTCOME_DEFERRED || x.count == 0))
		tell_one(&d, i, rcpt->address, &x.failure);
	else
		deliver_targets(&x, i);
	expansion_fini(&x);
}

void local_deliver(struct agent_job *job, void *arg)
{
	struct local *local = arg;
	struct content_trace trace;

	if (content_trace(job->m, job->arena, &trace) < 0) {
		for (size_t i = 0; i < job->rcpt_count; i++)
			if (job->todo[i])
				agent_failed(job, i, OUTCOME_DEFERRED, "local", "4.3.0",
				    "cannot read the message", "", "", 0, 0);
		return;
	}
	for (size_t i = 0; i < job->rcpt_count; i++)
		if (job->todo[i])
			deliver_one(local, job, i, &trace);
}
