/* SPDX-License-Identifier: ISC */
#include "smtp/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "smtp/cache.h"
#include "smtp/destination.h"

enum { STANDARD_PORT = 25, DESTINATIONS_MAX = 100 };

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

void delivery_sent(struct delivery *d, const struct session *s, size_t i)
{
	const char *text = str_text(&s->reply.text);
	const struct agent_success success = {
	    .action = d->client->lmtp ? "delivered" : "relayed",
	    .dsn = s->reply.dsn,
	    .reason = text,
	    .diag = arena_printf(d->job->arena, "smtp; %.1500s", text),
	    .mta = s->host,
	    /* RFC 3461 5.2.2: who does not speak DSN will not tell the sender */
	    .next_tells = s->ehlo.features & FEATURE_DSN,
	};

	agent_sent_as(d->job, i, relay_of(s), &success, d->conn_us, d->sent_us);
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

/* One transaction on an open session. Ends or keeps the session. */
static void use_session(struct delivery *d, struct session *s)
{
	bool reused, want;
	struct trouble lost;

	count_use(s);
	s->give_up_ms = d->client->give_up_ms;
	reused = s->uses > 1;
	want = d->keep && cache_is_fit(d->client, s);
	if (!transaction_run(d, s, !want, &lost) && (!reused || lost.stop))
		delivery_trouble_all(d, s, &lost);
	/* else: the server had ended the kept session; a fresh one follows at once */
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
	use_session(d, s);
}

/* ---- the way through destinations and servers ------------------------------------------------ */

static bool last_session(const struct delivery *d, int sessions)
{
	int limit = d->client->params->mx_session_limit;

	return limit > 0 && sessions + 1 >= limit;
}

/* false: the time for all servers together is over. */
static bool in_time(struct delivery *d)
{
	if (!d->client->give_up_ms || clock_mono_ms() < d->client->give_up_ms)
		return true;
	trouble_set(&d->last, d->job->arena, "4.4.2", "delivery to %s took too long",
	    d->job->request->nexthop);
	return false;
}

/* Opens a session to one address. NULL: none, d->last or the log says why. */
static struct session *open_session(struct delivery *d, struct target *to)
{
	struct smtp_client *c = d->client;
	struct trouble why;
	struct session *s;

	to->no_tls = false;
	while (session_open(c, to, d->job->arena, &s, &why) < 0) {
		if (why.again_plain && !to->no_tls) {
			log_info("%s: %s", d->job->request->id, why.reason);
			session_quit(&s, c->params);
			to->no_tls = true;
			continue;
		}
		if (s)
			delivery_trouble_all(d, s, &why);
		else
			d->last = why;
		session_quit(&s, c->params);
		return NULL;
	}
	if (d->keep)
		cache_set_keys(c, s, to);
	return s;
}

/* A session that somebody else has left, to one of the addresses. */
static void use_shared(struct delivery *d, const struct mx_list *list, const struct target *to)
{
	size_t which = 0;
	struct session *s =
	    d->keep ? cache_take_address(d->client, to, list, d->job->arena, &which) : NULL;

	if (!s)
		return;
	d->final = false; /* the others have not been tried */
	use_session(d, s);
}

static void try_servers(struct delivery *d, const struct mx_list *list,
    const struct destination *dest, bool more_destinations)
{
	struct target to = {.domain = dest->host,
	    .port = dest->port,
	    .direct = dest->direct,
	    .detect_loops = dest->port == STANDARD_PORT,
	    .request = d->job->request};
	int sessions = 0;

	use_shared(d, list, &to);
	for (size_t i = 0; i < list->count && d->left_count > 0 && in_time(d); i++) {
		bool last = i + 1 == list->count;
		struct session *s;

		d->final = last && !more_destinations;
		d->sent_us = 0;
		to.addr = &list->addrs[i];
		s = open_session(d, &to);
		if (!s)
			continue;
		last = last || last_session(d, sessions++);
		d->final = last && !more_destinations;
		use_session(d, s);
		if (last)
			return;
	}
}

/* Everything that the nexthop and smtp_fallback_relay name, in order. */
static size_t list_destinations(
    struct delivery *d, const char *words[DESTINATIONS_MAX], size_t *fallback_at)
{
	const char *cursor = d->job->request->nexthop, *word;
	size_t count = 0;

	while (count < DESTINATIONS_MAX && (word = destination_next(&cursor, d->job->arena)))
		words[count++] = word;
	*fallback_at = count;
	cursor = d->client->params->fallback_relay;
	while (count < DESTINATIONS_MAX && (word = destination_next(&cursor, d->job->arena)))
		words[count++] = word;
	return count;
}

/* false: we are an exchanger of it ourselves; no fallback relay may see the mail. */
static bool try_destination(struct delivery *d, const char *word, bool more)
{
	struct smtp_client *c = d->client;
	struct destination dest;
	struct mx_list list = {0};
	struct err err;

	if (destination_parse(word, c->default_port, d->job->arena, &dest, &err) < 0) {
		log_warn("%s", err.text);
		trouble_set(&d->last, d->job->arena, "4.3.5", "mail system configuration error: %s",
		    err.text);
		return true;
	}
	if (dest.is_unix || c->lmtp) {
		trouble_set(&d->last, d->job->arena, "4.3.5",
		    "mail system configuration error: no delivery by LMTP to %s", word);
		return true;
	}
	if (mx_find(c, &dest, dest.port == STANDARD_PORT, d->job->arena, &list, &d->last) < 0) {
		if (list.loops && *c->params->best_mx_transport)
			delivery_pass(d, c->params->best_mx_transport);
		return !list.we_are_mx;
	}
	try_servers(d, &list, &dest, more && !list.we_are_mx);
	return !list.we_are_mx;
}

static void try_all(struct delivery *d)
{
	const char *words[DESTINATIONS_MAX];
	size_t fallback_at, count = list_destinations(d, words, &fallback_at);

	trouble_set(&d->last, d->job->arena, "4.3.5",
	    "mail system configuration error: empty next-hop destination");
	for (size_t i = 0; i < count && d->left_count > 0 && in_time(d); i++)
		if (!try_destination(d, words[i], i + 1 < count))
			count = MIN(count, fallback_at);
	if (d->left_count == 0)
		return;
	d->final = true;
	d->sent_us = 0;
	delivery_trouble_all(d, NULL, &d->last);
}

static void idle_expired(void *arg)
{
	cache_end_own(arg);
}

void delivery_run(struct agent_job *job, void *arg)
{
	struct smtp_client *c = arg;
	struct delivery d = {.client = c, .job = job, .conn_us = clock_wall_us()};

	c->idle.expired = idle_expired;
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
		try_all(&d);
	if (c->kept)
		job->result->reusable_ms = (uint32_t)MAX(c->idle.at_ms - clock_mono_ms(), 0);
}
