/* SPDX-License-Identifier: ISC */
/*
 * Messages in memory. A struct mail is one piece of memory with its texts behind it, as is each of
 * its recipients that are loaded now: many messages wait here, so they are kept small.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/mail/verp.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"
#include "qmgr/qmgr.h"

bool qmgr_has_room(const struct qmgr *q)
{
	return map_count(q->mails) < (size_t)q->params->active_limit;
}

/* ---- making and freeing --------------------------------------------------------------------- */

static size_t text_size(const char *text)
{
	return (text ? strlen(text) : 0) + 1;
}

static const char *pack(char **next, const char *text)
{
	char *at = *next;
	size_t size = text_size(text);

	memcpy(at, text ? text : "", size);
	*next = at + size;
	return at;
}

/* The note has all that is needed; a mail from the disk is given as a note as well. */
static struct mail *mail_new(struct qmgr *q, const struct note *n)
{
	const char *const texts[] = {n->id, n->sender, n->envid, n->ret, n->message_id,
	    n->client_name, n->client_addr, n->client_port, n->helo, n->protocol, n->sasl_method,
	    n->sasl_username, n->verp};
	size_t size = 0;
	struct mail *mail;
	char *next;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		size += text_size(texts[i]);
	mail = alloc(sizeof(*mail) + size);
	memset(mail, 0, sizeof(*mail));
	next = mail->text;
	mail->qmgr = q;
	mail->id = pack(&next, n->id);
	mail->sender = pack(&next, n->sender);
	mail->envid = pack(&next, n->envid);
	mail->ret = pack(&next, n->ret);
	mail->message_id = pack(&next, n->message_id);
	mail->client_name = pack(&next, n->client_name);
	mail->client_addr = pack(&next, n->client_addr);
	mail->client_port = pack(&next, n->client_port);
	mail->helo = pack(&next, n->helo);
	mail->protocol = pack(&next, n->protocol);
	mail->sasl_method = pack(&next, n->sasl_method);
	mail->sasl_username = pack(&next, n->sasl_username);
	mail->verp = pack(&next, strlen(n->verp ? n->verp : "") == VERP_DELIMITERS ? n->verp : "");
	mail->loc =
	    (struct location){.lane = (int32_t)n->lane, .epoch = n->epoch, .offset = n->offset};
	snprintf(mail->loc.dir, sizeof(mail->loc.dir), "%s", n->dir);
	mail->arrival_us = n->arrival_us;
	mail->queued_us = n->queued_us;
	mail->content_len = n->content_len;
	mail->env_flags = n->env_flags;
	mail->generation = n->generation;
	mail->rcpt_count = n->rcpt_count;
	mail->active_us = (uint64_t)clock_wall_us();
	map_put(q->mails, mail->id, mail);
	return mail;
}

void mail_free(struct mail *mail)
{
	struct qmgr *q = mail->qmgr;

	timer_cancel(q->loop, &mail->timer);
	map_remove(q->mails, mail->id);
	tasks_free(mail);
	mail_forget_deferrals(mail);
	arena_fini(&mail->arena);
	free(mail);
	scan_room(q);
}

static void timer_fired(struct timer *timer)
{
	struct mail *mail = CONTAINER_OF(timer, struct mail, timer);

	mail->later(mail);
}

void mail_after(struct mail *mail, int64_t delay_ms, void (*fn)(struct mail *mail))
{
	mail->later = fn;
	mail->timer.expired = timer_fired;
	timer_start(mail->qmgr->loop, &mail->timer, delay_ms);
}

/* ---- recipients ----------------------------------------------------------------------------- */

/* double_bounce_sender, in any of our domains: who gets our own notices back. */
static bool is_double_bounce(struct mail *mail, const char *address, struct arena *arena)
{
	const struct qmgr *q = mail->qmgr;
	const char *name = q->core->double_bounce_sender;
	size_t len = strcspn(name, "@");
	struct route route;
	struct err err;

	if (strncasecmp(address, name, len) != 0 || address[len] != '@')
		return false;
	return text_eq_nocase(address, q->double_bounce) ||
	       (route_resolve(q->router, mail->sender, address, arena, &route, &err) == 0 &&
	           route.class_ == ROUTE_LOCAL);
}

/* A route of another configuration, or none: resolved here. */
static void resolve(struct mail *mail, const struct note_rcpt *r, struct arena *arena,
    const char **transport, const char **nexthop)
{
	struct route route;
	struct err err;

	if (mail->forced) {
		*transport = "retry";
		*nexthop = "4.7.0 message is administratively expired";
		return;
	}
	if (is_double_bounce(mail, r->address, arena)) {
		/* whoever returns our notice to the postmaster: it ends here */
		*transport = "discard";
		*nexthop = "2.0.0 undeliverable postmaster notification discarded";
		return;
	}
	*transport = r->transport;
	*nexthop = r->nexthop;
	if (*r->transport && (mail->generation == ENVELOPE_FIXED_ROUTES ||
	                         mail->generation == service_generation(mail->qmgr->service)))
		return;
	if (route_resolve(mail->qmgr->router, mail->sender, r->address, arena, &route, &err) < 0) {
		log_warn("%s: %s: %s", mail->id, r->address, err.text);
		*transport = "retry";
		*nexthop = "4.3.0 address resolver failure";
		return;
	}
	*transport = route.transport;
	*nexthop = route.nexthop;
}

