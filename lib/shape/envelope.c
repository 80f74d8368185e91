/* SPDX-License-Identifier: ISC */
/* The whole envelope: each address is mapped, copies are added, and nobody is there twice. */
#include "lib/shape/map_private.h"

#include <string.h>

#include "lib/base/log.h"

enum { RCPTS_FIRST = 8 };

struct mapping {
	struct mapper *m;
	struct envelope *env;
	struct arena *arena;
	int flags;
	bool new_sender; /* routes may depend on it */
	struct recipient *rcpts;
	size_t count, cap;
	struct map *seen;           /* NULL while there is one recipient */
	const struct recipient *of; /* the recipient that is mapped */
	struct texts copies;        /* who gets one */
};

/* ---- the new list --------------------------------------------------------------------------- */

/* As Postfix has it: with original recipients kept, who differs in them is not the same. */
static bool seen_before(struct mapping *x, const struct recipient *r)
{
	const struct map_params *p = x->m->params;
	struct str key = {0};
	bool seen;

	if (!x->seen)
		x->seen = map_new();
	if (p->enable_original_recipient)
		str_printf(&key, "%s\n%u\n%s\n", r->orcpt, (unsigned)r->notify,
		    *r->orig ? r->orig : r->address);
	str_put_text(&key, r->address);
	text_lower(key.data);
	if (p->duplicate_filter_limit && map_count(x->seen) >= (size_t)p->duplicate_filter_limit)
		seen = map_get(x->seen, key.data) != NULL;
	else
		seen = map_put(x->seen, key.data, x) != NULL;
	str_fini(&key);
	return seen;
}

static void add(struct mapping *x, const struct recipient *r)
{
	if (x->count == x->cap) {
		size_t cap = x->cap ? x->cap * 2 : MAX(RCPTS_FIRST, x->env->rcpt_count);
		struct recipient *more = arena_zero(x->arena, cap, sizeof(*more));

		if (x->count > 0)
			memcpy(more, x->rcpts, x->count * sizeof(*more));
		x->rcpts = more;
		x->cap = cap;
	}
	x->rcpts[x->count++] = *r;
}

static void find_route(struct mapping *x, struct recipient *r)
{
	struct route route;
	struct err err;

	r->transport = r->nexthop = "";
	if (route_resolve(x->m->router, x->env->sender, r->address, x->arena, &route, &err) < 0) {
		/* the queue manager asks again, until there is an answer */
		log_info_as("cleanup", "warning: %s: %s: %s", x->env->id, r->address, err.text);
		return;
	}
	r->address = route.recipient;
	r->transport = route.transport;
	r->nexthop = route.nexthop;
}

static void add_result(struct mapping *x, const char *address, uint32_t notify)
{
	struct recipient r = *x->of;
	bool same = strcmp(address, r.address) == 0;

	if (!same && !*r.orig)
		r.orig = r.address;
	r.address = same ? r.address : arena_strdup(x->arena, address);
	r.notify = notify;
	if (seen_before(x, &r))
		return;
	if (!same || x->new_sender || !*r.transport)
		find_route(x, &r);
	add(x, &r);
}

/* ---- one recipient -------------------------------------------------------------------------- */

static void take_result(void *arg, const char *address)
{
	texts_add(arg, address);
}

/* The report that it was expanded, made by error(8) as by any agent (RFC 3461 5.2.7.2). */
static void add_report(struct mapping *x)
{
	struct recipient r = *x->of;

	r.notify = NOTIFY_SUCCESS;
	r.transport = "error";
	r.nexthop = MAP_EXPANDED;
	if (!seen_before(x, &r))
		add(x, &r);
}

static int map_recipient(
    struct mapping *x, const struct recipient *of, const char *address, struct err *err)
{
	struct texts list = {.arena = x->arena};
	uint32_t notify = of->notify;

	x->of = of;
	if (map_aliases(x->m, address, take_result, &list, err) < 0)
		return -1;
	if (notify & NOTIFY_SUCCESS && (list.count > 1 || strcmp(list.items[0], address) != 0)) {
		add_report(x);
		notify =
		    notify == NOTIFY_SUCCESS ? NOTIFY_NEVER : notify & ~(uint32_t)NOTIFY_SUCCESS;
	}
	for (size_t i = 0; i < list.count; i++)
		add_result(x, list.items[i], notify);
	return 0;
}

