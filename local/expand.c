/* SPDX-License-Identifier: ISC */
#include "local/expand.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/conf/core.h"
#include "lib/mail/address.h"

/* A user may write what he likes into his files: neither stack nor memory is his to fill. */
enum {
	DEPTH_MAX = 100,
	TARGETS_MAX = 200000,
	BYTES_MAX = 1 << 24,
	LISTS_MAX = 1000,
	KEY_MAX = 2048
};

/* Where the list that is being read comes from. */
struct context {
	const char *source;              /* "alias", "forward", "include" */
	const struct local_user *rights; /* of its commands and files; NULL: default_privs */
	size_t size;                     /* targets in it */
};

void expansion_init(struct expansion *x, struct delivery *d)
{
	memset(x, 0, sizeof(*x));
	x->d = d;
	x->seen = map_new();
}

void expansion_fini(struct expansion *x)
{
	map_free(&x->seen, NULL);
}

static void fail(struct expansion *x, const struct verdict *v)
{
	/* What may pass by itself comes first: nothing is lost by waiting. */
	if (!x->failed ||
	    (v->outcome == OUTCOME_DEFERRED && x->failure.outcome != OUTCOME_DEFERRED))
		x->failure = *v;
	x->failed = true;
}

static void PRINTF_LIKE(4, 5)
    fail_with(struct expansion *x, enum outcome outcome, const char *dsn, const char *fmt, ...)
{
	struct verdict v;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	verdict_set(&v, outcome, dsn, "%s", text);
	fail(x, &v);
}

static bool was_seen(const struct expansion *x, const char *kind, const char *text)
{
	char key[KEY_MAX];

	snprintf(key, sizeof(key), "%s:%s", kind, text);
	text_lower(key);
	return map_get(x->seen, key) != NULL;
}

/* Remembers; false when it was remembered before. */
static bool see(struct expansion *x, const char *kind, const char *text)
{
	char key[KEY_MAX];

	snprintf(key, sizeof(key), "%s:%s", kind, text);
	if (strcmp(kind, "file") && strcmp(kind, "command"))
		text_lower(key);
	return map_put(x->seen, key, x) == NULL;
}

static struct target *add_target(struct expansion *x, enum target_kind kind, const char *text)
{
	if (x->count == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 4;
		struct target *more = arena_zero(x->d->arena, cap, sizeof(*more));

		if (x->count)
			memcpy(more, x->targets, x->count * sizeof(*more));
		x->targets = more;
		x->cap = cap;
	}
	x->targets[x->count] = (struct target){.kind = kind, .text = text, .d = *x->d};
	return &x->targets[x->count++];
}

/* Has this target been taken before? What is beyond the limit is not remembered. */
static bool is_duplicate(struct expansion *x, const char *kind, const char *text)
{
	int limit = x->d->local->params.duplicate_filter_limit;

	if (limit && map_count(x->seen) >= (size_t)limit)
		return was_seen(x, kind, text);
	return !see(x, kind, text);
}

static void expand_list(struct expansion *x, struct slice text, struct context *context);
static void expand_local(struct expansion *x, bool plain);

/* ---- the kinds of targets -------------------------------------------------------------------- */

static void add_with_rights(
    struct expansion *x, enum target_kind kind, const char *text, const struct context *context)
{
	const struct local *local = x->d->local;
	const struct local_user *rights = context->rights;
	struct target *t;

	if (!rights || (rights->uid == 0 && identity_is_root()))
		rights = local->has_default_user ? &local->default_user : NULL;
	if (!rights) {
		fail_with(x, OUTCOME_DEFERRED, "4.3.5", "default_privs: no such user");
		return;
	}
	if (is_duplicate(x, kind == TARGET_FILE ? "file" : "command", text))
		return;
	t = add_target(x, kind, text);
	t->user = *rights;
}

