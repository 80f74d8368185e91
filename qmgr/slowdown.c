/* SPDX-License-Identifier: ISC */
#include "qmgr/slowdown.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/table/table.h"
#include "qmgr/qmgr.h"

enum { HOSTS_MAX = 20000, SWEEP_MAX = 256 };

/* A pause of all that a provider serves. */
struct provider {
	struct backoff backoff;
	int64_t until_ms;
	char *name, *dsn, *reason;
};

void slowdowns_init(struct slowdowns *s, const struct qmgr_params *params)
{
	*s = (struct slowdowns){.hosts = map_new(), .providers = map_new()};
	if (*params->destination_backoff_maps)
		s->chain = table_chain_open(params->destination_backoff_maps, 0);
}

bool slowdowns_need_hosts(const struct qmgr *q)
{
	return q->slowdowns.chain || rate_maps_has(&q->rates, RATE_MX);
}

/* ---- hosts ---------------------------------------------------------------------------------- */

const char *slowdowns_host(const struct slowdowns *s, const char *nexthop)
{
	return map_get(s->hosts, nexthop);
}

void slowdowns_learn(struct slowdowns *s, const char *nexthop, const char *host)
{
	const char *known = map_get(s->hosts, nexthop);

	if (known && strcmp(known, host) == 0)
		return;
	if (!known && map_count(s->hosts) >= HOSTS_MAX) {
		map_free(&s->hosts, free); /* it is learnt again soon enough */
		s->hosts = map_new();
	}
	free(map_put(s->hosts, nexthop, alloc_strdup(host)));
}

/* ---- pauses --------------------------------------------------------------------------------- */

static void pause_dest(struct dest *dest, const struct backoff *backoff, int64_t until_ms,
    const char *dsn, const char *reason)
{
	struct qmgr *q = dest->transport->qmgr;
	struct slowdown *s = &dest->gate.slowdown;
	int64_t ms = until_ms - loop_now_ms(q->loop);

	if (ms <= 0 || until_ms < s->until_ms)
		return;
	free(s->reason);
	*s = (struct slowdown){.until_ms = until_ms,
	    .reason = alloc_strdup(reason),
	    .concurrency = backoff->concurrency,
	    .rests = backoff->ms >= (int64_t)q->params->minimal_backoff * 1000};
	dest->feedback.window = MIN(dest->feedback.window, backoff->concurrency);
	if (s->rests)
		dest_rest(dest, dsn, reason, ms);
	else
		dest_look_again(dest);
}

static void provider_free(struct provider *p)
{
	free(p->name);
	free(p->dsn);
	free(p->reason);
	free(p);
}

static bool runs(const struct qmgr *q, const struct dest *dest, const char *provider)
{
	const char *host = slowdowns_host(&q->slowdowns, dest->nexthop);
	char name[PROVIDER_MAX];

	if (!host || !dest->gate.is_network)
		return false;
	backoff_provider(host, name);
	return strcmp(name, provider) == 0;
}

static void pause_provider(struct qmgr *q, const char *name, const struct backoff *backoff,
    int64_t until_ms, const char *dsn, const char *reason)
{
	struct provider *p = alloc_zero(1, sizeof(*p));
	const char *key;
	void *value;

	*p = (struct provider){.backoff = *backoff,
	    .until_ms = until_ms,
	    .name = alloc_strdup(name),
	    .dsn = alloc_strdup(dsn),
	    .reason = alloc_strdup(reason)};
	value = map_put(q->slowdowns.providers, name, p);
	if (value)
		provider_free(value);
	for (size_t at = 0; map_next(q->dests, &at, &key, &value);) {
		if (runs(q, value, name))
			pause_dest(value, backoff, until_ms, dsn, reason);
	}
}

static void log_pause(
    const char *what, const char *name, const struct backoff *backoff, const char *reason)
{
	log_warn("backing off from %s %s for %lld seconds, then %d at a time: %s", what, name,
	    (long long)(backoff->ms / 1000), backoff->concurrency, reason);
}

