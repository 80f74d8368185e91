/* SPDX-License-Identifier: ISC */
/* One address at a time: canonical tables, masquerading, aliases. */
#include "lib/shape/map_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/mail/address.h"

enum { CANONICAL_STEPS_MAX = 1000 };

struct mapper *mapper_open(
    const struct core_params *core, const struct map_params *params, struct router *router)
{
	struct mapper *m = alloc_zero(1, sizeof(*m));

	m->core = core;
	m->params = params;
	m->router = router;
	m->canonical = table_chain_open(params->canonical_maps, TABLE_FOLD_KEY);
	m->sender_canonical = table_chain_open(params->sender_canonical_maps, TABLE_FOLD_KEY);
	m->recipient_canonical = table_chain_open(params->recipient_canonical_maps, TABLE_FOLD_KEY);
	m->aliases = table_chain_open(params->virtual_alias_maps, TABLE_FOLD_KEY);
	m->sender_bcc = table_chain_open(params->sender_bcc_maps, TABLE_FOLD_KEY);
	m->recipient_bcc = table_chain_open(params->recipient_bcc_maps, TABLE_FOLD_KEY);
	m->masquerade_exceptions =
	    match_list_open("masquerade_exceptions", params->masquerade_exceptions, 0);
	return m;
}

void mapper_close(struct mapper **mapper)
{
	struct mapper *m = *mapper;

	if (!m)
		return;
	*mapper = NULL;
	table_chain_close(&m->canonical);
	table_chain_close(&m->sender_canonical);
	table_chain_close(&m->recipient_canonical);
	table_chain_close(&m->aliases);
	table_chain_close(&m->sender_bcc);
	table_chain_close(&m->recipient_bcc);
	match_list_close(&m->masquerade_exceptions);
	str_fini(&m->value);
	arena_fini(&m->work);
	free(m);
}

enum table_age mapper_age(struct mapper *m)
{
	const struct mapper none = {.params = NULL}, *from = m ? m : &none;
	struct table_chain *chains[] = {from->canonical, from->sender_canonical,
	    from->recipient_canonical, from->aliases, from->sender_bcc, from->recipient_bcc};
	enum table_age worst = match_list_age(from->masquerade_exceptions);

	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		worst = MAX(worst, table_chain_age(chains[i]));
	return worst;
}

void texts_add(struct texts *list, const char *text)
{
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 4 : 4;
		const char **more = arena_zero(list->arena, cap, sizeof(*more));

		if (list->count > 0)
			memcpy(more, list->items, list->count * sizeof(*more));
		list->items = more;
		list->cap = cap;
	}
	list->items[list->count++] = arena_strdup(list->arena, text);
}

/* Are bare user names looked up for this address? */
static int bare_names(struct mapper *m, const char *address, bool *yes_out, struct err *err)
{
	const char *at = strrchr(address, '@');
	enum table_answer answer = TABLE_FOUND;

	if (at && !text_eq_nocase(at + 1, m->core->myorigin))
		answer = route_domain_is_local(m->router, at + 1, err);
	*yes_out = answer == TABLE_FOUND;
	return answer == TABLE_ERROR ? -1 : 0;
}

enum table_answer mapper_ask(struct mapper *m, struct table_chain *maps, const char *address,
    bool propagate, table_mapped_fn *fn, void *arg, struct err *err)
{
	bool bare;

	if (table_chain_empty(maps) || !*address)
		return TABLE_NOT_FOUND;
	if (bare_names(m, address, &bare, err) < 0)
		return TABLE_ERROR;
	return table_chain_map_addresses(
	    maps, address, m->core->recipient_delimiter, bare, propagate, fn, arg, err);
}

/* ---- canonical tables ----------------------------------------------------------------------- */

static bool take_one(void *arg, const char *address)
{
	str_clear(arg);
	str_put_text(arg, address);
	return false;
}

/* As often as something is found; an address that is mapped to itself is at its end. */
static int map_canonical(struct mapper *m, const char *parameter, struct table_chain *maps,
    struct arena *arena, const char **address, struct err *err)
{
	const char *from;

	for (int i = 0; i < CANONICAL_STEPS_MAX; i++) {
		from = *address;
		switch (mapper_ask(m, maps, from, m->params->propagate & PROPAGATE_CANONICAL,
		    take_one, &m->value, err)) {
		case TABLE_NOT_FOUND:
			return 0;
		case TABLE_ERROR:
			return err_prefix(err, "%s map lookup problem for %s: ", parameter, from);
		case TABLE_FOUND:
			break;
		}
		*address = route_rewrite(m->router, str_text(&m->value), arena);
		if (!**address)
			return err_set(
			    err, EINVAL, "%s entry for %s has no address", parameter, from);
		if (text_eq_nocase(*address, from))
			return 0;
	}
	return err_set(err, E2BIG, "unreasonable %s map nesting for %s", parameter, *address);
}

/* ---- masquerading --------------------------------------------------------------------------- */

/* The first of masquerade_domains that has something to say about the domain: what is left of it.
 */
