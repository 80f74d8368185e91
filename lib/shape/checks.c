/* SPDX-License-Identifier: ISC */
#include "lib/shape/checks.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/mail/header.h"
#include "lib/table/table.h"

enum { TABLES = 4, BODY = 3 }; /* by enum mime_class, then the body's */

struct checks {
	struct table_chain *chains[TABLES];
	const char *names[TABLES];
	size_t body_limit;
	struct str key, value;
};

static const struct word {
	const char *word;
	enum check_action action;
	bool needs_text;
} words[] = {
    {"bcc", CHECK_BCC, true},
    {"delay", CHECK_DELAY, true},
    {"discard", CHECK_DISCARD, false},
    {"dunno", CHECK_DUNNO, false},
    {"ok", CHECK_DUNNO, false},
    {"filter", CHECK_FILTER, true},
    {"hold", CHECK_HOLD, false},
    {"ignore", CHECK_IGNORE, false},
    {"info", CHECK_INFO, false},
    {"pass", CHECK_PASS, false},
    {"prepend", CHECK_PREPEND, true},
    {"redirect", CHECK_REDIRECT, true},
    {"reject", CHECK_REJECT, false},
    {"replace", CHECK_REPLACE, true},
    {"strip", CHECK_STRIP, false},
    {"warn", CHECK_WARN, false},
};

struct check check_parse(struct slice value)
{
	size_t len = 0;

	value = slice_trim(value);
	while (len < value.len && !strchr(" \t\r\n", value.data[len]))
		len++;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_eq_nocase(slice_of(value.data, len), words[i].word))
			return (struct check){words[i].action, words[i].word,
			    slice_trim(slice_of(value.data + len, value.len - len)), value};
	return (struct check){CHECK_UNKNOWN, "", value, value};
}

void check_put_text(struct str *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\n' && (i == 0 || text.data[i - 1] != '\r'))
			str_put_char(out, '\r');
		str_put_char(out, text.data[i]);
	}
	str_put_text(out, "\r\n");
}

bool check_needs_text(enum check_action action)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].action == action)
			return words[i].needs_text;
	return false;
}

struct checks *checks_open(const struct checks_tables *t)
{
	const char *const lists[TABLES] = {t->header, t->mime, t->nested, t->body};
	const char *const names[TABLES] = {
	    t->header_name, t->mime_name, t->nested_name, t->body_name};
	struct checks *c;
	bool any = false;

	for (int i = 0; i < TABLES; i++)
		any = any || *lists[i];
	if (!any)
		return NULL;
	c = alloc_zero(1, sizeof(*c));
	c->body_limit = t->body_limit;
	for (int i = 0; i < TABLES; i++) {
		c->chains[i] = table_chain_open(lists[i], 0);
		c->names[i] = names[i];
	}
	return c;
}

enum table_age checks_age(const struct checks *c)
{
	enum table_age worst = TABLE_FRESH;

	for (int i = 0; c && i < TABLES; i++)
		worst = MAX(worst, table_chain_age(c->chains[i]));
	return worst;
}

void checks_close(struct checks **checks)
{
	struct checks *c = *checks;

	if (!c)
		return;
	for (int i = 0; i < TABLES; i++)
		table_chain_close(&c->chains[i]);
	str_fini(&c->key);
	str_fini(&c->value);
	free(c);
	*checks = NULL;
}

bool checks_body_wanted(const struct checks *c)
{
	return c && !table_chain_empty(c->chains[BODY]);
}

bool checks_parts_wanted(const struct checks *c)
{
	return c && (checks_body_wanted(c) || !table_chain_empty(c->chains[MIME_PART]) ||
	                !table_chain_empty(c->chains[MIME_NESTED]));
}

/* The text as tables have it: LF between lines, none behind the last, no zero byte. */
static const char *key_of(struct checks *c, struct slice text)
{
	str_clear(&c->key);
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];

		if (byte == '\r' && i + 1 < text.len && text.data[i + 1] == '\n')
			continue;
		str_put_char(&c->key, byte ? byte : ' ');
	}
	if (c->key.len && c->key.data[c->key.len - 1] == '\n')
		str_cut(&c->key, c->key.len - 1);
	return str_text(&c->key);
}

static enum table_answer ask(struct checks *c, int which, struct slice text, struct check *out,
    const char **map_out, struct err *err)
{
	enum table_answer answer;
	const char *key;

	*map_out = c->names[which];
	if (table_chain_empty(c->chains[which]))
		return TABLE_NOT_FOUND;
	key = key_of(c, text);
	if (!*key)
		return TABLE_NOT_FOUND; /* an empty line is a key for no table */
	answer = table_chain_get(c->chains[which], key, &c->value, err);
	if (answer == TABLE_FOUND)
		*out = check_parse(slice_of(str_text(&c->value), c->value.len));
	return answer;
}

enum table_answer checks_header(struct checks *c, enum mime_class class_, struct slice field,
    struct check *out, const char **map_out, struct err *err)
{
	/* fields of MIME belong to mime_header_checks wherever they stand */
	if (mime_is_field(slice_of(field.data, header_name_len(field))))
		class_ = MIME_PART;
	return ask(c, (int)class_, field, out, map_out, err);
}

enum table_answer checks_body(struct checks *c, struct slice line, size_t *seen, struct check *out,
    const char **map_out, struct err *err)
{
	if (*seen >= c->body_limit) {
		*map_out = c->names[BODY];
		return TABLE_NOT_FOUND;
	}
	*seen += line.len;
	return ask(c, BODY, line, out, map_out, err);
}