static void expand_command(struct expansion *x, const char *text, struct context *context)
{
	if (!local_list_has(&x->d->local->params.allow_mail_to_commands, context->source))
		fail_with(x, OUTCOME_BOUNCED, "5.7.1", "mail to command is restricted");
	else
		add_with_rights(x, TARGET_COMMAND, text, context);
}

static void expand_file(struct expansion *x, const char *text, struct context *context)
{
	if (!local_list_has(&x->d->local->params.allow_mail_to_files, context->source))
		fail_with(x, OUTCOME_BOUNCED, "5.7.1", "mail to file is restricted");
	else
		add_with_rights(x, TARGET_FILE, text, context);
}

static void expand_include(struct expansion *x, const char *path, struct context *context)
{
	struct str text = {0};
	struct local_user owner;
	struct verdict v;
	struct context inner = {"include", &owner, 0};

	if (!see(x, "include", path))
		return;
	if (x->depth >= DEPTH_MAX || ++x->lists > LISTS_MAX) {
		fail_with(x, OUTCOME_DEFERRED, "4.3.5",
		    "too many :include: files, or too deep, for %.200s", x->d->address);
		return;
	}
	x->depth++;
	if (source_include(x->d, path, context->rights, &text, &owner, &v) != SOURCE_FOUND) {
		fail(x, &v);
	} else {
		expand_list(x, slice_of(text.data, text.len), &inner);
	}
	x->depth--;
	str_fini(&text);
}

/* "\user": the mailbox, whatever aliases and .forward files say. */
static void expand_user(struct expansion *x, const char *name, struct context *context)
{
	struct delivery saved = *x->d;
	const char *address = arena_printf(x->d->arena, "%s@%s", name, x->d->domain);

	(void)context;
	local_look_at(x->d, address);
	expand_local(x, true);
	saved.sender = x->d->sender;
	*x->d = saved;
}

/* Does the address name who is being expanded? Then this is where the mail ends. */
static bool is_self(const struct expansion *x, const char *address)
{
	struct delivery d = *x->d;

	local_look_at(&d, address);
	return was_seen(x, "alias", d.local_part) || was_seen(x, "alias", d.user) ||
	       was_seen(x, "forward", d.user);
}

/*
 * The list's owner decides about its notices, but for who wants none (RFC 3461 5.2.7.1). Of the
 * members nobody but this host says that the mail arrived (5.2.7.4: "expanded"), not even of the
 * only one: a sender gets one answer.
 */
static uint32_t forward_notify(const struct expansion *x)
{
	uint32_t notify = x->d->rcpt->notify;

	if (x->has_owner)
		return notify & NOTIFY_NEVER;
	if (!(notify & NOTIFY_SUCCESS))
		return notify;
	notify &= ~(uint32_t)NOTIFY_SUCCESS;
	return notify ? notify : NOTIFY_NEVER;
}

static void add_forward(struct expansion *x, const char *address, const struct route *route)
{
	const struct deliver_rcpt *rcpt = x->d->rcpt;
	struct target *t;

	if (is_duplicate(x, "address", address))
		return;
	t = add_target(x, TARGET_FORWARD, address);
	t->forward = (struct recipient){
	    .address = route->recipient,
	    .orig = rcpt->orig && *rcpt->orig ? rcpt->orig : rcpt->address,
	    /* mail of a list begins anew (RFC 3461 5.2.7.3) */
	    .orcpt = x->has_owner  ? arena_printf(x->d->arena, "rfc822;%s", route->recipient)
	             : rcpt->orcpt ? rcpt->orcpt
	                           : "",
	    .transport = route->transport,
	    .nexthop = route->nexthop,
	    .notify = forward_notify(x),
	    .status = RCPT_TODO,
	};
}

