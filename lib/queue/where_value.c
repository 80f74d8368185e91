/* SPDX-License-Identifier: ISC */
/* Values of comparisons: numbers with units, names of queues, regular expressions; and errors. */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/str.h"
#include "lib/queue/where_private.h"
#include "lib/table/pattern.h"

/* Stands around a regular expression, as / does in a table, and cannot be in it. */
enum { DELIMITER = 1 };

struct unit {
	char letter;
	int64_t factor;
};
static const struct unit size_units[] = {{'k', 1024}, {'m', 1024 * 1024}, {'g', 1024 * 1024 * 1024},
    {'t', 1024LL * 1024 * 1024 * 1024}, {0, 1}};
static const struct unit time_units[] = {
    {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 24 * 3600}, {'w', 7 * 24 * 3600}, {0, 1}};
static const struct unit no_units[] = {{0, 1}};

int where_fail(struct where_parser *p, size_t at, const char *fmt, ...)
{
	struct str text = {.max = sizeof(p->err->text) - 40};
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	if (text.len > 0)
		text_make_printable(text.data, text.len);
	err_set(p->err, 0, "column %zu: %s", at + 1, str_text(&text));
	str_fini(&text);
	return -1;
}

static int parse_number(
    struct where_parser *p, size_t at, const char *text, const struct unit *units, int64_t *out)
{
	int64_t sum = 0;

	if (!isdigit((unsigned char)*text))
		return where_fail(p, at, "\"%s\" is not a number", text);
	while (*text) {
		const struct unit *u = units;
		int64_t n = 0;

		for (; isdigit((unsigned char)*text); text++, at++) {
			if (__builtin_mul_overflow(n, 10, &n) ||
			    __builtin_add_overflow(n, *text - '0', &n))
				return where_fail(p, at, "the number is too large");
		}
		while (u->letter && u->letter != tolower((unsigned char)*text))
			u++;
		if (!u->letter && *text)
			return where_fail(p, at, "\"%s\" is not a unit%s", text,
			    units == size_units   ? " of size (k, M, G, T)"
			    : units == time_units ? " of time (s, m, h, d, w)"
			                          : "; this is a plain number");
		if (__builtin_mul_overflow(n, u->factor, &n) ||
		    __builtin_add_overflow(sum, n, &sum))
			return where_fail(p, at, "the number is too large");
		text += u->letter != 0;
		at += u->letter != 0;
		if (*text && !isdigit((unsigned char)*text))
			return where_fail(p, at, "\"%s\" is not a number", text);
	}
	*out = sum;
	return 0;
}

/* The engine of pcre: tables, with its bounds on what a match may cost. */
static int compile(struct where_parser *p, size_t at, struct where_node *n)
{
	struct str line = {0};
	struct slice rest;
	struct err err = {0};
	int groups;

	if (strchr(n->text, DELIMITER))
		return where_fail(p, at, "control characters are not understood");
	str_printf(&line, "%c%s%c", DELIMITER, n->text, DELIMITER);
	rest = slice_of(line.data, line.len);
	n->regex = pattern_pcre.compile(&rest, &groups, &err);
	str_fini(&line);
	return n->regex ? 0 : where_fail(p, at, "bad regular expression %s", err.text);
}

int where_set_value(
    struct where_parser *p, size_t at, enum where_value_kind kind, struct where_node *n)
{
	switch (kind) {
	case VALUE_SIZE:
		return parse_number(p, at, n->text, size_units, &n->number);
	case VALUE_TIME:
		return parse_number(p, at, n->text, time_units, &n->number);
	case VALUE_COUNT:
		return parse_number(p, at, n->text, no_units, &n->number);
	default:
		break;
	}
	if (n->op == OP_LIKE)
		return compile(p, at, n);
	if (kind == VALUE_QUEUE && !where_queue_bit(n->text))
		return where_fail(p, at,
		    "there is no queue \"%s\": it is one of maildrop, incoming, active, deferred, "
		    "hold",
		    n->text);
	/* the null sender, as people write it */
	if (n->field == FIELD_SENDER && strcmp(n->text, "<>") == 0)
		n->text = "";
	return 0;
}
