/* SPDX-License-Identifier: ISC */
#include "lib/table/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/conf/lines.h"
#include "lib/sys/fd.h"

enum { IF_DEPTH_MAX = 100 };

enum rule_kind { RULE_MATCH, RULE_IF, RULE_BAD };

struct rule {
	enum rule_kind kind;
	bool negate;
	bool substitute; /* the value names groups */
	int line;
	void *compiled; /* NULL: a bad one */
	char *value;    /* of a bad one: what is wrong with it */
	size_t end;     /* of an "if": the rule behind its "endif" */
};

struct pattern_table {
	const struct pattern_engine *engine;
	struct rule *rules;
	size_t count;
	int flags;
	const char *name; /* while it is read, for messages */
	int line;         /* likewise */
	size_t walked;    /* rules that pattern_next has shown */
	size_t open_ifs[IF_DEPTH_MAX];
	size_t depth;
	size_t skip_depth; /* "if"s within a bad one */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct slice *s)
{
	while (s->len > 0 && is_blank(*s->data)) {
		s->data++;
		s->len--;
	}
}

int pattern_split(
    struct slice *line, struct slice *pattern_out, struct slice *flags_out, struct err *err)
{
	size_t i, end;
	char delimiter;

	if (line->len == 0 || isalnum((unsigned char)line->data[0]) || line->data[0] == '\\')
		return err_set(err, 0, "expected a pattern between delimiters, as /pattern/");
	delimiter = line->data[0];
	for (i = 1; i < line->len && line->data[i] != delimiter; i++) {
		if (line->data[i] == '\\')
			i++;
	}
	if (i >= line->len)
		return err_set(err, 0, "no closing \"%c\" after the pattern", delimiter);
	for (end = i + 1; end < line->len && !is_blank(line->data[end]); end++)
		;
	*pattern_out = slice_of(line->data + 1, i - 1);
	*flags_out = slice_of(line->data + i + 1, end - i - 1);
	*line = slice_of(line->data + end, line->len - end);
	return 0;
}

/*
 * "$n", "${n}" or "$(n)" at text[0]; *len_out is its length, *group_out n. "$$" has group -1.
 * false: none of these.
 */
static bool parse_group(struct slice text, size_t *len_out, int *group_out)
{
	char close = '\0';
	size_t start = 1, end;
	uint64_t n;

	if (text.len < 2)
		return false;
	if (text.data[1] == '$') {
		*len_out = 2;
		*group_out = -1;
		return true;
	}
	if (text.data[1] == '{' || text.data[1] == '(') {
		close = text.data[1] == '{' ? '}' : ')';
		start = 2;
	}
	for (end = start; end < text.len && isdigit((unsigned char)text.data[end]); end++)
		;
	if (!num_u64(text.data + start, end - start, INT32_MAX, &n))
		return false;
	if (close && (end == text.len || text.data[end++] != close))
		return false;
	*len_out = end;
	*group_out = (int)n;
	return true;
}

/* Checks the groups that the value names; sets rule->substitute. */
static int check_value(struct rule *rule, int groups, int flags, struct err *err)
{
	struct slice text = slice_text(rule->value);

	while (text.len > 0) {
		size_t len = 1;
		int group = 0;

		if (text.data[0] == '$') {
			if (!parse_group(text, &len, &group))
				return err_set(
				    err, 0, "\"%s\": expected $n, ${n}, $(n) or $$", rule->value);
			rule->substitute = true;
			if (group >= 0 && (flags & TABLE_NO_GROUPS))
				return err_set(
				    err, 0, "regular expression substitution is not allowed");
			if (group >= 0 && rule->negate)
				return err_set(err, 0, "$number in the value of a negated pattern");
			if (group == 0 || group > groups || group >= PATTERN_GROUPS_MAX)
				return err_set(err, 0, "no group for $%d in the pattern", group);
		}
		text = slice_of(text.data + len, text.len - len);
	}
	return 0;
}

