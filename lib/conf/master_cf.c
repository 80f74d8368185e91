/* SPDX-License-Identifier: ISC */
/*
 * master.cf: eight columns and arguments on each logical line. Words end at white space; braces
 * keep words together, anywhere in a word.
 */
#include "lib/conf/master_cf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/num.h"
#include "lib/conf/lines.h"
#include "lib/sys/fd.h"

#define MASTER_CF_MAX (4 * 1024 * 1024)
#define COLUMNS 8
#define WAKEUP_MAX (365 * 86400)
#define PROCS_MAX 1000000

static const char *const column_names[COLUMNS] = {
    "service", "type", "private", "unpriv", "chroot", "wakeup", "maxproc", "command"};

static const char *const type_names[] = {
    [MASTER_CF_INET] = "inet",
    [MASTER_CF_UNIX] = "unix",
    [MASTER_CF_FIFO] = "fifo",
    [MASTER_CF_UNIX_DGRAM] = "unix-dgram",
    [MASTER_CF_PASS] = "pass",
};

struct parser {
	const char *path;
	int line;
	struct arena *arena;
	struct err *err;
};

const char *master_cf_type_name(enum master_cf_type type)
{
	return type_names[type];
}

static int wrong(struct parser *p, const char *what, const char *found, const char *expected)
{
	return err_set(p->err, 0, "%s: line %d: %s%s\"%.60s%s\": expected %s", p->path, p->line,
	    what, *what ? " " : "", found, strlen(found) > 60 ? "..." : "", expected);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == '\n';
}

/* The next word; 1, 0 at the end, -1 when its braces do not match. */
static int next_word(struct parser *p, struct slice *rest, const char **word_out)
{
	size_t i = 0, level = 0, start;

	while (i < rest->len && is_blank(rest->data[i]))
		i++;
	start = i;
	for (; i < rest->len && (level > 0 || !is_blank(rest->data[i])); i++) {
		if (rest->data[i] == '{')
			level++;
		else if (rest->data[i] == '}' && level > 0)
			level--;
	}
	if (i == start)
		return 0;
	*word_out = arena_strndup(p->arena, rest->data + start, i - start);
	*rest = slice_of(rest->data + i, rest->len - i);
	return level == 0 ? 1 : wrong(p, "", *word_out, "a closing '}'");
}

static int parse_flag(struct parser *p, int column, const char *text, bool dflt, bool *out)
{
	if (strcmp(text, "-") == 0)
		*out = dflt;
	else if (strcmp(text, "y") == 0 || strcmp(text, "n") == 0)
		*out = text[0] == 'y';
	else
		return wrong(p, column_names[column], text, "y, n or -");
	return 0;
}

static int parse_type(struct parser *p, const char *text, enum master_cf_type *out)
{
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++) {
		if (strcmp(text, type_names[i]) == 0) {
			*out = (enum master_cf_type)i;
			return 0;
		}
	}
	return wrong(p, "type", text, "inet, unix, fifo, unix-dgram or pass");
}

static int parse_wakeup(struct parser *p, const char *text, struct master_cf_entry *e)
{
	size_t len = strlen(text);
	uint64_t secs;

	if (strcmp(text, "-") == 0)
		return 0;
	if (len > 1 && text[len - 1] == '?') {
		e->wakeup_if_used = true;
		len--;
	}
	if (!num_u64(text, len, WAKEUP_MAX, &secs))
		return wrong(p, "wakeup", text, "seconds, seconds? or -");
	e->wakeup = (int)secs;
	return 0;
}

static int parse_max_procs(struct parser *p, const char *text, struct master_cf_entry *e)
{
	if (strcmp(text, "-") == 0)
		e->max_procs = -1;
	else if (!num_int(text, 0, PROCS_MAX, &e->max_procs))
		return wrong(p, "maxproc", text, "a number of processes, 0 for no limit, or -");
	return 0;
}

static int parse_columns(struct parser *p, struct slice *rest, struct master_cf_entry *e)
{
	const char **columns = arena_zero(p->arena, COLUMNS, sizeof(*columns));

	for (int i = 0; i < COLUMNS; i++) {
		int got = next_word(p, rest, &columns[i]);

		if (got < 0)
			return -1;
		if (got == 0)
			return err_set(p->err, 0,
			    "%s: line %d: the %s column is missing: expected service type private "
			    "unpriv chroot wakeup maxproc command",
			    p->path, p->line, column_names[i]);
	}
	e->columns = columns;
	e->name = columns[0];
	e->command = columns[7];
	if (parse_type(p, columns[1], &e->type) < 0 ||
	    parse_flag(p, 2, columns[2], true, &e->private_) < 0 ||
	    parse_flag(p, 3, columns[3], true, &e->unprivileged) < 0 ||
	    parse_flag(p, 4, columns[4], false, &e->chroot) < 0 ||
	    parse_wakeup(p, columns[5], e) < 0 || parse_max_procs(p, columns[6], e) < 0)
		return -1;
	if (e->type == MASTER_CF_INET && e->private_)
		return wrong(p, "private", columns[2], "n: an inet service is open to the network");
	if (strchr(e->command, '/'))
		return wrong(p, "command", e->command, "the name of a program in daemon_directory");
	return 0;
}

/* "{ name = value }" without its braces; other words stay. */
static const char *unbrace(struct parser *p, const char *word)
{
	struct slice s;

	if (word[0] != '{' || word[strlen(word) - 1] != '}')
		return word;
	s = slice_trim(slice_of(word + 1, strlen(word) - 2));
	return arena_strndup(p->arena, s.data, s.len);
}