/* Queues the recipients at their destinations. */
static void load(struct mail *mail, const struct note_rcpt *rcpts, size_t count)
{
	struct arena arena = {0};

	mail->qmgr->rcpts_loaded += count;
	mail->pending += count;
	for (size_t i = 0; i < count; i++) {
		const struct note_rcpt *r = &rcpts[i];
		const char *transport, *nexthop;

		resolve(mail, r, &arena, &transport, &nexthop);
		task_assign(mail, rcpt_new(r->index, r->notify, r->address, r->orig, r->orcpt),
		    transport, nexthop);
	}
	arena_fini(&arena);
	tasks_place(mail);
	if (mail->cursor.index >= mail->rcpt_count)
		tasks_read(mail);
	qmgr_kick(mail->qmgr);
}

/* The next recipients that are still to do, from the record. 0, or as message_open. */
static int read_rcpts(struct mail *mail, struct note_rcpt *rcpts, size_t max, size_t *count,
    struct arena *arena, struct err *err)
{
	/* of a message with a million recipients the envelope is checked once, not for each batch
	 */
	int what = mail->cursor.index > 0 ? MESSAGE_RCPTS : MESSAGE_ENVELOPE;
	struct recipient r;
	struct message m;
	int rc = message_open(mail->qmgr->queue, &mail->loc, mail->id, what, &m, err);

	if (rc != 0)
		return rc;
	*count = 0;
	while (*count < max && (rc = message_next_rcpt(&m, &mail->cursor, arena, &r, err)) == 1) {
		if (r.status == RCPT_BOUNCED)
			mail->bounced = true;
		/* done by an agent whose answer nobody got: its report is still to be made */
		if (r.status == RCPT_DONE &&
		    (r.notify & NOTIFY_SUCCESS || mail_request_flags(mail)))
			mail->traced = true;
		if (r.status != RCPT_TODO)
			continue;
		rcpts[(*count)++] = (struct note_rcpt){
		    .index = (uint32_t)mail->cursor.index - 1,
		    .address = r.address,
		    .orig = r.orig,
		    .orcpt = r.orcpt,
		    .transport = r.transport,
		    .nexthop = r.nexthop,
		    .notify = r.notify,
		};
	}
	message_close(&m);
	return rc < 0 ? -1 : 0;
}

/* 0; 1: the message is gone; -1 with err. */
static int read_on(struct mail *mail, size_t max, struct err *err)
{
	struct note_rcpt *rcpts;
	struct arena arena = {0};
	size_t count = 0;
	int rc;

	max = MIN(max, mail->rcpt_count);
	rcpts = alloc_array(NULL, max, sizeof(*rcpts));
	mail->read_ms = loop_now_ms(mail->qmgr->loop);
	rc = read_rcpts(mail, rcpts, max, &count, &arena, err);
	if (rc == 0)
		load(mail, rcpts, count);
	free(rcpts);
	arena_fini(&arena);
	return rc;
}

static void cannot_read(struct mail *mail, const struct err *err)
{
	log_warn("%s: %s", mail->id, err->text);
	if (message_is_damaged(err))
		mail->damaged = arena_strdup(&mail->arena, err->text);
	else
		mail->skipped = true;
}

void mail_read_more(struct mail *mail, size_t max)
{
	struct err err;
	int rc = read_on(mail, max, &err);

	if (rc == 0)
		return;
	if (rc < 0)
		cannot_read(mail, &err);
	mail->cursor.index = mail->rcpt_count; /* the end sees to it */
	tasks_read(mail);
}

void mail_load_more(struct mail *mail)
{
	struct err err;
	int rc;

	do {
		rc = read_on(mail, refill_room(mail, !mail->tasks), &err);
	} while (rc == 0 && mail->pending == 0 && mail->cursor.index < mail->rcpt_count);
	if (rc == 1) {
		mail_free(mail); /* an operator removed it */
		return;
	}
	if (rc < 0)
		cannot_read(mail, &err);
	if (mail->pending == 0)
		mail_complete(mail);
}

/* ---- into memory ---------------------------------------------------------------------------- */

static void log_active(const struct mail *mail)
{
	struct str from = {0};

	address_log(&from, mail->sender);
	log_info("%s: from=<%s>, size=%llu, nrcpt=%u (queue active)", mail->id, str_text(&from),
	    (unsigned long long)mail->content_len, mail->rcpt_count);
	str_fini(&from);
}

/* A file's directory is its state: what is being worked on is in active/. */
static bool enter_active(struct mail *mail)
{
	struct err err;
	int rc;

	if (mail->loc.lane >= 0 || strcmp(mail->loc.dir, "active") == 0)
		return true;
	mail->was_deferred = strcmp(mail->loc.dir, "deferred") == 0;
	rc = message_move(
	    mail->qmgr->queue, &mail->loc, mail->id, "active", clock_wall_us() / 1000000, &err);
	if (rc < 0)
		log_warn("%s: %s", mail->id, err.text);
	return rc == 0;
}