static void put_value(
    const struct rule *rule, const struct pattern_subject *subject, struct str *out)
{
	struct slice text = slice_text(rule->value);

	if (!rule->substitute) {
		str_put(out, text.data, text.len);
		return;
	}
	while (text.len > 0) {
		size_t len = 1;
		int group;

		if (text.data[0] != '$' || !parse_group(text, &len, &group))
			str_put_char(out, text.data[0]);
		else if (group < 0)
			str_put_char(out, '$');
		else
			str_put(out, subject->groups[group].data, subject->groups[group].len);
		text = slice_of(text.data + len, text.len - len);
	}
}

static struct rule *add(struct pattern_table *t, struct rule rule)
{
	if ((t->count & (t->count - 1)) == 0)
		t->rules = alloc_array(t->rules, t->count ? t->count * 2 : 1, sizeof(rule));
	t->rules[t->count] = rule;
	return &t->rules[t->count++];
}

static bool word_is(struct slice line, const char *word)
{
	size_t len = strlen(word);

	return line.len >= len && slice_eq_nocase(slice_of(line.data, len), word) &&
	       (line.len == len || !isalnum((unsigned char)line.data[len]));
}

static int add_endif(struct pattern_table *t, struct slice rest, struct err *err)
{
	if (t->depth == 0)
		return err_set(err, 0, "endif without if");
	t->depth--;
	t->rules[t->open_ifs[t->depth]].end = t->count;
	skip_blanks(&rest);
	if (rest.len > 0)
		return err_set(err, 0, "text after endif is ignored");
	return 0;
}

static int parse_rule(
    struct pattern_table *t, struct slice line, bool is_if, struct rule *rule, struct err *err)
{
	int groups = 0;

	skip_blanks(&line);
	while (line.len > 0 && line.data[0] == '!') {
		rule->negate = !rule->negate;
		line = slice_of(line.data + 1, line.len - 1);
		skip_blanks(&line);
	}
	rule->compiled = t->engine->compile(&line, &groups, err);
	if (!rule->compiled)
		return -1;
	line = slice_trim(line);
	if (is_if) {
		if (line.len > 0)
			log_warn("%s: text after the pattern of an if is ignored: %.*s", t->name,
			    SLICE_ARG(line));
		return 0;
	}
	if (line.len == 0)
		return err_set(err, 0, "expected a value behind the pattern");
	rule->value = alloc_strndup(line.data, line.len);
	return groups < 0 ? 0 : check_value(rule, groups, t->flags, err);
}

static int add_rule(struct pattern_table *t, struct slice line, struct err *err)
{
	bool is_if = word_is(line, "if");
	struct rule rule = {.kind = is_if ? RULE_IF : RULE_MATCH, .line = t->line};

	if (t->skip_depth > 0) {
		t->skip_depth += is_if;
		t->skip_depth -= word_is(line, "endif");
		return 0;
	}
	if (word_is(line, "endif"))
		return add_endif(t, slice_of(line.data + 5, line.len - 5), err);
	if (is_if)
		line = slice_of(line.data + 2, line.len - 2);
	if (is_if && t->depth == IF_DEPTH_MAX)
		err_set(err, 0, "if within if deeper than %d", IF_DEPTH_MAX);
	else if (parse_rule(t, line, is_if, &rule, err) == 0) {
		if (is_if)
			t->open_ifs[t->depth++] = t->count;
		add(t, rule);
		return 0;
	}
	if (rule.compiled)
		t->engine->free(rule.compiled);
	free(rule.value);
	if (is_if) /* what it guards must not apply unguarded */
		t->skip_depth = 1;
	return -1;
}

/* Left out, but remembered for who asks for all rules. */
static void bad_rule(struct pattern_table *t, int line, const struct err *err)
{
	log_warn("%s, line %d: %s: skipping this rule", t->name, line, err->text);
	add(t, (struct rule){.kind = RULE_BAD, .line = line, .value = alloc_strdup(err->text)});
}

