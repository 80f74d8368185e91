/* SPDX-License-Identifier: ISC */
/* What becomes of the message as a whole: where it goes instead, who gets a copy. */
#include "lib/shape/internal.h"

#include <errno.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"

void shape_hold(struct shaper *s)
{
	s->hold = true;
}

void shape_filter(struct shaper *s, const char *filter)
{
	s->filter = filter;
}

void shape_redirect(struct shaper *s, const char *address)
{
	s->redirect = address;
}

void shape_bcc(struct shaper *s, const char *address)
{
	texts_add(&s->copies, address);
}

void shape_mapping_failed(struct shaper *s, const struct err *err)
{
	log_info_as("cleanup", "warning: %s: %s -- message not accepted, try again later", s->id,
	    err->text);
	shape_fail(s, err->code == E2BIG ? SHAPE_EXPANSION : SHAPE_TABLE_ERROR, err->text);
}

/* A recipient of ours, whom the sender never hears of. */
static struct recipient own_rcpt(struct shaper *s, const char *address, uint32_t notify)
{
	return (struct recipient){.address = route_rewrite(s->ctx.router, address, s->ctx.arena),
	    .orig = "",
	    .orcpt = "",
	    .transport = "",
	    .nexthop = "",
	    .notify = notify,
	    .status = RCPT_TODO};
}

static void find_route(struct shaper *s, const struct envelope *env, struct recipient *rcpt)
{
	struct route route;
	struct err err;

	if (*rcpt->transport || route_resolve(s->ctx.router, env->sender, rcpt->address,
	                            s->ctx.arena, &route, &err) < 0)
		return; /* the queue manager asks again */
	rcpt->address = route.recipient;
	rcpt->transport = route.transport;
	rcpt->nexthop = route.nexthop;
}

static void redirect(struct shaper *s, struct envelope *env)
{
	struct recipient *rcpt = arena_zero(s->ctx.arena, 1, sizeof(*rcpt));

	*rcpt = own_rcpt(s, s->redirect, 0);
	find_route(s, env, rcpt);
	env->rcpts = rcpt;
	env->rcpt_count = 1;
}

static struct recipient *copy_rcpts(struct shaper *s, struct envelope *env, size_t more)
{
	struct recipient *all = arena_zero(s->ctx.arena, env->rcpt_count + more, sizeof(*all));

	if (env->rcpt_count > 0)
		memcpy(all, env->rcpts, env->rcpt_count * sizeof(*all));
	env->rcpts = all;
	return all;
}

static void add_copies(struct shaper *s, struct envelope *env)
{
	struct recipient *all = copy_rcpts(s, env, s->copies.count);

	for (size_t i = 0; i < s->copies.count; i++) {
		struct recipient *rcpt = &all[env->rcpt_count++];

		*rcpt = own_rcpt(s, s->copies.items[i], NOTIFY_NEVER);
		find_route(s, env, rcpt);
	}
}

/* Without a destination each recipient's own domain is the next hop. */
static void filter(struct shaper *s, struct envelope *env)
{
	struct recipient *all = copy_rcpts(s, env, 0);
	const char *transport, *nexthop, *domain;
	struct slice local;

	route_split_nexthop(s->filter, s->ctx.arena, &transport, &nexthop);
	for (size_t i = 0; i < env->rcpt_count; i++) {
		address_split(all[i].address, &local, &domain);
		all[i].transport = transport;
		all[i].nexthop = *nexthop ? nexthop : domain ? domain : "";
	}
	env->filter = s->filter;
	env->generation = ENVELOPE_FIXED_ROUTES;
}

void shape_envelope(struct shaper *s, struct envelope *env)
{
	struct err err;

	if (*s->redirect) {
		redirect(s, env);
		return;
	}
	if (s->copies.count > 0)
		add_copies(s, env);
	if (map_envelope(s->ctx.mapper, env, s->ctx.mapping, s->ctx.arena, &err) < 0) {
		shape_mapping_failed(s, &err);
		return;
	}
	if (*s->filter)
		filter(s, env);
}
