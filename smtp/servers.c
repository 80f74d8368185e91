/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "smtp/cache.h"
#include "smtp/delivery.h"
#include "smtp/destination.h"

/* The way of a request through destinations and their servers. */

enum { STANDARD_PORT = 25, DESTINATIONS_MAX = 100 };

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

	to->no_tls = to->no_proxy = false;
	while (session_open(c, to, d->job->arena, &s, &why) < 0) {
		if (why.again_plain && !to->no_tls) {
			log_info("%s: %s", d->job->request->id, why.reason);
			session_quit(&s, c->params);
			to->no_tls = true;
			continue;
		}
		if (why.again_direct && !to->no_proxy) {
			session_free(&s);
			to->no_proxy = true;
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
	delivery_use(d, s);
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
		bool last = i + 1 == list->count || last_session(d, sessions);
		size_t before = d->left_count;
		struct session *s;

		d->final = i + 1 == list->count && !more_destinations;
		d->sent_us = 0;
		to.addr = &list->addrs[i];
		s = open_session(d, &to);
		if (!s)
			continue;
		d->final = last && !more_destinations;
		delivery_use(d, s);
		if (d->more && d->left_count < before) {
			i--; /* the same server takes the others in another session */
			continue;
		}
		sessions++;
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

static const struct mx_list *local_socket(
    struct delivery *d, const struct destination *dest, struct mx_list *list)
{
	const char *name = d->client->core->myhostname;

	list->addrs = arena_zero(d->job->arena, 1, sizeof(*list->addrs));
	list->addrs[0] =
	    (struct mx_addr){.path = dest->host, .host = name, .asked = name, .canonical = name};
	list->count = 1;
	return list;
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
	if (dest.is_unix && !c->lmtp) {
		trouble_set(&d->last, d->job->arena, "4.3.5",
		    "mail system configuration error: \"%s\" is a destination for lmtp only", word);
		return true;
	}
	if (dest.is_unix) {
		try_servers(d, local_socket(d, &dest, &list), &dest, more);
		return true;
	}
	dest.direct = dest.direct || c->lmtp;
	if (mx_find(c, &dest, dest.port == STANDARD_PORT, d->job->arena, &list, &d->last) < 0) {
		if (list.loops && *c->params->best_mx_transport)
			delivery_pass(d, c->params->best_mx_transport);
		return !list.we_are_mx;
	}
	try_servers(d, &list, &dest, more && !list.we_are_mx);
	return !list.we_are_mx;
}

void servers_try_all(struct delivery *d)
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
