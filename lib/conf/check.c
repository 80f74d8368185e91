/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <ctype.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/map.h"
#include "lib/conf/catalogue.h"
#include "lib/conf/conf.h"

#define NAME_MAX_LEN 96
#define FAR 3 /* more edits than this is no misspelling */

/* Levenshtein distance, swaps of neighbours counted as one; FAR + 1 when it is clearly beyond. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_LEN + 1], na = strlen(a), nb = strlen(b);
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	if (na > NAME_MAX_LEN || nb > NAME_MAX_LEN || na > nb + FAR || nb > na + FAR)
		return FAR + 1;
	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *swap, least = now[0] = i;

		for (size_t j = 1; j <= nb; j++) {
			size_t d = last[j - 1] + (a[i - 1] != b[j - 1]);

			d = MIN(d, MIN(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = MIN(d, before[j - 2] + 1);
			now[j] = d;
			least = MIN(least, d);
		}
		if (least > FAR)
			return FAR + 1;
		swap = before;
		before = last;
		last = now;
		now = swap;
	}
	return last[nb];
}

/* Every $name, ${name} and $(name) in a text. */
static void collect_references(struct map *names, const char *text)
{
	char name[NAME_MAX_LEN + 1];

	while ((text = strchr(text, '$')) != NULL) {
		size_t n = 0;

		text++;
		if (*text == '$') {
			text++;
			continue;
		}
		if (*text == '{' || *text == '(')
			text += 1 + strspn(text + 1, " \t");
		while (isalnum((unsigned char)text[n]) || text[n] == '_')
			n++;
		if (n > 0 && n <= NAME_MAX_LEN) {
			memcpy(name, text, n);
			name[n] = '\0';
			map_put(names, name, names);
		}
		text += n;
	}
}

static void collect_words(struct map *names, const char *text)
{
	char word[NAME_MAX_LEN + 1];

	for (;;) {
		size_t n;

		text += strspn(text, ", \t\r\n");
		n = strcspn(text, ", \t\r\n");
		if (n == 0)
			return;
		if (n <= NAME_MAX_LEN) {
			memcpy(word, text, n);
			word[n] = '\0';
			map_put(names, word, names);
		}
		text += n;
	}
}

static bool has_row(const struct conf_table *const *tables, const char *name)
{
	for (; *tables; tables++) {
		for (size_t i = 0; i < (*tables)->count; i++) {
			if (strcmp((*tables)->rows[i].name, name) == 0)
				return true;
		}
	}
	return false;
}

/*
 * The nearest known name: among all that the catalogue and the tables have. A first letter that
 * differs is rarely a typo, so ties go to the name that starts alike.
 */
static const char *nearest(const struct conf_table *const *tables, const char *name)
{
	const char *best = NULL;
	size_t best_distance = MIN((size_t)FAR, strlen(name) / 3) + 1;

	for (size_t i = 0; i < catalogue_count; i++) {
		size_t d = distance(name, catalogue_rows[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = catalogue_rows[i].name;
		}
	}
	for (; *tables; tables++) {
		for (size_t i = 0; i < (*tables)->count; i++) {
			size_t d = distance(name, (*tables)->rows[i].name);

			if (d < best_distance) {
				best_distance = d;
				best = (*tables)->rows[i].name;
			}
		}
	}
	return best;
}

/* Names that steer the parser or that every program takes from the host. */
static const char *const always_used[] = {"compatibility_level", "config_directory",
    "mynetworks_style", "multi_instance_name", "multi_instance_enable", "multi_instance_group"};

static bool is_used(const struct conf_table *const *tables, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(always_used); i++) {
		if (strcmp(always_used[i], name) == 0)
			return true;
	}
	return has_row(tables, name) || conf_family_find(name) != NULL;
}

void conf_check_names(struct conf *conf, const struct conf_table *const *tables,
    const char *more_text, struct conf_report *report)
{
	struct map *referenced = map_new(), *classes = map_new();
	const char *name, *value, *origin, *guess;
	size_t cursor = 0;

	collect_words(classes, conf_get(conf, "smtpd_restriction_classes"));
	while (conf_next_set(conf, &cursor, NULL, &value, NULL))
		collect_references(referenced, value);
	if (more_text)
		collect_references(referenced, more_text);
	cursor = 0;
	while (conf_next_set(conf, &cursor, &name, NULL, &origin)) {
		if (is_used(tables, name) || map_get(referenced, name) || map_get(classes, name))
			continue;
		if (catalogue_find(name)) {
			conf_report_warning(report,
			    "%s: %s is known, but has no effect in this version", origin, name);
			continue;
		}
		guess = nearest(tables, name);
		conf_report_warning(report, "%s: %s: unknown parameter%s%s%s", origin, name,
		    guess ? ", did you mean " : "", guess ? guess : "", guess ? "?" : "");
	}
	map_free(&referenced, NULL);
	map_free(&classes, NULL);
}