static void expand_address(struct expansion *x, const char *text, struct context *context)
{
	struct local *local = x->d->local;
	const char *address = route_rewrite(local->router, text, x->d->arena);
	struct route route;
	struct err err;
	bool here;

	if (!*address) {
		fail_with(x, OUTCOME_BOUNCED, "5.1.3", "empty address in %s of %s", context->source,
		    x->d->address);
		return;
	}
	if (route_resolve(local->router, x->d->sender, address, x->d->arena, &route, &err) < 0) {
		fail_with(
		    x, OUTCOME_DEFERRED, "4.3.0", "address resolver failure: %.300s", err.text);
		return;
	}
	here = route.class_ == ROUTE_LOCAL && !strcmp(route.transport, local->service_name);
	if (here && ((context->size == 1 && !x->has_owner) || is_self(x, route.recipient))) {
		struct delivery saved = *x->d;

		local_look_at(x->d, route.recipient);
		expand_local(x, false);
		saved.sender = x->d->sender;
		*x->d = saved;
		return;
	}
	add_forward(x, address, &route);
}

static void (*const expanders[])(struct expansion *, const char *, struct context *) = {
    [ALIAS_ADDRESS] = expand_address,
    [ALIAS_USER] = expand_user,
    [ALIAS_COMMAND] = expand_command,
    [ALIAS_FILE] = expand_file,
    [ALIAS_INCLUDE] = expand_include,
};

static void expand_list(struct expansion *x, struct slice text, struct context *context)
{
	struct alias_list list = {0};
	struct err err;

	x->bytes += text.len;
	if (x->bytes > BYTES_MAX) {
		fail_with(
		    x, OUTCOME_DEFERRED, "4.3.5", "lists of %.200s are too large", x->d->address);
		return;
	}
	if (alias_parse(text, x->d->arena, &list, &err) < 0) {
		log_warn("%s: %s of %s: %s", x->d->job->request->id, context->source, x->d->address,
		    err.text);
		fail_with(x, OUTCOME_DEFERRED, "4.3.5", "%s of %s: %.300s", context->source,
		    x->d->address, err.text);
		return;
	}
	/* What an :include: file names is a list, even if it is one address today. */
	if (strcmp(context->source, "include") != 0)
		context->size = list.count;
	for (size_t i = 0; i < list.count && x->count <= TARGETS_MAX; i++)
		expanders[list.items[i].kind](x, list.items[i].text, context);
	if (x->count > TARGETS_MAX)
		fail_with(x, OUTCOME_DEFERRED, "4.3.5",
		    "more than %d members in the list of %.200s", TARGETS_MAX, x->d->address);
}

/* ---- a recipient of this host -----------------------------------------------------------------
 */

static bool is_owner_or_request(const char *name)
{
	return text_starts_nocase(name, "owner-") || text_ends_nocase(name, "-request");
}

static const char *owner_address(struct expansion *x, const char *owner, const struct str *value)
{
	struct local *local = x->d->local;

	if (local->params.expand_owner_alias) {
		struct alias_list list = {0};
		struct err err;

		if (alias_parse(slice_of(value->data, value->len), x->d->arena, &list, &err) == 0 &&
		    list.count > 0 && list.items[0].kind == ALIAS_ADDRESS)
			owner = list.items[0].text;
	}
	return route_rewrite(local->router, owner, x->d->arena);
}

/* The sender of list mail is the list's owner, who can mend what bounces. */
static void look_for_owner(struct expansion *x, const char *name)
{
	const struct local_alias_map *map;
	struct str value = {0};
	struct verdict v;
	const char *owner;

	if (!*x->d->sender ||
	    (x->d->local->params.owner_request_special && is_owner_or_request(name)))
		return;
	owner = arena_printf(x->d->arena, "owner-%s", name);
	switch (source_alias(x->d, owner, &value, &map, &v)) {
	case SOURCE_FOUND:
		x->d->sender = owner_address(x, owner, &value);
		x->has_owner = true;
		break;
	case SOURCE_FAILED:
		fail(x, &v);
		break;
	case SOURCE_NONE:
		break;
	}
	str_fini(&value);
}

