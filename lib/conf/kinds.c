/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/conf/conf.h"

/* The bounds in words, for a value that is a number but a wrong one. */
static int out_of_bounds(const struct conf_param *row, struct err *err)
{
	if (row->max)
		return err_set(
		    err, 0, "expected %lld to %lld", (long long)row->min, (long long)row->max);
	return err_set(err, 0, "expected at least %lld", (long long)row->min);
}

static bool in_bounds(const struct conf_param *row, int64_t value)
{
	return value >= row->min && (row->max == 0 || value <= row->max);
}

static int parse_text(
    struct conf *conf, const struct conf_param *row, const char *text, void *at, struct err *err)
{
	int64_t len = (int64_t)strlen(text);

	if (row->max && !in_bounds(row, len))
		return err_set(err, 0, "expected %lld to %lld characters", (long long)row->min,
		    (long long)row->max);
	if (len < row->min)
		return err_set(err, 0, "expected some text");
	*(const char **)at = arena_strdup(conf_arena(conf), text);
	return 0;
}

static int parse_bool(struct conf *conf UNUSED, const struct conf_param *row UNUSED,
    const char *text, void *at, struct err *err)
{
	if (text_eq_nocase(text, "yes"))
		*(bool *)at = true;
	else if (text_eq_nocase(text, "no"))
		*(bool *)at = false;
	else
		return err_set(err, 0, "expected yes or no");
	return 0;
}

static int parse_int(struct conf *conf UNUSED, const struct conf_param *row, const char *text,
    void *at, struct err *err)
{
	int value;

	if (!num_int(text, INT_MIN, INT_MAX, &value))
		return err_set(err, 0, "expected a whole number");
	if (!in_bounds(row, value))
		return out_of_bounds(row, err);
	*(int *)at = value;
	return 0;
}

static int parse_size(struct conf *conf UNUSED, const struct conf_param *row, const char *text,
    void *at, struct err *err)
{
	uint64_t value;

	if (!num_u64(text, strlen(text), INT64_MAX, &value))
		return err_set(err, 0, "expected a size in bytes, without a unit");
	if (!in_bounds(row, (int64_t)value))
		return out_of_bounds(row, err);
	*(int64_t *)at = (int64_t)value;
	return 0;
}

/* Seconds in a unit, 0 when c is none. */
static int unit_secs(char c)
{
	switch (tolower((unsigned char)c)) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 7 * 86400;
	default:
		return 0;
	}
}

/* A bare number has the unit of the default, as in Postfix: maximal_queue_lifetime = 5 is days. */
static int default_unit(const char *dflt)
{
	size_t n = dflt ? strlen(dflt) : 0;
	int unit;

	if (n < 2 || !(isdigit((unsigned char)dflt[n - 2]) || dflt[n - 2] == '}'))
		return 1;
	unit = unit_secs(dflt[n - 1]);
	return unit ? unit : 1;
}

static int parse_secs(struct conf *conf UNUSED, const struct conf_param *row, const char *text,
    void *at, struct err *err)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t value;
	int unit;

	if (text[digits] == '\0')
		unit = default_unit(row->dflt);
	else
		unit = text[digits + 1] == '\0' ? unit_secs(text[digits]) : 0;
	if (!unit || !num_u64(text, digits, INT64_MAX, &value))
		return err_set(err, 0, "expected a time such as 30s, 5m, 2h, 1d, 1w");
	if (value > (uint64_t)(INT_MAX / unit))
		return err_set(err, 0, "expected a time below 68 years");
	if (!in_bounds(row, (int64_t)value * unit))
		return err_set(err, 0, "expected %llds%s%.0lld%s", (long long)row->min,
		    row->max ? " to " : " or more", (long long)row->max, row->max ? "s" : "");
	*(int *)at = (int)value * unit;
	return 0;
}

static int expected_names(const struct conf_param *row, const char *how, struct err *err)
{
	struct str names = {.max = 400};

	for (const struct conf_enum *e = row->names; e->name; e++)
		if (e->name[0])
			str_printf(&names, "%s%s", names.len ? ", " : "", e->name);
	err_set(err, 0, "expected %s: %s", how, str_text(&names));
	str_fini(&names);
	return -1;
}

static int parse_enum(struct conf *conf UNUSED, const struct conf_param *row, const char *text,
    void *at, struct err *err)
{
	for (const struct conf_enum *e = row->names; e->name; e++) {
		if (text_eq_nocase(e->name, text)) {
			*(int *)at = e->value;
			return 0;
		}
	}
	return expected_names(row, "one of", err);
}

/* Items end at commas and blanks, but not within braces: "type:{{a = b}, {c = d}} other". */
static struct slice next_item(const char **text)
{
	const char *start = *text + strspn(*text, ", \t\r\n"), *p = start;
	int level = 0;

	for (; *p && (level > 0 || !strchr(", \t\r\n", *p)); p++) {
		if (*p == '{')
			level++;
		else if (*p == '}' && level > 0)
			level--;
	}
	*text = p;
	return slice_of(start, (size_t)(p - start));
}

static int parse_list(struct conf *conf, const struct conf_param *row UNUSED, const char *text,
    void *at, struct err *err UNUSED)
{
	struct conf_list *list = at;
	const char *rest = text, **items;
	struct slice item;
	size_t count = 0;

	while (next_item(&rest).len > 0)
		count++;
	items = arena_zero(conf_arena(conf), count + 1, sizeof(*items));
	rest = text;
	for (size_t i = 0; i < count; i++) {
		item = next_item(&rest);
		items[i] = arena_strndup(conf_arena(conf), item.data, item.len);
	}
	list->items = items;
	list->count = count;
	return 0;
}

static int parse_set(struct conf *conf UNUSED, const struct conf_param *row, const char *text,
    void *at, struct err *err)
{
	struct slice item;
	int set = 0;

	while ((item = next_item(&text)).len > 0) {
		const struct conf_enum *e = row->names;

		while (e->name && !slice_eq_nocase(item, e->name))
			e++;
		if (!e->name)
			return expected_names(row, "words among", err);
		set |= e->value;
	}
	*(int *)at = set;
	return 0;
}

/* As parse_set checks it, and kept as it is: for those who read the words by themselves. */
static int parse_words(
    struct conf *conf, const struct conf_param *row, const char *text, void *at, struct err *err)
{
	int unused;

	if (parse_set(conf, row, text, &unused, err) < 0)
		return -1;
	*(const char **)at = arena_strdup(conf_arena(conf), text);
	return 0;
}

const struct conf_kind conf_kind_text = {"text", "a text", parse_text};
const struct conf_kind conf_kind_raw = {
    "raw", "a text, in which $name is expanded later", parse_text};
const struct conf_kind conf_kind_bool = {"bool", "yes or no", parse_bool};
const struct conf_kind conf_kind_int = {"int", "a whole number", parse_int};
const struct conf_kind conf_kind_size = {"size", "a size in bytes", parse_size};
const struct conf_kind conf_kind_secs = {"time", "a time such as 30s, 5m, 2h, 1d, 1w", parse_secs};
const struct conf_kind conf_kind_enum = {"enum", "one of a few words", parse_enum};
const struct conf_kind conf_kind_set = {"set", "some of a few words", parse_set};
const struct conf_kind conf_kind_words = {"words", "some of a few words", parse_words};
const struct conf_kind conf_kind_list = {"list", "words, split at commas and blanks", parse_list};