static void read_lines(struct pattern_table *t, struct slice text)
{
	struct lines lines = {.text = text.data, .len = text.len};
	struct slice line;
	struct err err;

	while (lines_next(&lines, &line)) {
		t->line = lines.start_line;
		if (add_rule(t, slice_trim(line), &err) < 0)
			bad_rule(t, lines.start_line, &err);
	}
	if (t->depth > 0 || t->skip_depth > 0)
		log_warn("%s: if without endif", t->name);
	while (t->depth > 0)
		t->rules[t->open_ifs[--t->depth]].end = t->count;
	lines_fini(&lines);
}

static int read_inline(const char *name, struct str *text, struct err *err)
{
	struct slice all = slice_trim(slice_text(name)), item;
	const char *cursor;
	char *copy;
	int rc = 0;

	if (!table_unbrace(&all))
		return err_set(err, EINVAL, "expected { {rule}, {rule} }");
	cursor = copy = alloc_strndup(all.data, all.len);
	while (rc == 0 && table_list_next(&cursor, &item)) {
		if (!table_unbrace(&item)) {
			rc = err_set(err, EINVAL, "\"%.*s\": expected {rule}", SLICE_ARG(item));
			break;
		}
		str_put(text, item.data, item.len);
		str_put_char(text, '\n');
	}
	free(copy);
	return rc;
}

char *pattern_file(const char *name)
{
	return name[0] == '{' ? NULL : alloc_strdup(name);
}

void *pattern_open_text(
    const struct pattern_engine *engine, const char *name, int flags, struct slice text)
{
	struct pattern_table *t = alloc_zero(1, sizeof(*t));

	t->engine = engine;
	t->flags = flags;
	t->name = name;
	read_lines(t, text);
	t->name = NULL; /* the caller's, and only for now */
	return t;
}

int pattern_open(const struct pattern_engine *engine, const char *name, int flags, void **state_out,
    struct err *err)
{
	struct str text = {0};
	int rc = name[0] == '{' ? read_inline(name, &text, err)
	                        : fd_read_file(name, TABLE_FILE_MAX, &text, err);

	if (rc == 0)
		*state_out =
		    pattern_open_text(engine, name, flags, slice_of(str_text(&text), text.len));
	str_fini(&text);
	return rc;
}

void pattern_close(void *state)
{
	struct pattern_table *t = state;

	for (size_t i = 0; i < t->count; i++) {
		if (t->rules[i].compiled)
			t->engine->free(t->rules[i].compiled);
		free(t->rules[i].value);
	}
	free(t->rules);
	free(t);
}

enum table_answer pattern_get(void *state, const char *key, struct str *out, struct err *err)
{
	const struct pattern_table *t = state;
	struct pattern_subject subject;
	size_t i = 0;

	subject.text = key;
	subject.len = strlen(key);
	if (t->engine->prepare && !t->engine->prepare(&subject))
		return TABLE_NOT_FOUND;
	while (i < t->count) {
		const struct rule *rule = &t->rules[i];
		int rc;

		if (rule->kind == RULE_BAD) {
			i++;
			continue;
		}
		rc = t->engine->match(rule->compiled, &subject, rule->substitute, err);

		if (rc < 0)
			return TABLE_ERROR;
		if (rc == PATTERN_OTHER_KIND || (rc == 1) == rule->negate) {
			i = rule->kind == RULE_IF ? rule->end : i + 1;
		} else if (rule->kind == RULE_IF) {
			i++;
		} else {
			put_value(rule, &subject, out);
			return TABLE_FOUND;
		}
	}
	return TABLE_NOT_FOUND;
}

int pattern_next_rule(
    void *state, bool first, struct str *key_out, struct str *value_out, struct err *err)
{
	struct pattern_table *t = state;

	if (first)
		t->walked = 0;
	while (t->walked < t->count && t->rules[t->walked].kind == RULE_IF)
		t->walked++;
	if (t->walked == t->count)
		return 0;
	str_printf(key_out, "line %d", t->rules[t->walked].line);
	if (t->rules[t->walked].kind == RULE_BAD)
		return err_set(
		    err, EINVAL, "%s: %s", str_text(key_out), t->rules[t->walked++].value);
	str_put_text(value_out, t->rules[t->walked++].value);
	return 1;
}
