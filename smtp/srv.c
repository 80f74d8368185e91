/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/sys/clock.h"
#include "smtp/mx.h"

/* Servers of a service by SRV records (RFC 2782, RFC 6186, RFC 8314). */

bool srv_is_wanted(const struct smtp_client *c, const struct destination *dest)
{
	const struct conf_list *services = &c->params->use_srv_lookup;

	for (size_t i = 0; dest->service && i < services->count; i++)
		if (text_eq_nocase(services->items[i], dest->service))
			return true;
	return false;
}

static int by_priority(const void *a, const void *b)
{
	const struct dns_record *x = a, *y = b;

	if (x->preference != y->preference)
		return x->preference < y->preference ? -1 : 1;
	/* the algorithm of RFC 2782 wants those of weight 0 in front */
	return (x->weight > 0) - (y->weight > 0);
}

/* Draws one of records[from..to) by weight, to stand at `from`. */
static void draw(struct dns_record *records, size_t from, size_t to, unsigned (*next)(unsigned))
{
	unsigned sum = 0, running = 0, lot;
	struct dns_record drawn;

	for (size_t i = from; i < to; i++)
		sum += records[i].weight;
	lot = next(sum + 1);
	for (size_t i = from; i < to; i++) {
		running += records[i].weight;
		if (running < lot)
			continue;
		drawn = records[i];
		memmove(&records[from + 1], &records[from], (i - from) * sizeof(drawn));
		records[from] = drawn;
		return;
	}
}

void srv_order(struct dns_record *records, size_t count, unsigned (*next)(unsigned bound))
{
	qsort(records, count, sizeof(*records), by_priority);
	for (size_t from = 0; from < count; from++) {
		size_t to = from + 1;

		while (to < count && records[to].preference == records[from].preference)
			to++;
		draw(records, from, to, next);
	}
}

static unsigned dice(unsigned bound)
{
	unsigned value = 0;

	if (getrandom(&value, sizeof(value), 0) != sizeof(value))
		return 0;
	return value % bound;
}

static int add_targets(const struct smtp_client *c, const struct destination *dest,
    const struct dns_answer *srv, struct arena *arena, struct mx_list *out, struct trouble *why)
{
	struct dns_record *records = arena_alloc(arena, srv->count * sizeof(*records));
	int64_t stop = clock_mono_ms() + c->lookup_ms;
	struct dns_answer answer;
	bool soft = false;

	memcpy(records, srv->records, srv->count * sizeof(*records));
	srv_order(records, srv->count, dice);
	for (size_t i = 0; i < srv->count && (i == 0 || clock_mono_ms() < stop); i++) {
		enum dns_status status = mx_add_host(
		    c, records[i].target, records[i].port, (unsigned)i, arena, out, &answer);

		if (status == DNS_FOUND || soft)
			continue;
		soft = dns_status_is_soft(status);
		mx_lookup_trouble(&answer, arena, why);
	}
	if (out->count > 0)
		return 1;
	log_warn("no SRV host for %s has a valid address record", dest->host);
	return -1;
}

int srv_find(const struct smtp_client *c, const struct destination *dest, struct arena *arena,
    struct mx_list *out, struct trouble *why)
{
	const char *name = arena_printf(arena, "_%s._tcp.%s", dest->service, dest->host);
	struct dns_answer srv;
	bool go_on = false;

	switch (dns_lookup(c->resolver, name, DNS_TYPE_SRV, arena, &srv)) {
	case DNS_FOUND:
		out->secure = srv.secure;
		return add_targets(c, dest, &srv, arena, out, why);
	case DNS_NOT_FOUND:
	case DNS_NO_DATA:
		go_on = c->params->allow_srv_lookup_fallback;
		break;
	case DNS_RETRY:
	case DNS_FAILED:
	case DNS_INVALID:
		go_on = c->params->ignore_srv_lookup_error || c->params->allow_srv_lookup_fallback;
		break;
	default:
		break;
	}
	if (go_on)
		return 0;
	mx_lookup_trouble(&srv, arena, why);
	return -1;
}
