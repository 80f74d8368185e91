/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "commands/postconf/postconf.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

/* Where each column of master.cf starts. */
static const size_t column_at[] = {0, 11, 17, 25, 33, 41, 49, 57};

static const char *const field_names[] = {
    "service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command"};

static bool has_blank(const char *text)
{
	return text[strcspn(text, " \t\r\n")] != '\0';
}

const char *services_plain_arg(struct arena *arena, const char *arg)
{
	size_t len = strlen(arg);
	struct slice inner;

	if (len >= 2 && arg[0] == '{' && arg[len - 1] == '}') {
		inner = slice_trim(slice_of(arg + 1, len - 2));
		arg = arena_strndup(arena, inner.data, inner.len);
		return has_blank(arg) || !*arg ? arena_printf(arena, "{%s}", arg) : arg;
	}
	return has_blank(arg) ? arena_printf(arena, "{%s}", arg) : arg;
}

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] != '\0' && strcmp(arg, "--") != 0;
}

/*
 * The arguments after the command: when folding, each -o has a line of its own, as long as options
 * of the daemon itself last.
 */
static void print_args(struct folder *f, const struct master_cf_entry *e)
{
	struct arena arena = {0};
	bool options = true, after_override = false;

	for (size_t i = 0; i < e->arg_count; i++) {
		const char *arg = services_plain_arg(&arena, e->args[i]);

		options = options && is_option(arg);
		if (options && arg[1] == 'o') {
			const char *value = arg[2] ? arg + 2
			                    : i + 1 < e->arg_count
			                        ? services_plain_arg(&arena, e->args[++i])
			                        : "";

			arg = arena_printf(&arena, "-o %s", value);
			if (f->fold) {
				fold_indent(f);
				fold_text(f, arg);
			} else {
				fold_word(f, arg);
			}
			after_override = true;
			continue;
		}
		if (f->fold && after_override) {
			fold_indent(f);
			fold_text(f, arg);
		} else {
			fold_word(f, arg);
		}
		after_override = false;
	}
	arena_fini(&arena);
}

void services_print_entry(FILE *out, bool fold, const struct master_cf_entry *e)
{
	struct folder f = {.out = out, .fold = fold, .width = 79};

	for (size_t i = 0; i < ARRAY_LEN(column_at); i++) {
		if (i > 0)
			fold_text(&f, " ");
		while (f.column < column_at[i])
			fold_text(&f, " ");
		fold_text(&f, e->columns[i]);
	}
	print_args(&f, e);
	fold_end(&f);
}

/* "service[/type[/rest]]" against a request of the same form; missing parts match all. */
static bool matches(
    const char *request, const struct master_cf_entry *e, const char *third, bool has_third)
{
	char *copy = alloc_strdup(request), *rest = copy, *part;
	bool ok;

	part = strsep(&rest, "/");
	ok = strcmp(part, "*") == 0 || strcmp(part, e->name) == 0;
	if (ok && rest) {
		part = strsep(&rest, "/");
		ok = strcmp(part, "*") == 0 || strcmp(part, master_cf_type_name(e->type)) == 0;
	}
	if (ok && rest)
		ok = has_third && (strcmp(rest, "*") == 0 || strcmp(rest, third) == 0);
	free(copy);
	return ok;
}

struct filter {
	char **requests;
	int count;
	bool *used;
};

static bool wanted(
    struct filter *filter, const struct master_cf_entry *e, const char *third, bool has_third)
{
	bool any = filter->count == 0;

	for (int i = 0; i < filter->count; i++) {
		if (matches(filter->requests[i], e, third, has_third))
			any = filter->used[i] = true;
	}
	return any;
}

static void filter_end(struct filter *filter)
{
	for (int i = 0; i < filter->count; i++) {
		if (!filter->used[i])
			log_warn("unmatched request: \"%s\"", filter->requests[i]);
	}
	free(filter->used);
}

static struct filter filter_new(char **requests, int count)
{
	return (struct filter){requests, count, alloc_zero((size_t)count + 1, sizeof(bool))};
}

void services_show_entries(struct postconf *pc, char **requests, int count)
{
	struct filter filter = filter_new(requests, count);

	for (size_t i = 0; i < pc->services.count; i++) {
		if (wanted(&filter, &pc->services.entries[i], "", false))
			services_print_entry(pc->out, pc->fold, &pc->services.entries[i]);
	}
	filter_end(&filter);
}

static void show_field(struct postconf *pc, const struct master_cf_entry *e, size_t field)
{
	struct folder f = {.out = pc->out, .fold = pc->fold, .width = 79};

	if (!pc->no_names) {
		fprintf(
		    pc->out, "%s/%s/%s", e->name, master_cf_type_name(e->type), field_names[field]);
		f.column = strlen(e->name) + strlen(master_cf_type_name(e->type)) +
		           strlen(field_names[field]) + 2;
		if (!pc->no_values)
			fold_text(&f, " = ");
	}
	if (!pc->no_values) {
		fold_text(&f, e->columns[field]);
		if (field == ARRAY_LEN(field_names) - 1)
			print_args(&f, e);
	}
	fold_end(&f);
}

void services_show_fields(struct postconf *pc, char **requests, int count)
{
	struct filter filter = filter_new(requests, count);

	for (size_t i = 0; i < pc->services.count; i++) {
		for (size_t j = 0; j < ARRAY_LEN(field_names); j++) {
			if (wanted(&filter, &pc->services.entries[i], field_names[j], true))
				show_field(pc, &pc->services.entries[i], j);
		}
	}
	filter_end(&filter);
}

static int by_name(const void *a, const void *b)
{
	const struct master_cf_override *x = *(const struct master_cf_override *const *)a;
	const struct master_cf_override *y = *(const struct master_cf_override *const *)b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x > y) - (x < y);
}

static void show_override(
    struct postconf *pc, const struct master_cf_entry *e, const struct master_cf_override *o)
{
	char *name = alloc_printf("%s/%s/%s", e->name, master_cf_type_name(e->type), o->name);
	const char *value;

	/* what master tells the processes of each service (-n) */
	if (pc->expand)
		conf_set(pc->conf, "service_name", e->name, "master.cf");
	value = show_value(pc, o->name, o->value);
	if (value)
		show_pair(pc, name, value);
	free(name);
}

void services_show_params(struct postconf *pc, char **requests, int count)
{
	struct filter filter = filter_new(requests, count);

	for (size_t i = 0; i < pc->services.count; i++) {
		const struct master_cf_entry *e = &pc->services.entries[i];
		const struct master_cf_override **sorted =
		    alloc_zero(e->override_count + 1, sizeof(*sorted));

		for (size_t j = 0; j < e->override_count; j++)
			sorted[j] = &e->overrides[j];
		qsort(sorted, e->override_count, sizeof(*sorted), by_name);
		for (size_t j = 0; j < e->override_count; j++) {
			/* Of one name given twice the last counts. */
			if (j + 1 < e->override_count &&
			    strcmp(sorted[j]->name, sorted[j + 1]->name) == 0)
				continue;
			if (wanted(&filter, e, sorted[j]->name, true))
				show_override(pc, e, sorted[j]);
		}
		free(sorted);
	}
	filter_end(&filter);
}
