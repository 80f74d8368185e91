/* SPDX-License-Identifier: ISC */
/*
 * Restriction lists before anybody connects: names that nobody knows, arguments that are missing or
 * malformed, tables that cannot be opened. All are warnings: at run time whoever gets there is
 * answered with 451, and nobody is let in.
 */
#include "smtpd/check.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/map.h"
#include "lib/base/num.h"
#include "lib/table/check.h"
#include "smtpd/ccert_search.h"
#include "smtpd/policy.h"
#include "smtpd/dns_list.h"
#include "smtpd/restrict.h"

struct checker {
	struct conf *conf;
	struct conf_report *report;
	struct map *classes; /* struct restriction_list, by name */
	bool asks_ccert;
	const char *place; /* "main.cf: line 7: smtpd_client_restrictions" */
};

#define WARN(c, fmt, ...) conf_report_warning((c)->report, "%s: " fmt, (c)->place, __VA_ARGS__)

static void check_table(struct checker *c, const char *arg)
{
	struct ccert_search search;
	struct str table = {0};
	struct err err;

	if (ccert_search_parse(arg, &search, &table, &err) < 0)
		WARN(c, "%s", err.text);
	else
		table_check_list(str_text(&table), TABLE_FOLD_KEY, c->place, c->report);
	str_fini(&table);
}

/* "domain" or "domain=127.0.0.[2;4..7]" */
static void check_list_of_addresses(struct checker *c, const struct restriction *item)
{
	static const unsigned char any[4] = {127, 0, 0, 2};
	const char *equals = strchr(item->arg, '=');

	if (equals && rbl_filter_matches(equals + 1, any) < 0)
		WARN(c,
		    "%s %s: expected domain=d.d.d.d, where d is a number or "
		    "[number;number..number]",
		    item->name, item->arg);
}

static void check_argument(struct checker *c, const struct restriction *item)
{
	check_fn *run = item->kind->run;
	struct err err;
	int seconds;

	if ((run == check_tls_clientcerts || run == check_tls_all_clientcerts) && !c->asks_ccert)
		WARN(c, "%s: expected smtpd_tls_ask_ccert = yes for it", item->name);
	if (!(item->kind->flags & (RESTRICT_ARG | RESTRICT_TABLE)))
		return;
	if (item->arg[0] == '\0')
		WARN(c, "%s: expected %s behind it", item->name,
		    item->kind->flags & RESTRICT_TABLE ? "a table, type:name," : "an argument");
	else if (item->kind->flags & RESTRICT_TABLE && !strchr(item->arg, ':'))
		WARN(c, "%s %s: expected a table, type:name", item->name, item->arg);
	else if (item->kind->flags & RESTRICT_TABLE)
		check_table(c, item->arg);
	else if (run == check_policy_service && policy_check(item->arg, &err) < 0)
		WARN(c, "%s: %s", item->name, err.text);
	else if (run == check_rbl || run == check_rhsbl || run == check_dnswl)
		check_list_of_addresses(c, item);
	else if (strcmp(item->kind->name, "sleep") == 0 &&
	         !num_int(item->arg, 0, RESTRICT_SLEEP_MAX, &seconds))
		WARN(c, "%s %s: expected seconds, 0 to %d", item->name, item->arg,
		    RESTRICT_SLEEP_MAX);
}

static void check_unknown(struct checker *c, const char *name)
{
	const char *guess;

	if (map_get(c->classes, name))
		return;
	guess = check_nearest(name);
	WARN(c, "%s: there is no such restriction%s%s%s; whoever gets there is answered with 451",
	    name, guess ? ", did you mean " : "", guess ? guess : "", guess ? "?" : "");
}

static bool is_prefix(const struct restriction *item)
{
	return item->kind && !item->kind->run; /* warn_if_reject */
}

static void check_items(struct checker *c, const struct restriction_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct restriction *item = &list->items[i];
		bool last = i + 1 == list->count;

		if (!item->kind)
			check_unknown(c, item->name);
		else if (is_prefix(item) && last)
			WARN(c, "%s: expected a restriction behind it", item->name);
		else
			check_argument(c, item);
		if (item->kind && item->kind->flags & RESTRICT_ENDS && !last &&
		    !(i > 0 && is_prefix(item - 1))) {
			WARN(c, "%s: nothing behind it is ever looked at, such as %s", item->name,
			    item[1].name);
			break;
		}
	}
}

/* Does one of the classes in the list lead to `target`? */
static bool leads_to(
    struct checker *c, const struct restriction_list *list, const char *target, struct map *seen)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct restriction *item = &list->items[i];
		const struct restriction_list *class_ =
		    item->kind ? NULL : map_get(c->classes, item->name);

		if (!class_)
			continue;
		if (strcmp(item->name, target) == 0)
			return true;
		if (!map_put(seen, item->name, c) && leads_to(c, class_, target, seen))
			return true;
	}
	return false;
}

static void set_place(struct checker *c, const char *parameter)
{
	const char *origin = conf_origin(c->conf, parameter);

	c->place = arena_printf(
	    conf_arena(c->conf), "%s: %s", origin ? origin : "default value", parameter);
}

static void check_class(struct checker *c, const char *name)
{
	const struct restriction_list *list = map_get(c->classes, name);
	struct map *seen = map_new();

	set_place(c, name);
	if (check_find(slice_text(name)))
		WARN(c, "%s", "a restriction has this name, which goes before the class");
	check_items(c, list);
	if (leads_to(c, list, name, seen))
		WARN(c, "the class leads to itself: %s", name);
	map_free(&seen, NULL);
}

static void open_classes(struct checker *c, const struct conf_list *names)
{
	set_place(c, "smtpd_restriction_classes");
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];

		if (map_get(c->classes, name))
			continue;
		if (!conf_is_set(c->conf, name))
			WARN(
			    c, "%s: expected a parameter of this name with the class's list", name);
		map_put(c->classes, name, restriction_list_parse(name, conf_get(c->conf, name)));
	}
	for (size_t i = 0; i < names->count; i++)
		check_class(c, names->items[i]);
}

static void free_list(void *value)
{
	struct restriction_list *list = value;

	restriction_list_free(&list);
}

void restrictions_check(
    const struct smtpd_config *config, struct conf *conf, struct conf_report *report)
{
	const struct smtpd_params *p = &config->smtpd;
	struct checker c = {.conf = conf,
	    .report = report,
	    .classes = map_new(),
	    .asks_ccert = config->tls.ask_ccert || config->tls.req_ccert};
	bool guarded = false;

	open_classes(&c, &p->restriction_classes);
	for (int stage = 0; stage < ACCESS_STAGES; stage++) {
		const char *text, *name = access_stage_list(p, (enum access_stage)stage, &text);
		struct restriction_list *list = restriction_list_parse(name, text);

		set_place(&c, name);
		check_items(&c, list);
		if (stage == ACCESS_RELAY || stage == ACCESS_RECIPIENT)
			guarded |= restriction_list_protects(list, c.classes);
		restriction_list_free(&list);
	}
	if (!guarded) {
		set_place(&c, "smtpd_relay_restrictions");
		WARN(&c,
		    "expected here or in smtpd_recipient_restrictions at least one of %s; "
		    "until then all recipients are answered with 451",
		    "reject_unauth_destination, defer_unauth_destination, reject, defer, "
		    "defer_if_permit");
	}
	map_free(&c.classes, free_list);
}