static int add_override(
    struct parser *p, struct master_cf_entry *e, struct master_cf_override *list, const char *text)
{
	const char *eq = strchr(text, '=');
	struct slice name, value;

	if (!eq)
		return wrong(p, "-o", text, "name=value");
	name = slice_trim(slice_of(text, (size_t)(eq - text)));
	value = slice_trim(slice_text(eq + 1));
	if (name.len == 0)
		return wrong(p, "-o", text, "a parameter name before '='");
	list[e->override_count].name = arena_strndup(p->arena, name.data, name.len);
	list[e->override_count].value = arena_strndup(p->arena, value.data, value.len);
	e->override_count++;
	return 0;
}

/* Options of a daemon that take a value. */
static bool takes_value(char letter)
{
	return strchr("imnorstw", letter) != NULL;
}

/*
 * Reads -o and -v as getopt would: up to the first word that is no option, for what follows may
 * be another program's (pipe's argv=).
 */
static int parse_options(struct parser *p, struct master_cf_entry *e)
{
	struct master_cf_override *list = arena_zero(p->arena, e->arg_count + 1, sizeof(*list));

	e->overrides = list;
	for (size_t i = 0; i < e->arg_count; i++) {
		const char *arg = e->args[i];

		if (arg[0] != '-' || arg[1] == '\0' || strcmp(arg, "--") == 0)
			break;
		for (const char *c = arg + 1; *c; c++) {
			const char *value = c + 1;

			if (*c == 'v')
				e->verbose++;
			if (!takes_value(*c))
				continue;
			if (!*value) {
				if (++i == e->arg_count)
					return wrong(p, "option", arg, "a value after it");
				value = e->args[i];
			}
			if (*c == 'o' && add_override(p, e, list, unbrace(p, value)) < 0)
				return -1;
			break;
		}
	}
	return 0;
}

static int parse_args(struct parser *p, struct slice rest, struct master_cf_entry *e)
{
	const char **args = NULL, **kept, *word;
	size_t cap = 0;
	int got;

	while ((got = next_word(p, &rest, &word)) > 0) {
		if (e->arg_count == cap) {
			cap = cap ? cap * 2 : 16;
			args = alloc_array(args, cap, sizeof(*args));
		}
		args[e->arg_count++] = word;
	}
	kept = arena_zero(p->arena, e->arg_count + 1, sizeof(*kept));
	if (e->arg_count)
		memcpy(kept, args, e->arg_count * sizeof(*kept));
	e->args = kept;
	free(args);
	return got < 0 ? -1 : parse_options(p, e);
}

static int parse_entry(struct parser *p, struct slice line, struct master_cf_entry *e)
{
	if (line.len && memchr(line.data, '\0', line.len))
		return err_set(
		    p->err, 0, "%s: line %d: a zero byte; expected text", p->path, p->line);
	*e = (struct master_cf_entry){.line = p->line};
	if (parse_columns(p, &line, e) < 0)
		return -1;
	return parse_args(p, line, e);
}

/* An entry given twice: the last wins, in the place of the first. */
static void merge_double(struct parser *p, struct master_cf *cf)
{
	struct master_cf_entry *e = &cf->entries[cf->count];

	for (size_t i = 0; i < cf->count; i++) {
		struct master_cf_entry *old = &cf->entries[i];

		if (old->type != e->type || strcmp(old->name, e->name) != 0)
			continue;
		str_printf(&cf->warnings, "%s: line %d: %s/%s is in line %d too; the last counts\n",
		    p->path, p->line, e->name, type_names[e->type], old->line);
		*old = *e;
		return;
	}
	cf->count++;
}

int master_cf_parse(
    const char *path, const char *text, size_t len, struct master_cf *out, struct err *err)
{
	struct lines lines = {.text = text, .len = len};
	struct parser p = {.path = path, .arena = &out->arena, .err = err};
	struct slice line;
	size_t cap = 0;
	int result = 0;

	*out = (struct master_cf){0};
	while (result == 0 && lines_next(&lines, &line)) {
		p.line = lines.start_line;
		if (lines.orphan) {
			result = wrong(&p, "", line.data, "a service name in the first column");
			break;
		}
		if (out->count == cap) {
			cap = cap ? cap * 2 : 32;
			out->entries = alloc_array(out->entries, cap, sizeof(*out->entries));
		}
		result = parse_entry(&p, line, &out->entries[out->count]);
		if (result == 0)
			merge_double(&p, out);
	}
	lines_fini(&lines);
	if (result < 0)
		master_cf_fini(out);
	return result;
}

int master_cf_load(const char *etc, struct master_cf *out, struct err *err)
{
	char *path = alloc_printf("%s/master.cf", etc);
	struct str text = {0};
	int result;

	*out = (struct master_cf){0};
	result = fd_read_file(path, MASTER_CF_MAX, &text, err);
	if (result == 0)
		result = master_cf_parse(path, str_text(&text), text.len, out, err);
	str_fini(&text);
	free(path);
	return result;
}

void master_cf_fini(struct master_cf *cf)
{
	free(cf->entries);
	str_fini(&cf->warnings);
	arena_fini(&cf->arena);
	*cf = (struct master_cf){0};
}

const struct master_cf_entry *master_cf_find(
    const struct master_cf *cf, const char *name, const char *type)
{
	for (size_t i = 0; i < cf->count; i++) {
		const struct master_cf_entry *e = &cf->entries[i];

		if (strcmp(e->name, name) == 0 && strcmp(type_names[e->type], type) == 0)
			return e;
	}
	return NULL;
}
