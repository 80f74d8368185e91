/* SPDX-License-Identifier: ISC */
/*
 * The list is taken apart once: each pattern becomes a text, an address block, or a table. Files
 * within it are read at that time. A pattern is asked as text and as address alike; what it cannot
 * be, it does not match.
 */
#include "lib/table/match.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/conf/lines.h"
#include "lib/sys/fd.h"
#include "lib/table/prefix.h"
#include "lib/table/type.h"

enum { FILE_DEPTH_MAX = 8 };

enum pattern_kind { PATTERN_TEXT, PATTERN_BLOCK, PATTERN_TABLE, PATTERN_BAD };

struct pattern {
	enum pattern_kind kind;
	bool negate;
	char *text;
	struct prefix block;
	struct table_chain *table; /* of one table: opened again when that failed */
	bool whole_only;           /* a pattern table: no parent domains */
	struct err err;            /* of PATTERN_BAD */
};

struct match_list {
	char *parameter;
	struct pattern *patterns;
	size_t count;
	int flags;
};

static void add_patterns(struct match_list *list, const char *text, bool negate, int depth);

static void bad_pattern(struct match_list *list, struct pattern *p)
{
	p->kind = PATTERN_BAD;
	err_prefix(&p->err, "%s: ", list->parameter);
	log_warn("%s", p->err.text);
}

static void add(struct match_list *list, const struct pattern *p)
{
	list->patterns = alloc_array(list->patterns, list->count + 1, sizeof(*p));
	list->patterns[list->count++] = *p;
}

/* Reads "/file" in its place in the list. */
static void add_file(struct match_list *list, struct pattern *p, const char *path, int depth)
{
	struct str text = {0};
	struct lines lines = {0};
	struct slice line;

	if (depth == FILE_DEPTH_MAX) {
		err_set(&p->err, 0, "%s: files within files deeper than %d", path, FILE_DEPTH_MAX);
		goto bad;
	}
	if (fd_read_file(path, TABLE_FILE_MAX, &text, &p->err) < 0)
		goto bad;
	lines.text = str_text(&text);
	lines.len = text.len;
	while (lines_next(&lines, &line)) {
		char *copy = alloc_strndup(line.data, line.len);

		add_patterns(list, copy, p->negate, depth + 1);
		free(copy);
	}
	lines_fini(&lines);
	str_fini(&text);
	return;
bad:
	str_fini(&text);
	p->text = alloc_strdup(path);
	bad_pattern(list, p);
	add(list, p);
}

static bool is_pattern_type(const char *name)
{
	static const char *const types[] = {"regexp:", "pcre:", "cidr:", "unionmap:", "pipemap:"};

	while (strncmp(name, "proxy:", 6) == 0)
		name += 6;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strncmp(name, types[i], strlen(types[i])) == 0)
			return true;
	}
	return false;
}

/* Is it meant as an address block? Then it must be a valid one. */
static bool looks_like_block(const char *text)
{
	return (text[0] == '[' && !text_starts_nocase(text, "[ipv6:")) ||
	       (strchr(text, '/') && strspn(text, "0123456789./") == strlen(text));
}

static void classify(struct match_list *list, struct pattern *p)
{
	struct slice text = slice_text(p->text);

	p->kind = PATTERN_TEXT;
	if (prefix_parse(text, &p->block, &p->err) == 0) {
		p->kind = PATTERN_BLOCK;
	} else if (looks_like_block(p->text)) {
		bad_pattern(list, p);
	} else if (strchr(p->text, ':')) {
		p->kind = PATTERN_TABLE;
		p->whole_only = is_pattern_type(p->text);
		p->table = table_chain_open(p->text, TABLE_FOLD_KEY);
	} else {
		text_lower(p->text);
	}
}

static void add_pattern(struct match_list *list, struct slice item, bool negate, int depth)
{
	struct pattern p = {.negate = negate};
	char *text;

	while (item.len > 0 && item.data[0] == '!') {
		p.negate = !p.negate;
		item = slice_of(item.data + 1, item.len - 1);
	}
	if (item.len == 0) {
		err_set(&p.err, 0, "no pattern after \"!\"");
		p.text = alloc_strdup("!");
		bad_pattern(list, &p);
		add(list, &p);
		return;
	}
	text = alloc_strndup(item.data, item.len);
	if (text[0] == '/') {
		add_file(list, &p, text, depth);
		free(text);
		return;
	}
	p.text = text;
	classify(list, &p);
	add(list, &p);
}

static void add_patterns(struct match_list *list, const char *text, bool negate, int depth)
{
	struct slice item;

	while (table_list_next(&text, &item))
		add_pattern(list, item, negate, depth);
}

struct match_list *match_list_open(const char *parameter, const char *patterns, int flags)
{
	struct match_list *list = alloc_zero(1, sizeof(*list));