static const char *masquerade_domain(const struct mapper *m, const char *domain)
{
	const struct conf_list *list = &m->params->masquerade_domains;
	size_t len = strlen(domain);

	for (size_t i = 0; i < list->count; i++) {
		const char *parent = list->items[i];
		size_t bangs = strspn(parent, "!"), parent_len = strlen(parent + bangs);

		parent += bangs;
		if (parent_len == 0 || len < parent_len ||
		    !text_eq_nocase(domain + len - parent_len, parent))
			continue;
		if (len == parent_len)
			return domain;
		if (domain[len - parent_len - 1] == '.')
			return bangs % 2 ? domain : parent;
	}
	return domain;
}

static int masquerade(struct mapper *m, struct arena *arena, const char **address, struct err *err)
{
	const char *domain, *to;
	struct slice local;

	address_split(*address, &local, &domain);
	if (!domain || (to = masquerade_domain(m, domain)) == domain)
		return 0;
	switch (match_list_text(
	    m->masquerade_exceptions, arena_strndup(arena, local.data, local.len), err)) {
	case TABLE_FOUND:
		return 0;
	case TABLE_ERROR:
		return err_prefix(err, "masquerade_exceptions: ");
	case TABLE_NOT_FOUND:
		break;
	}
	*address = arena_printf(arena, "%.*s@%s", SLICE_ARG(local), to);
	return 0;
}

int map_address(struct mapper *m, int what, const char *address, struct arena *arena,
    const char **out, struct err *err)
{
	const struct map_params *p = m->params;
	const struct {
		int classes;
		const char *parameter;
		struct table_chain *maps;
	} tables[] = {
	    {p->sender_canonical_classes, "sender_canonical_maps", m->sender_canonical},
	    {p->recipient_canonical_classes, "recipient_canonical_maps", m->recipient_canonical},
	    {p->canonical_classes, "canonical_maps", m->canonical},
	};

	*out = address;
	if (!*address)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (tables[i].classes & what && !table_chain_empty(tables[i].maps) &&
		    map_canonical(m, tables[i].parameter, tables[i].maps, arena, out, err) < 0)
			return -1;
	return p->masquerade_classes & what ? masquerade(m, arena, out, err) : 0;
}

enum table_answer map_knows(struct mapper *m, const char *address, struct err *err)
{
	struct table_chain *const chains[] = {m->recipient_canonical, m->canonical, m->aliases};
	enum table_answer answer = TABLE_NOT_FOUND;

	for (size_t i = 0; i < ARRAY_LEN(chains) && answer == TABLE_NOT_FOUND; i++)
		answer = mapper_ask(m, chains[i], address, false, take_one, &m->value, err);
	return answer;
}

/* ---- aliases -------------------------------------------------------------------------------- */

struct expansion {
	struct mapper *mapper;
	struct map *ends;   /* addresses that are aliases of themselves */
	struct texts found; /* grows while it is walked */
	size_t at;          /* the one that is looked up */
	const char *from;   /* its text */
	size_t results;
};

static bool take_alias(void *arg, const char *address)
{
	struct expansion *x = arg;
	const char *to = route_rewrite(x->mapper->router, address, &x->mapper->work);

	if (text_eq_nocase(x->from, to))
		map_put(x->ends, x->from, x);
	if (x->results++ == 0) {
		x->found.items[x->at] = to;
		return true;
	}
	if (x->found.count > (size_t)x->mapper->params->virtual_expansion_limit)
		return false; /* and the walk over the list says so */
	texts_add(&x->found, to);
	return true;
}

/* Looks up found[at] until nothing is found. */
static int expand_one(struct expansion *x, const char *whole, struct err *err)
{
	const struct map_params *p = x->mapper->params;

	for (int steps = 0;; steps++) {
		x->from = x->found.items[x->at];
		x->results = 0;
		if (map_get(x->ends, x->from))
			return 0;
		if (steps >= p->virtual_recursion_limit)
			return err_set(err, E2BIG,
			    "unreasonable virtual_alias_maps map nesting for %s", whole);
		if (strlen(x->from) > (size_t)p->virtual_length_limit)
			return err_set(err, E2BIG,
			    "unreasonable virtual_alias_maps map result %.100s... for %s", x->from,
			    whole);
		switch (mapper_ask(x->mapper, x->mapper->aliases, x->from,
		    p->propagate & PROPAGATE_VIRTUAL, take_alias, x, err)) {
		case TABLE_NOT_FOUND:
			return 0;
		case TABLE_ERROR:
			return err_prefix(
			    err, "virtual_alias_maps map lookup problem for %s: ", x->from);
		case TABLE_FOUND:
			break;
		}
	}
}

static int expand(struct expansion *x, const char *address, struct err *err)
{
	for (x->at = 0; x->at < x->found.count; x->at++) {
		if (x->at >= (size_t)x->mapper->params->virtual_expansion_limit)
			return err_set(err, E2BIG,
			    "unreasonable virtual_alias_maps map expansion size for %s", address);
		if (expand_one(x, address, err) < 0)
			return -1;
	}
	return 0;
}

int map_aliases(struct mapper *m, const char *address, map_found_fn *fn, void *arg, struct err *err)
{
	struct expansion x = {.mapper = m, .found = {.arena = &m->work}};
	int rc;

	if (table_chain_empty(m->aliases)) {
		fn(arg, address);
		return 0;
	}
	texts_add(&x.found, address);
	x.ends = map_new();
	rc = expand(&x, address, err);
	for (size_t i = 0; rc == 0 && i < x.found.count; i++)
		fn(arg, x.found.items[i]);
	map_free(&x.ends, NULL);
	arena_reset(&m->work);
	return rc;
}
