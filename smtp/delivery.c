/* SPDX-License-Identifier: ISC */
#include "smtp/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"
#include "lib/table/debug_peer.h"
#include "smtp/cache.h"
#include "smtp/destination.h"

/* ---- what becomes of recipients ------------------------------------------------------------ */

static const char *relay_of(const struct session *s)
{
	if (!s)
		return "none";
	return s->used ? s->used : s->relay;
}

static void leave(struct delivery *d, size_t i)
{
	d->left[i] = false;
	d->left_count--;
}

/* qmgr keeps rates by who runs the host. */
static void tell_relay(struct delivery *d, const char *host)
{
	struct deliver_result *result = d->job->result;

	if ((d->job->request->flags & DELIVER_TELL_RELAY) && !result->relay)
		result->relay = arena_strdup(d->job->arena, host);
}

void delivery_sent(struct delivery *d, const struct session *s, size_t i)
{
	const char *text = str_text(&s->reply.text);
	const struct agent_success success = {
	    .action = d->client->params->assume_final && !(s->ehlo.features & FEATURE_DSN)
	                  ? "delivered"
	                  : "relayed",
	    .dsn = s->reply.dsn,
	    .reason = text,
	    .diag = arena_printf(d->job->arena, "smtp; %.1500s", text),
	    .mta = s->host,
	    /* RFC 3461 5.2.2: who does not speak DSN will not tell the sender */
	    .next_tells = s->ehlo.features & FEATURE_DSN,
	};

	agent_sent_as(d->job, i, relay_of(s), &success, d->conn_us, d->sent_us);
	tell_relay(d, s->host);
	leave(d, i);
}

/* Another server may do better: only a word in the log for now. */
static bool put_off(struct delivery *d, const struct trouble *t)
{
	if (!t->soft || t->stop || d->final)
		return false;
	d->last = *t;
	return true;
}

static void fail(struct delivery *d, const struct session *s, size_t i, const struct trouble *t)
{
	agent_failed(d->job, i, t->soft ? OUTCOME_DEFERRED : OUTCOME_BOUNCED, relay_of(s), t->dsn,
	    t->reason, t->diag, t->mta, d->conn_us, d->sent_us);
	if (s)
		tell_relay(d, s->host);
	else if (t->mta && *t->mta)
		tell_relay(d, t->mta);
	leave(d, i);
	if (t->soft && t->site && !t->stop) {
		d->job->result->dead_dsn = arena_strdup(d->job->arena, t->dsn);
		d->job->result->dead_reason = t->reason;
	}
}

void delivery_trouble(
    struct delivery *d, const struct session *s, size_t i, const struct trouble *t)
{
	if (put_off(d, t))
		log_info("%s: %s", d->job->request->id, t->reason);
	else
		fail(d, s, i, t);
}

void delivery_trouble_all(struct delivery *d, const struct session *s, const struct trouble *t)
{
	if (put_off(d, t)) {
		log_info("%s: %s", d->job->request->id, t->reason);
		return;
	}
	for (size_t i = 0; i < d->job->rcpt_count; i++)
		if (d->left[i])
			fail(d, s, i, t);
}

/* ---- one session ---------------------------------------------------------------------------- */

static void count_use(struct session *s)
{
	if (++s->uses == 1)
		return;
	free(s->used);
	s->used = alloc_printf("%s, conn_use=%d", s->relay, s->uses);
}

/* One transaction. false: the session is lost, or of no use to those who are left. */
static bool transact(struct delivery *d, struct session *s, bool reused, bool last_use)
{
	struct trouble lost;

	count_use(s);
	s->transcript = d->client->transcript;
	d->more = false;
	if (transaction_run(d, s, last_use, &lost))
		return true;
	d->more = false;
	if (!reused || lost.stop)
		delivery_trouble_all(d, s, &lost);
	else /* the server had ended the kept session; a fresh one follows at once */
		d->last = lost;
	return false;
}

void delivery_use(struct delivery *d, struct session *s)
{
	bool reused = s->uses > 0, want;

	if (reused)
		session_debug(d->client, s->host, s->relay);
	s->give_up_ms = d->client->give_up_ms;
	do
		want = d->keep && cache_is_fit(d->client, s);
	while (transact(d, s, reused, !want) && d->more && d->left_count > 0 &&
	       cache_is_fit(d->client, s));
	s->give_up_ms = 0;
	if (want && cache_is_fit(d->client, s) && d->left_count == 0) {
		s->final = d->final;
		cache_keep(d->client, s);
	} else {
		session_quit(&s, d->client->params);
	}
}

/* What is open already, here or in scache(8). */
static void use_kept(struct delivery *d)
{
	const struct target to = {.request = d->job->request};
	struct session *s = cache_take_own(d->client, &to);

	if (!s && d->keep)
		s = cache_take_destination(d->client, &to, d->job->arena);
	if (!s)
		return;
	d->final = s->final;
	delivery_use(d, s);
}

static void idle_expired(void *arg)
{
	cache_end_own(arg);
}

/* Of mail that the system wrote itself nothing is told: that could go on for ever. */
static void tell_postmaster(const struct delivery *d)
{
	const struct core_params *core = d->client->core;
	const struct agent_job *job = d->job;
	const struct transcript_notice notice = {
	    .recipient = d->client->params->error_notice_recipient,
	    .subject = arena_printf(job->arena, "%s %s client: errors from %s", core->mail_name,
	        d->client->lmtp ? "LMTP" : "SMTP", job->request->nexthop),
	    .conf = job->service ? service_conf(job->service) : NULL};

	if (!(job->request->env_flags & ENV_INTERNAL))
		transcript_send(d->client->transcript, job->queue, core, &notice);
}

/* debug_peer_list by the next hop, before anything is looked up for it. */
static void begin_debug(const struct agent_job *job, struct smtp_client *c)
{
	struct destination dest;
	const char *cursor = job->request->nexthop, *word;

	c->debug_all = false;
	while (c->debug && !c->debug_all && (word = destination_next(&cursor, job->arena)))
		if (destination_parse(word, c->default_port, job->arena, &dest, NULL) == 0 &&
		    !dest.is_unix)
			c->debug_all = debug_peer_begin(c->debug, dest.host, NULL);
	if (c->debug_all)
		log_debug("%s: from <%s> to %s", job->request->id, job->request->sender,
		    job->request->nexthop);
}

void delivery_run(struct agent_job *job, void *arg)
{
	struct smtp_client *c = arg;
	struct delivery d = {.client = c, .job = job, .conn_us = clock_wall_us()};

	c->idle.expired = idle_expired;
	transcript_reset(c->transcript);
	begin_debug(job, c);
	d.keep = cache_wanted(c, job->request, job->arena);
	c->give_up_ms = clock_mono_ms() + c->attempt_ms;
	d.left = arena_zero(job->arena, job->rcpt_count + 1, sizeof(*d.left));
	d.accepted = arena_zero(job->arena, job->rcpt_count + 1, sizeof(*d.accepted));
	for (size_t i = 0; i < job->rcpt_count; i++) {
		d.left[i] = job->todo[i];
		d.left_count += job->todo[i];
	}
	if (d.left_count > 0)
		use_kept(&d);
	if (d.left_count > 0)
		servers_try_all(&d);
	if (c->transcript)
		tell_postmaster(&d);
	if (c->kept)
		job->result->reusable_ms = (uint32_t)MAX(c->idle.at_ms - clock_mono_ms(), 0);
	debug_peer_end(c->debug);
}
