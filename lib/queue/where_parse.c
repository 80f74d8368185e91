/* SPDX-License-Identifier: ISC */
/* The parser: recursive descent over the bytes; every error says the column where it was seen. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/str.h"
#include "lib/queue/where_private.h"

enum { NAME_MAX_LEN = 20 };

static const struct {
	const char *name;
	enum where_field field;
	enum where_value_kind kind;
} fields[] = {
    {"queue", FIELD_QUEUE, VALUE_QUEUE},
    {"id", FIELD_ID, VALUE_TEXT},
    {"sender", FIELD_SENDER, VALUE_TEXT},
    {"recipient", FIELD_RECIPIENT, VALUE_TEXT},
    {"domain", FIELD_DOMAIN, VALUE_TEXT},
    {"sender_domain", FIELD_SENDER_DOMAIN, VALUE_TEXT},
    {"reason", FIELD_REASON, VALUE_TEXT},
    {"size", FIELD_SIZE, VALUE_SIZE},
    {"age", FIELD_AGE, VALUE_TIME},
    {"recipients", FIELD_RECIPIENTS, VALUE_COUNT},
    {"expired", FIELD_EXPIRED, VALUE_NONE},
    /* as people say it, too */
    {"from", FIELD_SENDER, VALUE_TEXT},
    {"to", FIELD_RECIPIENT, VALUE_TEXT},
};

/* Longer operators first. */
static const struct {
	const char *text;
	enum where_op op;
	bool negated, for_text, for_numbers;
} operators[] = {
    {"==", OP_EQUAL, false, true, true},
    {"=~", OP_LIKE, false, true, false},
    {"!=", OP_EQUAL, true, true, true},
    {"!~", OP_LIKE, true, true, false},
    {"<=", OP_MORE, true, false, true},
    {">=", OP_LESS, true, false, true},
    {"=", OP_EQUAL, false, true, true},
    {"~", OP_LIKE, false, true, false},
    {"<", OP_LESS, false, false, true},
    {">", OP_MORE, false, false, true},
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct where_parser *p)
{
	while (is_blank(p->text[p->at]))
		p->at++;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Takes a sign, or a word that ends here. */
static bool take(struct where_parser *p, const char *token)
{
	size_t len = strlen(token);

	skip_blanks(p);
	if (strncasecmp(p->text + p->at, token, len) != 0 ||
	    (is_name_char(token[0]) && is_name_char(p->text[p->at + len])))
		return false;
	p->at += len;
	return true;
}

static int add_node(struct where_parser *p, enum where_kind kind)
{
	struct where *w = p->where;

	if (w->count == WHERE_NODES_MAX)
		return where_fail(p, p->at, "the expression has too many parts");
	w->nodes[w->count] = (struct where_node){.kind = kind, .child = -1, .next = -1};
	return (int)w->count++;
}

static int negate(struct where_parser *p, int child)
{
	int node = add_node(p, NODE_NOT);

	if (node >= 0)
		p->where->nodes[node].child = child;
	return node;
}

/* ---- values -------------------------------------------------------------------------------- */

/* In quotes everything is itself, but the quote, which a backslash puts there. */
static int quoted_value(struct where_parser *p, struct str *out)
{
	size_t began = p->at;
	char quote = p->text[p->at++];

	while (p->text[p->at] && p->text[p->at] != quote) {
		if (p->text[p->at] == '\\' && p->text[p->at + 1] == quote)
			p->at++;
		else if (p->text[p->at] == '\\' && p->text[p->at + 1])
			str_put_char(out, p->text[p->at++]);
		str_put_char(out, p->text[p->at++]);
	}
	if (!p->text[p->at])
		return where_fail(p, began, "this quote is not closed");
	p->at++;
	if (p->text[p->at] && !is_blank(p->text[p->at]) && p->text[p->at] != ')')
		return where_fail(p, p->at, "a blank is missing behind the quote");
	return 0;
}

/* Numbers may have a sign of the language right behind them. */
static int number_value(struct where_parser *p, struct str *out)
{
	size_t began = p->at;

	while (is_name_char(p->text[p->at]))
		str_put_char(out, p->text[p->at++]);
	if (out->len == 0 && p->text[began] && !is_blank(p->text[began]))
		return where_fail(p, began, "\"%.10s\" is not a number", p->text + began);
	return out->len > 0 ? 0 : where_fail(p, began, "a value is missing");
}

static int bare_value(struct where_parser *p, struct str *out)
{
	int open = 0;

	for (; p->text[p->at] && !is_blank(p->text[p->at]); p->at++) {
		char c = p->text[p->at];

		open += c == '(' ? 1 : c == ')' ? -1 : 0;
		if (open < 0)
			break;
		str_put_char(out, c);
		if (c == '\\' && p->text[p->at + 1] && !is_blank(p->text[p->at + 1]))
			str_put_char(out, p->text[++p->at]);
	}
	return out->len > 0 ? 0 : where_fail(p, p->at, "a value is missing");
}

/* ---- grammar ------------------------------------------------------------------------------- */

static bool is_number(enum where_value_kind kind)
{
	return kind == VALUE_SIZE || kind == VALUE_TIME || kind == VALUE_COUNT;
}

static int parse_operator(
    struct where_parser *p, enum where_value_kind kind, const char *name, size_t *out)
{
	bool number = is_number(kind);
	size_t began;

	skip_blanks(p);
	began = p->at;
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		if (!take(p, operators[i].text))
			continue;
		if (number ? !operators[i].for_numbers : !operators[i].for_text)
			return where_fail(p, began, "%s is compared with %s", name,
			    number ? "= != < <= > >=" : "= != ~ !~");
		*out = i;
		return 0;
	}
	return where_fail(p, began, "an operator is missing behind %s: %s", name,
	    number ? "= != < <= > >=" : "= != ~ !~");
}

