/* SPDX-License-Identifier: ISC */
#include "smtp/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/peer/scache.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/table/match.h"
#include "lib/tls/session.h"
#include "smtp/destination.h"

void cache_open(struct smtp_client *c)
{
	const struct smtp_params *p = c->params;
	char *path;

	if (!*p->cache_service_name)
		return;
	path = alloc_printf("private/%s", p->cache_service_name);
	c->shared = scache_client_new(path, clock_ms_of(p->cache_protocol_timeout));
	free(path);
}

void cache_fini(struct smtp_client *c)
{
	cache_end_own(c);
	scache_client_free(&c->shared);
}

bool cache_wanted(
    const struct smtp_client *c, const struct deliver_request *request, struct arena *arena)
{
	const char *cursor = c->params->cache_destinations, *word;

	if (c->params->cache_on_demand && (request->flags & DELIVER_KEEP))
		return true;
	if (!*cursor)
		return false;
	while ((word = destination_next(&cursor, arena)))
		if (word[0] == '[' && text_eq_nocase(word, request->nexthop))
			return true;
	return match_list_text(c->cache_always, request->nexthop, NULL) == TABLE_FOUND;
}

bool cache_is_fit(const struct smtp_client *c, const struct session *s)
{
	const struct smtp_params *p = c->params;

	if (s->dead || s->spent || s->quit_sent || stream_buffered(&s->stream).len > 0)
		return false;
	if (s->ehlo.mail_max && s->uses >= (int)s->ehlo.mail_max) /* RFC 9422 */
		return false;
	if (p->reuse_count_limit > 0 && s->uses >= p->reuse_count_limit)
		return false;
	return clock_mono_ms() < s->opened_ms + (int64_t)p->reuse_time_limit * 1000;
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* What beside the place makes a session fit or unfit: who we say we are, and how safely. */
static void put_terms(const struct smtp_client *c, const struct target *to, struct str *key)
{
	const struct smtp_params *p = c->params;

	str_printf(key, "|%s|%s|%s|%s|", c->lmtp ? "lmtp" : "smtp", p->helo_name, p->bind_address,
	    p->bind_address6);
	session_tls_key(c, to, key);
	str_put_char(key, '|');
	session_auth_key(c, to, key);
}

static void put_destination_key(
    const struct smtp_client *c, const struct target *to, struct str *key)
{
	str_put_text(key, to->request->nexthop);
	put_terms(c, to, key);
}

static void put_endpoint_key(const struct smtp_client *c, const struct target *to, struct str *key)
{
	char text[64];

	if (to->addr->path) {
		str_put_text(key, to->addr->path);
	} else {
		net_addr_text(&to->addr->addr, text, sizeof(text));
		str_printf(key, "[%s]:%u", text, net_addr_port(&to->addr->addr));
	}
	put_terms(c, to, key);
}

void cache_set_keys(const struct smtp_client *c, struct session *s, const struct target *to)
{
	struct str key = {0};

	if (!c->shared)
		return;
	free(s->endpoint_key);
	free(s->destination_key);
	put_endpoint_key(c, to, &key);
	s->endpoint_key = str_steal(&key);
	put_destination_key(c, to, &key);
	s->destination_key = str_steal(&key);
}

/* ---- to and from scache(8) ------------------------------------------------------------------ */

static struct scache_session describe(const struct session *s)
{
	return (struct scache_session){
	    .host = s->host,
	    .name = s->name,
	    .relay = s->relay,
	    .uses = (uint32_t)s->uses,
	    .opened_ms = (uint64_t)s->opened_ms,
	    .final = s->final,
	    .tls = s->tls_words,
	    .features = s->ehlo.features,
	    .size_limit = s->ehlo.size_limit,
	    .mail_max = s->ehlo.mail_max,
	    .rcpt_max = s->ehlo.rcpt_max,
	    .rcpt_domain_max = s->ehlo.rcpt_domain_max,
	    .xforward = s->ehlo.xforward,
	};
}

static struct session *revive(const struct smtp_client *c, int fd,
    const struct scache_answer *answer, const struct target *to)
{
	const struct scache_session *from = &answer->session;
	struct session *s = alloc_zero(1, sizeof(*s));

	s->client = c;
	stream_init(&s->stream, fd, -1);
	s->nexthop = alloc_strdup(to->request->nexthop);
	s->endpoint_key = alloc_strdup(answer->endpoint);
	s->host = alloc_strdup(from->host);
	s->name = alloc_strdup(from->name);
	s->relay = alloc_strdup(from->relay);
	s->uses = (int)MIN(from->uses, 1000000U);
	s->opened_ms = (int64_t)from->opened_ms;
	s->final = from->final;
	s->secured = *from->tls;
	s->tls_words = *from->tls ? alloc_strdup(from->tls) : NULL;
	s->ehlo = (struct ehlo){.features = from->features,
	    .size_limit = from->size_limit,
	    .mail_max = from->mail_max,
	    .rcpt_max = from->rcpt_max,
	    .rcpt_domain_max = from->rcpt_domain_max};
	snprintf(s->ehlo.xforward, sizeof(s->ehlo.xforward), "%s", from->xforward);
	return s;
}

/*
 * A connection whose TLS is in this process is of no use in another. Where the kernel does the
 * records, TLS goes along with the descriptor; what the server then sends that is no data (an
 * alert) is an error to whoever reads, and a fresh connection follows.
 */
static bool is_movable(const struct session *s)
{
	return !s->stream.ops || (s->tls && s->tls_words && tls_session_is_kernels(s->tls));
}

static bool share(struct smtp_client *c, struct session *s, int64_t left_ms)
{
	struct scache_store store;

	if (!c->shared || !is_movable(s) || s->delay_dot || !s->endpoint_key || left_ms <= 0 ||
	    !cache_is_fit(c, s))
		return false;
	store = (struct scache_store){.endpoint = s->endpoint_key,
	    .destination = s->destination_key,
	    .endpoint_ms = (uint32_t)left_ms,
	    .destination_ms = (uint32_t)left_ms,
	    .session = describe(s)};
	if (!scache_put(c->shared, &store, s->stream.fd))
		return false;
	s->dead = true; /* no close_notify: it goes on elsewhere */
	return true;
}

static struct session *ask(struct smtp_client *c, const struct scache_find *find,
    const struct target *to, struct arena *arena, size_t *which_out)
{
	struct scache_answer answer;
	struct session *s;
	int fd = scache_get(c->shared, find, arena, &answer);

	if (fd < 0)
		return NULL;
	s = revive(c, fd, &answer, to);
	session_tls_note(c, s, to);
	session_set_login(c, s, to);
	if (stream_readable(&s->stream) || !cache_is_fit(c, s)) {
		session_free(&s);
		return NULL;
	}
	session_tls_reused(c, s);
	*which_out = answer.which;
	return s;
}

struct session *cache_take_destination(
    struct smtp_client *c, const struct target *to, struct arena *arena)
{
	struct scache_find find = {0};
	struct str key = {0};
	struct session *s;
	size_t which;

	if (!c->shared)
		return NULL;
	put_destination_key(c, to, &key);
	find.destination = str_text(&key);
	s = ask(c, &find, to, arena, &which);
	if (s)
		s->destination_key = str_steal(&key);
	str_fini(&key);
	return s;
}

struct session *cache_take_address(struct smtp_client *c, const struct target *to,
    const struct mx_list *list, struct arena *arena, size_t *which_out)
{
	size_t count = MIN(list->count, (size_t)SCACHE_ENDPOINTS_MAX);
	struct scache_key *keys = arena_zero(arena, count + 1, sizeof(*keys));
	struct scache_find find = {.destination = "", .endpoints = {keys, count}};
	struct target each = *to;
	struct session *s;

	if (!c->shared || count == 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct str key = {0};

		each.addr = &list->addrs[i];
		put_endpoint_key(c, &each, &key);
		keys[i].key = arena_strdup(arena, str_text(&key));
		str_fini(&key);
	}
	s = ask(c, &find, to, arena, which_out);
	if (!s)
		return NULL;
	*which_out = MIN(*which_out, count - 1);
	each.addr = &list->addrs[*which_out];
	session_set_host(s, each.addr); /* the server may have been called by another name */
	cache_set_keys(c, s, &each);
	return s;
}

/* ---- this process's own --------------------------------------------------------------------- */

static struct session *take(struct smtp_client *c)
{
	struct session *s = c->kept;

	c->kept = NULL;
	c->idle.fd = -1;
	c->idle.at_ms = 0;
	return s;
}

/* 421, or the end of the connection: no word reaches it any more. */
static bool has_gone(const struct session *s)
{
	return stream_readable((struct stream *)(uintptr_t)&s->stream);
}

void cache_leave_own(struct smtp_client *c)
{
	int64_t left_ms = c->idle.at_ms - clock_mono_ms();
	struct session *s = take(c);

	if (s && (has_gone(s) || share(c, s, left_ms)))
		session_free(&s);
	session_quit(&s, c->params);
}

void cache_end_own(struct smtp_client *c)
{
	struct session *s = take(c);

	if (s && has_gone(s))
		session_free(&s);
	session_quit(&s, c->params);
}

struct session *cache_take_own(struct smtp_client *c, const struct target *to)
{
	struct session *s;

	if (!c->kept)
		return NULL;
	if (!session_fits(c, c->kept, to)) {
		cache_leave_own(c);
		return NULL;
	}
	s = take(c);
	if (has_gone(s)) {
		session_free(&s);
	} else if (!cache_is_fit(c, s)) {
		session_quit(&s, c->params);
	}
	return s;
}

void cache_keep(struct smtp_client *c, struct session *s)
{
	const struct smtp_params *p = c->params;

	cache_leave_own(c);
	c->kept = s;
	c->idle.fd = s->stream.fd;
	c->idle.at_ms = MIN(clock_mono_ms() + (int64_t)p->cache_time_limit * 1000,
	    s->opened_ms + (int64_t)p->reuse_time_limit * 1000);
}