/* True when the name is an alias (or the lookup failed): then all is done. */
static bool try_alias(struct expansion *x, const char *name)
{
	const struct local_alias_map *map = NULL;
	struct str value = {0};
	struct context context = {"alias", NULL, 0};
	enum source_answer got;
	struct verdict v;

	if (was_seen(x, "alias", name))
		return false;
	got = source_alias(x->d, name, &value, &map, &v);
	if (got == SOURCE_FAILED) {
		fail(x, &v);
	} else if (got == SOURCE_FOUND) {
		see(x, "alias", name);
		if (map->has_owner)
			context.rights = &map->owner;
		look_for_owner(x, name);
		expand_list(x, slice_of(value.data, value.len), &context);
	}
	str_fini(&value);
	return got != SOURCE_NONE;
}

static bool try_forward(struct expansion *x, const struct local_user *user)
{
	struct str text = {0};
	struct context context = {"forward", user, 0};
	enum source_answer got;
	const char *path;
	struct verdict v;
	size_t before = x->count;
	bool before_failed = x->failed;

	if (!see(x, "forward", x->d->user))
		return false;
	got = source_forward(x->d, user, &text, &path, &v);
	if (got == SOURCE_FAILED)
		fail(x, &v);
	else if (got == SOURCE_FOUND)
		expand_list(x, slice_of(text.data, text.len), &context);
	str_fini(&text);
	/* An empty file forwards nothing: the mailbox is used. */
	return x->count > before || x->failed != before_failed || got == SOURCE_FAILED;
}

static void add_mailbox(struct expansion *x, const struct local_user *user)
{
	struct target *t;

	if (is_duplicate(x, "mailbox", user->name))
		return;
	t = add_target(x, TARGET_MAILBOX, user->name);
	t->user = *user;
}

static void unknown_user(struct expansion *x)
{
	const struct delivery *d = x->d;
	struct context context = {"alias", NULL, 1};
	const char *relay = d->local->params.luser_relay;
	struct err err;

	if (was_seen(x, "alias", d->local_part) || was_seen(x, "alias", d->user)) {
		fail_with(x, OUTCOME_BOUNCED, "5.4.6", "possible alias database loop for %.200s",
		    d->address);
	} else if (!*relay || !see(x, "alias", d->local_part)) {
		fail_with(x, OUTCOME_BOUNCED, "5.1.1", "unknown user: \"%.200s\"", d->user);
	} else {
		relay = delivery_expand(d, NULL, relay, NULL, &err);
		if (!relay)
			fail_with(x, OUTCOME_DEFERRED, "4.3.5", "luser_relay: %.200s", err.text);
		else
			expand_list(x, slice_text(relay), &context);
	}
}

/* `plain`: neither aliases nor .forward. */
static void expand_local(struct expansion *x, bool plain)
{
	struct local_user user;
	struct err err;
	int found;

	if (++x->depth > DEPTH_MAX) {
		fail_with(x, OUTCOME_BOUNCED, "5.4.6", "possible alias database loop for %.200s",
		    x->d->address);
		goto out;
	}
	if (!plain) {
		if (try_alias(x, x->d->local_part))
			goto out;
		if (*x->d->extension && try_alias(x, x->d->user))
			goto out;
	}
	found = identity_find(x->d->user, x->d->arena, &user, &err);
	if (found < 0)
		fail_with(x, OUTCOME_DEFERRED, "4.3.0", "%.300s", err.text);
	else if (found == 0)
		unknown_user(x);
	else if (plain || !try_forward(x, &user))
		add_mailbox(x, &user);
out:
	x->depth--;
}

void expansion_run(struct expansion *x)
{
	if (x->d->local_part[0] == '\\') {
		const char *name = x->d->local_part + 1;

		local_look_at(x->d, arena_printf(x->d->arena, "%s@%s", name, x->d->domain));
		expand_local(x, true);
		return;
	}
	expand_local(x, false);
}