static int parse_field(struct where_parser *p, size_t *out)
{
	char name[NAME_MAX_LEN + 1];
	size_t began, len = 0;

	skip_blanks(p);
	began = p->at;
	while (is_name_char(p->text[began + len]))
		len++;
	if (len == 0)
		return p->text[began]
		           ? where_fail(p, began, "a comparison is missing before \"%.10s\"",
		                 p->text + began)
		           : where_fail(p, began, "a comparison is missing at the end");
	snprintf(name, sizeof(name), "%.*s", (int)MIN(len, sizeof(name) - 1), p->text + began);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (len < sizeof(name) && text_eq_nocase(fields[i].name, name)) {
			p->at += len;
			*out = i;
			return 0;
		}
	}
	return where_fail(p, began,
	    "there is no field \"%s\": it is one of queue, id, sender, recipient, domain, "
	    "sender_domain, reason, size, age, recipients, expired",
	    name);
}

static int parse_comparison(struct where_parser *p)
{
	struct str value = {0};
	struct where_node *n;
	size_t field = 0, op = 0, at;
	int node, rc;

	if (parse_field(p, &field) < 0 || (node = add_node(p, NODE_COMPARE)) < 0)
		return -1;
	n = &p->where->nodes[node];
	n->field = fields[field].field;
	if (fields[field].kind == VALUE_NONE)
		return node;
	if (parse_operator(p, fields[field].kind, fields[field].name, &op) < 0)
		return -1;
	n->op = operators[op].op;
	skip_blanks(p);
	at = p->at;
	rc = p->text[at] == '"' || p->text[at] == '\'' ? quoted_value(p, &value)
	     : is_number(fields[field].kind)           ? number_value(p, &value)
	                                               : bare_value(p, &value);
	n->text = arena_strdup(&p->where->arena, str_text(&value));
	str_fini(&value);
	if (rc < 0 || where_set_value(p, at, fields[field].kind, n) < 0)
		return -1;
	return operators[op].negated ? negate(p, node) : node;
}

static int parse_or(struct where_parser *p);

static int parse_factor(struct where_parser *p)
{
	int node;

	if (p->depth >= WHERE_DEPTH_MAX)
		return where_fail(p, p->at, "more than %d levels", WHERE_DEPTH_MAX);
	if (take(p, "not") || take(p, "!")) {
		p->depth++;
		node = parse_factor(p);
		p->depth--;
		return node < 0 ? -1 : negate(p, node);
	}
	if (take(p, "(")) {
		size_t opened = p->at - 1;

		p->depth++;
		node = parse_or(p);
		p->depth--;
		if (node >= 0 && !take(p, ")"))
			return where_fail(p, opened, "this parenthesis is not closed");
		return node;
	}
	return parse_comparison(p);
}

/* What stands between words or signs of one kind, as children of one node. */
static int parse_chain(struct where_parser *p, int (*part)(struct where_parser *),
    enum where_kind kind, const char *word, const char *sign)
{
	int first = part(p), chain = -1, last = first;

	while (first >= 0 && (take(p, word) || take(p, sign))) {
		int more = part(p);

		if (more < 0 || (chain < 0 && (chain = add_node(p, kind)) < 0))
			return -1;
		p->where->nodes[chain].child = first;
		p->where->nodes[last].next = more;
		last = more;
	}
	return first < 0 || chain < 0 ? first : chain;
}

static int parse_and(struct where_parser *p)
{
	return parse_chain(p, parse_factor, NODE_AND, "and", "&&");
}

static int parse_or(struct where_parser *p)
{
	return parse_chain(p, parse_and, NODE_OR, "or", "||");
}

struct where *where_parse(const char *text, struct err *err)
{
	struct where *where = alloc_zero(1, sizeof(*where));
	struct where_parser p = {.where = where, .text = text, .err = err};

	if (strlen(text) > WHERE_TEXT_MAX) {
		where_fail(&p, WHERE_TEXT_MAX, "the expression is too long");
		where_free(&where);
		return NULL;
	}
	where->root = parse_or(&p);
	skip_blanks(&p);
	if (where->root >= 0 && text[p.at])
		where->root = where_fail(
		    &p, p.at, "\"and\" or \"or\" is missing before \"%.20s\"", text + p.at);
	if (where->root < 0)
		where_free(&where);
	return where;
}
