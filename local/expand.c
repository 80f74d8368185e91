/* SPDX-License-Identifier: ISC */
/*
 * A recipient of this host: is there an alias of the name, a .forward file of the user, a mailbox?
 */
#include "local/expand_private.h"

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

		if (alias_list_parse(slice_of(value->data, value->len), x->d->arena, &list, &err) ==
		        0 &&
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
		expansion_fail(x, &v);
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
	struct list_context context = {"alias", NULL, 0};
	enum source_answer got;
	struct verdict v;

	if (expansion_has_seen(x, "alias", name))
		return false;
	got = source_alias(x->d, name, &value, &map, &v);
	if (got == SOURCE_FAILED) {
		expansion_fail(x, &v);
	} else if (got == SOURCE_FOUND) {
		expansion_see(x, "alias", name);
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
	struct list_context context = {"forward", user, 0};
	enum source_answer got;
	const char *path;
	struct verdict v;
	size_t before = x->count;
	bool before_failed = x->failed;

	if (!expansion_see(x, "forward", x->d->user))
		return false;
	got = source_forward(x->d, user, &text, &path, &v);
	if (got == SOURCE_FAILED)
		expansion_fail(x, &v);
	else if (got == SOURCE_FOUND)
		expand_list(x, slice_of(text.data, text.len), &context);
	str_fini(&text);
	/* An empty file forwards nothing: the mailbox is used. */
	return x->count > before || x->failed != before_failed || got == SOURCE_FAILED;
}

static void add_mailbox(struct expansion *x, const struct local_user *user)
{
	struct target *t;

	if (expansion_is_duplicate(x, "mailbox", user->name))
		return;
	t = expansion_add(x, TARGET_MAILBOX, user->name);
	t->user = *user;
}

static void unknown_user(struct expansion *x)
{
	const struct delivery *d = x->d;
	struct list_context context = {"alias", NULL, 1};
	const char *relay = d->local->params.luser_relay;
	struct err err;

	if (expansion_has_seen(x, "alias", d->local_part) ||
	    expansion_has_seen(x, "alias", d->user)) {
		expansion_fail_with(x, OUTCOME_BOUNCED, "5.4.6",
		    "possible alias database loop for %.200s", d->address);
	} else if (!*relay || !expansion_see(x, "alias", d->local_part)) {
		expansion_fail_with(
		    x, OUTCOME_BOUNCED, "5.1.1", "unknown user: \"%.200s\"", d->user);
	} else {
		relay = delivery_expand(d, NULL, relay, NULL, &err);
		if (!relay)
			expansion_fail_with(
			    x, OUTCOME_DEFERRED, "4.3.5", "luser_relay: %.200s", err.text);
		else
			expand_list(x, slice_text(relay), &context);
	}
}

void expand_local(struct expansion *x, bool plain)
{
	struct local_user user;
	struct err err;
	int found;

	if (++x->depth > EXPAND_DEPTH_MAX) {
		expansion_fail_with(x, OUTCOME_BOUNCED, "5.4.6",
		    "possible alias database loop for %.200s", x->d->address);
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
		expansion_fail_with(x, OUTCOME_DEFERRED, "4.3.0", "%.300s", err.text);
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
