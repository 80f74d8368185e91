/* SPDX-License-Identifier: ISC */
#include "qmgr/rate_maps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/table/table.h"
#include "qmgr/params.h"

enum { SWEEP_MAX = 256 };

static const struct {
	const char *word, *parameter;
} kinds[RATE_KINDS] = {
    [RATE_TRANSPORT] = {"transport", "transport_rate_maps"},
    [RATE_DESTINATION] = {"destination", "destination_rate_maps"},
    [RATE_MX] = {"mx", "mx_rate_maps"},
};

/* Each for itself: a table with a value for everything, behind others, is the default. */
static struct table_chain **open_each(const char *list)
{
	struct table_chain **tables = NULL;
	struct slice item;
	size_t n = 0;

	while (table_list_next(&list, &item)) {
		char *name = alloc_strndup(item.data, item.len);

		tables = alloc_array(tables, n + 2, sizeof(struct table_chain *));
		tables[n++] = table_chain_open(name, TABLE_FOLD_KEY);
		tables[n] = NULL;
		free(name);
	}
	return tables;
}

void rate_maps_init(struct rate_maps *maps, const struct qmgr_params *params)
{
	const char *const lists[RATE_KINDS] = {[RATE_TRANSPORT] = params->transport_rate_maps,
	    [RATE_DESTINATION] = params->destination_rate_maps,
	    [RATE_MX] = params->mx_rate_maps};

	*maps = (struct rate_maps){.limits = map_new()};
	for (int i = 0; i < RATE_KINDS; i++)
		maps->tables[i] = open_each(lists[i]);
}

bool rate_maps_has(const struct rate_maps *maps, enum rate_kind kind)
{
	return maps->tables[kind] != NULL;
}

/* ---- lookups -------------------------------------------------------------------------------- */

/* The host of "[host]:port", "host:port", "host". */
static struct slice host_of(const char *nexthop)
{
	const char *end;

	if (*nexthop == '[') {
		end = strchr(nexthop, ']');
		return slice_of(
		    nexthop + 1, end ? (size_t)(end - nexthop - 1) : strlen(nexthop + 1));
	}
	end = strchr(nexthop, ':');
	/* two colons: an address */
	return end && !strchr(end + 1, ':') ? slice_of(nexthop, (size_t)(end - nexthop))
	                                    : slice_text(nexthop);
}

static bool is_name(const char *host)
{
	return !strchr(host, ':') && host[strspn(host, "0123456789.")] != '\0';
}

/* As it is, then its host, then the domains above it that have a dot. The key found is in *key. */
static enum table_answer ask(struct table_chain *table, const char *what, struct str *key,
    struct str *value, struct err *err)
{
	struct slice host = host_of(what);
	enum table_answer answer;
	const char *dot;

	str_clear(key);
	str_put_text(key, what);
	answer = table_chain_get(table, what, value, err);
	if (answer == TABLE_NOT_FOUND && !slice_eq(host, what)) {
		str_clear(key);
		str_put(key, host.data, host.len);
		answer = table_chain_get(table, str_text(key), value, err);
	}
	while (answer == TABLE_NOT_FOUND && is_name(str_text(key)) &&
	       (dot = strchr(str_text(key), '.')) && strchr(dot + 1, '.')) {
		str_consume(key, (size_t)(dot + 1 - str_text(key)));
		answer = table_chain_get(table, str_text(key), value, err);
	}
	return answer;
}

static enum table_answer look_up(struct table_chain *const *tables, const char *what,
    struct str *key, struct str *value, struct err *err)
{
	enum table_answer answer = TABLE_NOT_FOUND;

	for (; tables && *tables && answer == TABLE_NOT_FOUND; tables++)
		answer = ask(*tables, what, key, value, err);
	return answer;
}

static struct rate_limit *get_limit(struct rate_maps *maps, enum rate_kind kind, const char *key,
    const struct rate *rate, int64_t now)
{
	char *name = *rate->share ? alloc_printf("share %s", rate->share)
	                          : alloc_printf("%s %s", kinds[kind].word, key);
	struct rate_limit *limit;

	text_lower(name);
	limit = map_get(maps->limits, name);
	if (limit) {
		free(name);
	} else {
		limit = alloc_zero(1, sizeof(*limit));
		limit->name = name;
		tokens_init(&limit->tokens, rate, now);
		map_put(maps->limits, name, limit);
	}
	limit->rate = *rate; /* the table may have changed */
	limit->refs++;
	return limit;
}

struct rate_limit *rate_maps_find(
    struct rate_maps *maps, enum rate_kind kind, const char *what, int64_t now_ms)
{
	struct str key = {0}, value = {0};
	struct rate_limit *limit = NULL;
	struct rate rate;
	struct err err = {0};

	switch (look_up(maps->tables[kind], what, &key, &value, &err)) {
	case TABLE_FOUND:
		if (rate_parse(str_text(&value), &rate, &err) < 0)
			log_warn("%s: key %s: value \"%s\": %s; there is no limit",
			    kinds[kind].parameter, str_text(&key), str_text(&value), err.text);
		else if (rate.count > 0)
			limit = get_limit(maps, kind, str_text(&key), &rate, now_ms);
		break;
	case TABLE_ERROR:
		log_warn("%s: lookup of %s: %s; there is no limit", kinds[kind].parameter, what,
		    err.text);
		break;
	case TABLE_NOT_FOUND:
		break;
	}
	str_fini(&key);
	str_fini(&value);
	return limit;
}

int64_t rate_limit_wakes(struct rate_limit *limit, int64_t planned, int64_t opens)
{
	double step = (double)limit->rate.period_ms / (double)MAX(limit->rate.count, 1);
	double last = (double)(opens + RATE_LINE_MS);

	if (limit->refs < 2)
		return opens;
	if (planned >= opens && planned <= opens + RATE_LINE_MS)
		return planned;
	if (planned < opens && (double)(opens - planned) <= step / 2)
		return opens; /* it is the next in line, and a little early */
	limit->line_ms = limit->line_ms < (double)opens ? (double)opens : limit->line_ms + step;
	limit->line_ms = MIN(limit->line_ms, last);
	return (int64_t)ceil(limit->line_ms);
}

/* ---- life ----------------------------------------------------------------------------------- */

static bool is_forgettable(const struct rate_limit *limit, int64_t now)
{
	return limit->refs == 0 &&
	       tokens_left(&limit->tokens, &limit->rate, now) >= (double)limit->rate.burst;
}

static void forget(struct rate_maps *maps, struct rate_limit *limit)
{
	map_remove(maps->limits, limit->name);
	free(limit->name);
	free(limit);
}

void rate_maps_release(struct rate_maps *maps, struct rate_limit **limit, int64_t now_ms)
{
	struct rate_limit *l = *limit;

	*limit = NULL;
	if (!l)
		return;
	must(l->refs > 0);
	l->refs--;
	if (is_forgettable(l, now_ms))
		forget(maps, l);
}

void rate_maps_sweep(struct rate_maps *maps, int64_t now_ms)
{
	struct rate_limit *gone[SWEEP_MAX];
	const char *name;
	size_t count = 0;
	void *value;

	for (size_t at = 0; count < SWEEP_MAX && map_next(maps->limits, &at, &name, &value);) {
		if (is_forgettable(value, now_ms))
			gone[count++] = value;
	}
	while (count > 0)
		forget(maps, gone[--count]);
}