/* ---- copies --------------------------------------------------------------------------------- */

static bool take_copy(void *arg, const char *address)
{
	texts_add(arg, address);
	return false;
}

static int find_copy(struct mapping *x, const char *parameter, struct table_chain *maps,
    const char *address, struct err *err)
{
	if (!(x->flags & MAP_BCC) ||
	    mapper_ask(x->m, maps, address, false, take_copy, &x->copies, err) != TABLE_ERROR)
		return 0;
	return err_prefix(err, "%s map lookup problem for %s: ", parameter, address);
}

static int add_copies(struct mapping *x, struct err *err)
{
	const char *address;

	if (x->flags & MAP_BCC && *x->m->params->always_bcc)
		texts_add(&x->copies, x->m->params->always_bcc);
	for (size_t i = 0; i < x->copies.count; i++) {
		struct recipient copy = {
		    .address = route_rewrite(x->m->router, x->copies.items[i], x->arena),
		    .orig = "",
		    .orcpt = "",
		    .transport = "",
		    .nexthop = "",
		    .notify = NOTIFY_NEVER,
		    .status = RCPT_TODO};

		if (map_address(
		        x->m, MAP_ENVELOPE_RECIPIENT, copy.address, x->arena, &address, err) < 0 ||
		    map_recipient(x, &copy, address, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- all ------------------------------------------------------------------------------------ */

static int map_sender(struct mapping *x, struct err *err)
{
	struct envelope *env = x->env;
	const char *given = env->sender;

	if (map_address(x->m, MAP_ENVELOPE_SENDER, given, x->arena, &env->sender, err) < 0)
		return -1;
	x->new_sender = strcmp(given, env->sender) != 0;
	if (x->new_sender && !*env->sender_orig)
		env->sender_orig = given;
	return find_copy(x, "sender_bcc_maps", x->m->sender_bcc, env->sender, err);
}

static int map_all(struct mapping *x, struct err *err)
{
	const char *address;

	if (map_sender(x, err) < 0)
		return -1;
	for (size_t i = 0; i < x->env->rcpt_count; i++) {
		const struct recipient *r = &x->env->rcpts[i];

		if (map_address(x->m, MAP_ENVELOPE_RECIPIENT, r->address, x->arena, &address, err) <
		        0 ||
		    find_copy(x, "recipient_bcc_maps", x->m->recipient_bcc, address, err) < 0 ||
		    map_recipient(x, r, address, err) < 0)
			return -1;
	}
	return add_copies(x, err);
}

static void drop_duplicates(struct mapping *x)
{
	for (size_t i = 0; i < x->env->rcpt_count; i++)
		if (!seen_before(x, &x->env->rcpts[i]))
			add(x, &x->env->rcpts[i]);
}

/* Nothing to do for most mail of most hosts: then it costs nothing. */
static bool is_idle(const struct mapper *m, const struct envelope *env, int flags)
{
	const struct map_params *p = m->params;
	bool maps = !(flags & MAP_NOTHING) &&
	            (!table_chain_empty(m->canonical) || !table_chain_empty(m->sender_canonical) ||
	                !table_chain_empty(m->recipient_canonical) ||
	                !table_chain_empty(m->aliases) || p->masquerade_domains.count > 0);
	bool copies = flags & MAP_BCC && (*p->always_bcc || !table_chain_empty(m->sender_bcc) ||
	                                     !table_chain_empty(m->recipient_bcc));

	return env->rcpt_count < 2 && !maps && !copies;
}

int map_envelope(
    struct mapper *m, struct envelope *env, int flags, struct arena *arena, struct err *err)
{
	struct mapping x = {
	    .m = m, .env = env, .arena = arena, .flags = flags, .copies = {.arena = arena}};
	int rc = 0;

	if (!m || is_idle(m, env, flags))
		return 0;
	if (flags & MAP_NOTHING)
		drop_duplicates(&x);
	else
		rc = map_all(&x, err);
	map_free(&x.seen, NULL);
	env->rcpts = x.rcpts;
	env->rcpt_count = (uint32_t)x.count;
	return rc;
}
