/* SPDX-License-Identifier: ISC */
#include "smtp/requiretls.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/idna.h"
#include "lib/sys/net.h"

struct element {
	struct table *table; /* NULL: word counts */
	enum requiretls word;
};

struct requiretls_policy {
	const char *parameter;
	struct element *elements;
	size_t count;
};

static enum requiretls word_of(struct slice word)
{
	static const struct {
		const char *name;
		enum requiretls value;
	} words[] = {{"enforce", REQUIRETLS_ENFORCE},
	    {"opportunistic+starttls", REQUIRETLS_STARTTLS},
	    {"opportunistic", REQUIRETLS_OPPORTUNISTIC}, {"disable", REQUIRETLS_OFF}};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_eq_nocase(word, words[i].name))
			return words[i].value;
	return REQUIRETLS_ERROR;
}

static struct element open_element(const char *parameter, struct slice item)
{
	struct element e = {.word = REQUIRETLS_ERROR};
	char *name = alloc_strndup(item.data, item.len);
	struct err err;

	if (!memchr(item.data, ':', item.len)) {
		e.word = word_of(item);
		if (e.word == REQUIRETLS_ERROR && !slice_eq_nocase(item, "error"))
			log_warn("%s: \"%s\": expected a table, enforce, "
			         "opportunistic+starttls, opportunistic, disable or error",
			    parameter, name);
	} else if (table_open(name, TABLE_FOLD_KEY, &e.table, &err) < 0) {
		log_warn("%s: %s", parameter, err.text);
		e.table = NULL;
	}
	free(name);
	return e;
}

struct requiretls_policy *requiretls_open(const char *parameter, const char *text)
{
	struct requiretls_policy *p;
	struct slice item;

	if (!text || !*text)
		return NULL;
	p = alloc_zero(1, sizeof(*p));
	p->parameter = parameter;
	while (table_list_next(&text, &item)) {
		p->elements = alloc_array(p->elements, p->count + 1, sizeof(*p->elements));
		p->elements[p->count++] = open_element(parameter, item);
	}
	return p;
}

void requiretls_close(struct requiretls_policy **policy)
{
	struct requiretls_policy *p = *policy;

	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		table_close(&p->elements[i].table);
	free(p->elements);
	free(p);
	*policy = NULL;
}

enum table_age requiretls_age(const struct requiretls_policy *p)
{
	enum table_age worst = TABLE_FRESH;

	for (size_t i = 0; p && i < p->count; i++)
		if (p->elements[i].table)
			worst = MAX(worst, table_age(p->elements[i].table));
	return worst;
}

/* The domain, then ".parent" for each parent; of a pattern table, and for an address, just that. */
static enum table_answer look_up(struct table *table, const char *key, struct str *value)
{
	struct net_addr address;
	bool whole = table_is_pattern(table) || net_addr_parse(&address, key, 0);
	enum table_answer answer;
	struct err err;

	for (;;) {
		answer = table_get(table, key, value, &err);
		if (answer == TABLE_ERROR)
			log_warn("%s: %s", table_name(table), err.text);
		if (answer != TABLE_NOT_FOUND || whole)
			return answer;
		key = strchr(key + 1, '.');
		if (!key)
			return TABLE_NOT_FOUND;
	}
}

static enum requiretls look_in(
    const struct requiretls_policy *p, struct table *table, const char *key, bool *found_out)
{
	struct str value = {0};
	enum table_answer answer = look_up(table, key, &value);
	enum requiretls word = REQUIRETLS_ERROR;

	*found_out = answer != TABLE_NOT_FOUND;
	if (answer == TABLE_FOUND) {
		struct slice text = slice_trim(slice_of(str_text(&value), value.len));

		word = word_of(text);
		if (word == REQUIRETLS_ERROR && !slice_eq_nocase(text, "error"))
			log_warn("%s: %s: \"%s\" for %s: expected enforce, "
			         "opportunistic+starttls, opportunistic, disable or error",
			    p->parameter, table_name(table), str_text(&value), key);
	}
	str_fini(&value);
	return word;
}

enum requiretls requiretls_find(const struct requiretls_policy *p, const char *destination)
{
	char ascii[IDNA_MAX];
	bool found;

	if (!p)
		return REQUIRETLS_ENFORCE;
	if (!idna_is_ascii(destination) && idna_to_ascii(destination, false, ascii))
		destination = ascii;
	for (size_t i = 0; i < p->count; i++) {
		const struct element *e = &p->elements[i];
		enum requiretls word;

		if (!e->table)
			return e->word;
		word = look_in(p, e->table, destination, &found);
		if (found)
			return word;
	}
	return REQUIRETLS_ENFORCE;
}
