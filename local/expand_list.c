/* SPDX-License-Identifier: ISC */
/*
 * The members of a list, as an alias, a .forward file or an :include: file names them: addresses,
 * users, commands, files and more lists, each by its kind.
 */
#include "local/expand_private.h"

#include <string.h>

#include "lib/base/log.h"

static void add_with_rights(struct expansion *x, enum target_kind kind, const char *text,
    const struct list_context *context)
{
	const struct local *local = x->d->local;
	const struct local_user *rights = context->rights;
	struct target *t;

	if (!rights || (rights->uid == 0 && identity_is_root()))
		rights = local->has_default_user ? &local->default_user : NULL;
	if (!rights) {
		expansion_fail_with(x, OUTCOME_DEFERRED, "4.3.5", "default_privs: no such user");
		return;
	}
	if (expansion_is_duplicate(x, kind == TARGET_FILE ? "file" : "command", text))
		return;
	t = expansion_add(x, kind, text);
	t->user = *rights;
}

static void expand_command(struct expansion *x, const char *text, struct list_context *context)
{
	if (!local_list_has(&x->d->local->params.allow_mail_to_commands, context->source))
		expansion_fail_with(x, OUTCOME_BOUNCED, "5.7.1", "mail to command is restricted");
	else
		add_with_rights(x, TARGET_COMMAND, text, context);
}

static void expand_file(struct expansion *x, const char *text, struct list_context *context)
{
	if (!local_list_has(&x->d->local->params.allow_mail_to_files, context->source))
		expansion_fail_with(x, OUTCOME_BOUNCED, "5.7.1", "mail to file is restricted");
	else
		add_with_rights(x, TARGET_FILE, text, context);
}

static void expand_include(struct expansion *x, const char *path, struct list_context *context)
{
	struct str text = {0};
	struct local_user owner;
	struct verdict v;
	struct list_context inner = {"include", &owner, 0};

	if (!expansion_see(x, "include", path))
		return;
	if (x->depth >= EXPAND_DEPTH_MAX || ++x->lists > EXPAND_LISTS_MAX) {
		expansion_fail_with(x, OUTCOME_DEFERRED, "4.3.5",
		    "too many :include: files, or too deep, for %.200s", x->d->address);
		return;
	}
	x->depth++;
	if (source_include(x->d, path, context->rights, &text, &owner, &v) != SOURCE_FOUND) {
		expansion_fail(x, &v);
	} else {
		expand_list(x, slice_of(text.data, text.len), &inner);
	}
	x->depth--;
	str_fini(&text);
}

/* "\user": the mailbox, whatever aliases and .forward files say. */
static void expand_user(struct expansion *x, const char *name, struct list_context *context)
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
	return expansion_has_seen(x, "alias", d.local_part) ||
	       expansion_has_seen(x, "alias", d.user) || expansion_has_seen(x, "forward", d.user);
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

	if (expansion_is_duplicate(x, "address", address))
		return;
	t = expansion_add(x, TARGET_FORWARD, address);
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

static void expand_address(struct expansion *x, const char *text, struct list_context *context)
{
	struct local *local = x->d->local;
	const char *address = route_rewrite(local->router, text, x->d->arena);
	struct route route;
	struct err err;
	bool here;

	if (!*address) {
		expansion_fail_with(x, OUTCOME_BOUNCED, "5.1.3", "empty address in %s of %s",
		    context->source, x->d->address);
		return;
	}
	if (route_resolve(local->router, x->d->sender, address, x->d->arena, &route, &err) < 0) {
		expansion_fail_with(
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

static void (*const expanders[])(struct expansion *, const char *, struct list_context *) = {
    [ALIAS_ADDRESS] = expand_address,
    [ALIAS_USER] = expand_user,
    [ALIAS_COMMAND] = expand_command,
    [ALIAS_FILE] = expand_file,
    [ALIAS_INCLUDE] = expand_include,
};

void expand_list(struct expansion *x, struct slice text, struct list_context *context)
{
	struct alias_list list = {0};
	struct err err;

	x->bytes += text.len;
	if (x->bytes > EXPAND_BYTES_MAX) {
		expansion_fail_with(
		    x, OUTCOME_DEFERRED, "4.3.5", "lists of %.200s are too large", x->d->address);
		return;
	}
	if (alias_list_parse(text, x->d->arena, &list, &err) < 0) {
		log_warn("%s: %s of %s: %s", x->d->job->request->id, context->source, x->d->address,
		    err.text);
		expansion_fail_with(x, OUTCOME_DEFERRED, "4.3.5", "%s of %s: %.300s",
		    context->source, x->d->address, err.text);
		return;
	}
	/* What an :include: file names is a list, even if it is one address today. */
	if (strcmp(context->source, "include") != 0)
		context->size = list.count;
	for (size_t i = 0; i < list.count && x->count <= EXPAND_TARGETS_MAX; i++)
		expanders[list.items[i].kind](x, list.items[i].text, context);
	if (x->count > EXPAND_TARGETS_MAX)
		expansion_fail_with(x, OUTCOME_DEFERRED, "4.3.5",
		    "more than %d members in the list of %.200s", EXPAND_TARGETS_MAX,
		    x->d->address);
}