/* Deliveries that were under way may say the same; the log is told once. */
static void pause_for(
    struct dest *dest, const char *host, const struct backoff *backoff, const struct rcpt_result *r)
{
	struct qmgr *q = dest->transport->qmgr;
	int64_t now = loop_now_ms(q->loop), until = now + backoff->ms;
	const struct provider *p;
	char name[PROVIDER_MAX];

	if (backoff->scope == BACKOFF_MX && host && *host) {
		backoff_provider(host, name);
		p = map_get(q->slowdowns.providers, name);
		if (!p || p->until_ms <= now)
			log_pause("mail provider", name, backoff, r->reason);
		pause_provider(q, name, backoff, until, r->dsn, r->reason);
	} else if (dest->gate.slowdown.until_ms <= now) {
		log_pause("destination", dest->nexthop, backoff, r->reason);
	}
	pause_dest(dest, backoff, until, r->dsn, r->reason);
}

/* 1: out is filled. 0: no pause. */
static int ask(struct slowdowns *s, const char *answer, struct backoff *out)
{
	struct str value = {0};
	struct err err = {0};
	int found = 0;

	switch (table_chain_get(s->chain, answer, &value, &err)) {
	case TABLE_FOUND:
		found = backoff_parse(str_text(&value), out, &err) == 0;
		if (!found)
			log_warn("destination_backoff_maps: answer \"%.200s\": value \"%s\": %s; "
			         "nothing is done",
			    answer, str_text(&value), err.text);
		break;
	case TABLE_ERROR:
		log_warn("destination_backoff_maps: %s", err.text);
		break;
	case TABLE_NOT_FOUND:
		break;
	}
	str_fini(&value);
	return found;
}

void slowdown_look(struct dest *dest, const struct deliver_result *result)
{
	struct slowdowns *s = &dest->transport->qmgr->slowdowns;
	const struct rcpt_result *rcpts = result->rcpts.items;
	const char *last = NULL;

	if (!s->chain || !dest->gate.is_network)
		return;
	for (size_t i = 0; i < result->rcpts.count; i++) {
		const char *answer = backoff_answer(&rcpts[i]);
		const char *host = *result->relay ? result->relay : rcpts[i].mta;
		struct backoff backoff;

		/* often all recipients have the same */
		if (!answer || (last && strcmp(answer, last) == 0))
			continue;
		last = answer;
		if (ask(s, answer, &backoff)) {
			pause_for(dest, host, &backoff, &rcpts[i]);
			return;
		}
	}
}

void slowdown_inherit(struct dest *dest)
{
	struct slowdowns *s = &dest->transport->qmgr->slowdowns;
	const char *host = slowdowns_host(s, dest->nexthop);
	const struct provider *p;
	char name[PROVIDER_MAX];

	if (!host || !dest->gate.is_network || map_count(s->providers) == 0)
		return;
	backoff_provider(host, name);
	p = map_get(s->providers, name);
	if (p)
		pause_dest(dest, &p->backoff, p->until_ms, p->dsn, p->reason);
}

void slowdown_ended(struct dest *dest)
{
	struct slowdown *s = &dest->gate.slowdown;

	if (s->concurrency > 0)
		dest->feedback.window = MIN(dest->feedback.window, s->concurrency);
	free(s->reason);
	*s = (struct slowdown){0};
}

void slowdown_forget(struct dest *dest)
{
	struct slowdowns *s = &dest->transport->qmgr->slowdowns;

	slowdown_ended(dest);
	slowdowns_sweep(s, INT64_MAX);
}

void slowdowns_sweep(struct slowdowns *s, int64_t now_ms)
{
	struct provider *gone[SWEEP_MAX];
	const char *name;
	size_t count;
	void *value;

	do {
		count = 0;
		for (size_t at = 0;
		     count < SWEEP_MAX && map_next(s->providers, &at, &name, &value);) {
			if (((struct provider *)value)->until_ms <= now_ms)
				gone[count++] = value;
		}
		for (size_t i = 0; i < count; i++) {
			map_remove(s->providers, gone[i]->name);
			provider_free(gone[i]);
		}
	} while (count == SWEEP_MAX);
}
