/* SPDX-License-Identifier: ISC */
/*
 * Runs a restriction list: one restriction after the other, until one permits or refuses. Lists
 * within lists (classes, and what tables and policy services answer) come back to here.
 */
#include "smtpd/restrict.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/base/map.h"

static enum verdict unknown_name(struct check *check, const char *name)
{
	log_warn("unknown smtpd restriction: \"%s\"", name);
	return check_misconfigured(check);
}

static const char *const verdict_names[] = {
    [VERDICT_DUNNO] = "no opinion", [VERDICT_PERMIT] = "permit", [VERDICT_REJECT] = "reject"};

static enum verdict run_item(
    struct check *check, const struct restriction_list *list, const struct restriction *item)
{
	const struct access *a = check->s->srv->access;
	const struct restriction_list *class_;

	check->kind = item->kind;
	check->arg = item->arg;
	if (!item->kind) {
		class_ = a ? map_get(a->classes, item->name) : NULL;
		return class_ ? check_list(check, class_) : unknown_name(check, item->name);
	}
	if (item->kind->flags & RESTRICT_ENDS &&
	    !(check->warn_depth && item->kind->flags & RESTRICT_PROTECTS) &&
	    item + 1 < list->items + list->count)
		log_warn("restriction `%s' after `%s' is ignored", item[1].name, item->name);
	return item->kind->run(check);
}

/*
 * A list within a list has a struct of its own: what it changes is not the outer one's, only what
 * it answers. warn_if_reject holds for the item behind it, with all that this one leads to.
 */
enum verdict check_list(struct check *outer, const struct restriction_list *list)
{
	struct check check = *outer;
	enum verdict verdict = VERDICT_DUNNO;

	if (++check.depth > RESTRICT_DEPTH_MAX) {
		log_warn("%s: unreasonable recursion of restriction lists", list->parameter);
		return check_misconfigured(outer);
	}
	for (size_t i = 0; i < list->count && verdict == VERDICT_DUNNO; i++) {
		const struct restriction *item = &list->items[i];

		if (check.s->tx.actions.discard)
			break; /* whatever else is said, nobody will get it */
		if (item->kind && !item->kind->run) { /* warn_if_reject */
			if (check.warn_depth == 0)
				check.warn_depth = check.depth;
			continue;
		}
		verdict = run_item(&check, list, item);
		log_debug("%s: %s: %s %s: %s", list->parameter, check.name, item->name, item->arg,
		    verdict_names[verdict]);
		if (check.warn_depth >= check.depth)
			check.warn_depth = 0;
		if (check.s->access.if_permit.active && check.s->access.if_reject.active)
			break; /* it will be put off, whatever comes */
	}
	return verdict;
}

enum verdict check_list_text(struct check *check, const char *origin, const char *text)
{
	struct restriction_list *list;
	enum verdict verdict = VERDICT_PERMIT;

	if (strchr(text, ':')) {
		log_warn("access table %s has entry with lookup table: %s", origin, text);
		log_warn("do not specify lookup tables inside SMTPD access maps");
		log_warn("define a restriction class and specify its name instead.");
		return check_misconfigured(check);
	}
	list = restriction_list_parse(origin, text);
	if (list->count == 0)
		log_warn("access table %s entry %s has empty value", origin, text);
	else
		verdict = check_list(check, list);
	restriction_list_free(&list);
	return verdict;
}