	list->parameter = alloc_strdup(parameter);
	list->flags = flags & MATCH_SUBDOMAINS ? flags | MATCH_DOMAINS : flags;
	add_patterns(list, patterns ? patterns : "", false, 0);
	return list;
}

void match_list_close(struct match_list **list)
{
	if (!*list)
		return;
	for (size_t i = 0; i < (*list)->count; i++) {
		free((*list)->patterns[i].text);
		table_chain_close(&(*list)->patterns[i].table);
	}
	free((*list)->patterns);
	free((*list)->parameter);
	free(*list);
	*list = NULL;
}

/* What is looked for; domain: the name has parents. */
struct wanted {
	const char *name; /* lower case; NULL: none */
	const char *address;
	const struct prefix *block; /* the address, NULL when there is none or it is malformed */
	bool domain;
	bool subdomains; /* parents are looked up without the dot before them */
};

static bool text_matches(const char *pattern, const struct wanted *w)
{
	size_t pl = strlen(pattern), nl;

	if (!w->name)
		return false;
	if (strcmp(pattern, w->name) == 0)
		return true;
	nl = strlen(w->name);
	if (!w->domain || pl >= nl || strcmp(w->name + nl - pl, pattern) != 0)
		return false;
	return pattern[0] == '.' || (w->subdomains && w->name[nl - pl - 1] == '.');
}

static enum table_answer ask_name(
    const struct pattern *p, const struct wanted *w, struct str *out, struct err *err)
{
	enum table_answer answer = table_chain_get(p->table, w->name, out, err);
	const char *dot = w->name;

	if (!w->domain || p->whole_only)
		return answer;
	while (answer == TABLE_NOT_FOUND && *dot && (dot = strchr(dot + 1, '.')) != NULL)
		answer = table_chain_get(p->table, w->subdomains ? dot + 1 : dot, out, err);
	return answer;
}

enum table_age match_list_age(struct match_list *list)
{
	enum table_age worst = TABLE_FRESH;

	for (size_t i = 0; list && i < list->count; i++)
		worst = MAX(worst, table_chain_age(list->patterns[i].table));
	return worst;
}

static enum table_answer match_one(
    const struct pattern *p, const struct wanted *w, struct str *out, struct err *err)
{
	enum table_answer answer = TABLE_NOT_FOUND;
	bool found;

	switch (p->kind) {
	case PATTERN_BAD:
		err_set(err, p->err.code, "%s", p->err.text);
		return TABLE_ERROR;
	case PATTERN_TABLE:
		if (w->name)
			answer = ask_name(p, w, out, err);
		if (answer == TABLE_NOT_FOUND && w->address)
			answer = table_chain_get(p->table, w->address, out, err);
		return answer;
	case PATTERN_BLOCK:
		found = w->block ? prefix_match(&p->block, w->block) : text_matches(p->text, w);
		return found ? TABLE_FOUND : TABLE_NOT_FOUND;
	case PATTERN_TEXT:
		return text_matches(p->text, w) ? TABLE_FOUND : TABLE_NOT_FOUND;
	}
	return TABLE_NOT_FOUND;
}

static enum table_answer match_all(struct match_list *list, const struct wanted *w, struct err *err)
{
	enum table_answer answer = TABLE_NOT_FOUND;
	struct str value = {0};

	for (size_t i = 0; i < list->count; i++) {
		const struct pattern *p = &list->patterns[i];

		answer = match_one(p, w, &value, err);
		if (answer == TABLE_FOUND && p->negate)
			answer = TABLE_NOT_FOUND;
		else if (answer == TABLE_NOT_FOUND)
			continue;
		break;
	}
	str_fini(&value);
	return answer;
}

enum table_answer match_list_text(struct match_list *list, const char *text, struct err *err)
{
	struct wanted w = {
	    .domain = list->flags & MATCH_DOMAINS, .subdomains = list->flags & MATCH_SUBDOMAINS};
	enum table_answer answer;
	char *name;

	if (list->count == 0)
		return TABLE_NOT_FOUND;
	name = alloc_strdup(text);
	text_lower(name);
	w.name = name;
	answer = match_all(list, &w, err);
	free(name);
	return answer;
}

enum table_answer match_list_host(
    struct match_list *list, const char *name, const char *address, struct err *err)
{
	struct wanted w = {.domain = true, .subdomains = list->flags & MATCH_SUBDOMAINS};
	struct prefix block;
	enum table_answer answer;
	char *lower = name ? alloc_strdup(name) : NULL;

	if (lower)
		text_lower(lower);
	w.name = lower;
	w.address = address;
	if (address && prefix_parse_address(address, &block))
		w.block = &block;
	answer = match_all(list, &w, err);
	free(lower);
	return answer;
}