/* Notes are hints from other processes: what they name must be a place of new mail. */
static bool is_sane(const struct note *note)
{
	return queue_id_valid(note->id) &&
	       ((int32_t)note->lane >= 0 || strcmp(note->dir, "incoming") == 0);
}

/* Few recipients, or room for them: they are taken from the note. */
static bool takes_note_rcpts(const struct qmgr *q, const struct note *note)
{
	return note->rcpts.count == note->rcpt_count && note->rcpt_count > 0 &&
	       (note->rcpt_count <= (size_t)q->params->recipient_minimum ||
	           q->rcpts_loaded + note->rcpt_count <= (size_t)q->params->recipient_limit);
}

void mail_from_note(struct qmgr *q, const struct note *note)
{
	struct mail *mail;

	if (!is_sane(note) || map_get(q->mails, note->id))
		return;
	if (!qmgr_has_room(q)) {
		q->rescan_new = true; /* it is safe on disk; there is a scan when there is room */
		intake_tell(q, true);
		return;
	}
	mail = mail_new(q, note);
	if (!enter_active(mail)) {
		mail_free(mail);
		return;
	}
	log_active(mail);
	if (takes_note_rcpts(q, note)) {
		mail->cursor.index = note->rcpt_count;
		load(mail, note->rcpts.items, note->rcpts.count);
	} else {
		mail_load_more(mail);
	}
}

/* A damaged file is kept for the operator, out of the way. */
static void set_aside(struct qmgr *q, struct location *loc, const char *id, const char *why)
{
	struct err err;

	log_warn("%s/%s: %s: moved to the corrupt queue", loc->dir, id, why);
	if (message_move(q->queue, loc, id, "corrupt", clock_wall_us() / 1000000, &err) < 0)
		log_warn("%s: %s", id, err.text);
}

/*
 * Opens the message; 1: it is there. 0: it is gone, or damaged and cared for. -1: it cannot be read
 * now, which says nothing about it.
 */
static int open_message(struct qmgr *q, struct location *loc, const char *id, struct message *m)
{
	struct err err;
	int rc = message_open(q->queue, loc, id, MESSAGE_ENVELOPE | MESSAGE_CONTENT, m, &err);

	if (rc < 0 && !message_is_damaged(&err)) {
		log_warn("%s: %s", id, err.text);
		return -1;
	}
	if (rc < 0 && loc->lane < 0)
		set_aside(q, loc, id, err.text);
	else if (rc < 0)
		q->check_lanes = true; /* the next scan of the journal sets it aside */
	return rc == 0;
}

/* The note that would have come for it; it points into the message. */
static struct note note_of(
    const struct message *m, const struct location *loc, const char *id, const char *verp)
{
	return (struct note){
	    .id = id,
	    .lane = (uint32_t)loc->lane,
	    .epoch = loc->epoch,
	    .offset = loc->offset,
	    .dir = loc->dir,
	    .generation = m->env.generation,
	    .env_flags = m->env.flags,
	    .arrival_us = m->env.arrival_us,
	    .queued_us = m->env.queued_us,
	    .content_len = m->content_len,
	    .rcpt_count = m->env.rcpt_count,
	    .sender = m->env.sender,
	    .message_id = m->env.message_id,
	    .envid = m->env.envid,
	    .ret = m->env.ret,
	    .client_name = m->env.client_name,
	    .client_addr = m->env.client_addr,
	    .client_port = m->env.client_port,
	    .helo = m->env.helo,
	    .protocol = m->env.protocol,
	    .sasl_method = m->env.sasl_method,
	    .sasl_username = m->env.sasl_username,
	    .verp = verp,
	};
}

bool mail_activate(
    struct qmgr *q, const struct location *where, const char *id, enum urgency urgency)
{
	struct location loc = *where;
	struct message m;
	struct note note;
	struct mail *mail;
	struct slice delimiters;
	char verp[VERP_DELIMITERS + 1] = "";
	struct stat st;
	int rc;

	if (map_get(q->mails, id))
		return true;
	rc = open_message(q, &loc, id, &m);
	if (rc <= 0)
		return rc == 0;
	delimiters = envelope_attribute(&m.env, ENVELOPE_VERP);
	if (delimiters.len == VERP_DELIMITERS)
		memcpy(verp, delimiters.data, delimiters.len);
	note = note_of(&m, &loc, id, verp);
	mail = mail_new(q, &note);
	mail->warned = m.warned;
	if (m.reported)
		mail->env_flags &= ~(uint32_t)ENV_TRACE;
	mail->forced = loc.lane < 0 && fstat(m.fd, &st) == 0 && (st.st_mode & S_IXGRP);
	message_close(&m);
	mail->urgent = urgency == URGENT_MAIL;
	mail->flushing = urgency != URGENT_NOT;
	mail->was_deferred = true; /* or at least it may have a log from before a crash */
	if (!enter_active(mail)) {
		mail_free(mail);
		return false;
	}
	log_active(mail);
	mail_load_more(mail);
	return true;
}
