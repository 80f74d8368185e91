/* SPDX-License-Identifier: ISC */
#include "commands/qshape/shape.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"

/* Columns that the names have at the least, and the name of the first row. */
enum { NAME_WIDTH_MIN = 18, COLUMN_MIN = 3, NUMBER_TEXT = 24 };
static const char total_name[] = "TOTAL";

struct shape_domain {
	const char *name; /* the map's key */
	unsigned long subdomains;
	unsigned long counts[SHAPE_BUCKETS_MAX + 1];
};

void shape_fini(struct shape *s)
{
	map_free(&s->domains, free);
}

int shape_bucket(const struct shape_settings *settings, int64_t age)
{
	double units = (double)age / (60.0 * settings->minutes);
	int bucket = 2;

	if (units < 1)
		return 1;
	if (settings->linear) {
		bucket = units < SHAPE_BUCKETS_MAX ? (int)units + 1 : SHAPE_BUCKETS_MAX;
	} else {
		for (; units >= 2 && bucket < settings->buckets; units /= 2)
			bucket++;
	}
	return MIN(bucket, settings->buckets);
}

void shape_domain(struct str *out, const char *address)
{
	const char *at = strrchr(address, '@');
	const char *from = !address[0] ? "MAILER-DAEMON" : at ? at + 1 : address;

	str_clear(out);
	for (; *from; from++) {
		if (*from == '.' && (out->len == 0 || out->data[out->len - 1] == '.'))
			continue;
		str_put_char(out, address[0] ? (char)tolower((unsigned char)*from) : *from);
	}
	if (out->len > 1 && out->data[out->len - 1] == '.')
		str_cut(out, out->len - 1);
}

static struct shape_domain *find(struct shape *s, const char *name)
{
	struct shape_domain *d = map_get(s->domains, name);

	if (!d) {
		d = alloc_zero(1, sizeof(*d));
		map_put(s->domains, name, d);
	}
	return d;
}

void shape_init(struct shape *s, const struct shape_settings *settings, int64_t now)
{
	*s = (struct shape){.settings = *settings, .now = now, .domains = map_new()};
	find(s, total_name); /* shown when nothing else is */
}

/* "mail.example.com", ".example.com": no further, as top-level domains are not shown. */
static const char *parent_of(const char *name)
{
	const char *dot = strchr(name + (name[0] == '.'), '.');

	return dot && strchr(dot + 1, '.') ? dot : NULL;
}

void shape_add(struct shape *s, const char *address, int64_t arrival)
{
	int bucket = shape_bucket(&s->settings, s->now - arrival);
	struct shape_domain *d = find(s, total_name);
	struct str domain = {0};
	bool new_below = false;

	d->counts[0]++;
	d->counts[bucket]++;
	shape_domain(&domain, address);
	for (const char *name = str_text(&domain); name;
	     name = s->settings.parents ? parent_of(name) : NULL) {
		d = find(s, name);
		d->subdomains += new_below;
		new_below = d->counts[0]++ == 0;
		d->counts[bucket]++;
	}
	str_fini(&domain);
}

/* ---- the table ------------------------------------------------------------------------------ */

/* The largest first, then the shorter name, then by the alphabet. */
static int compare(const void *left, const void *right)
{
	const struct shape_domain *a = *(const struct shape_domain *const *)left;
	const struct shape_domain *b = *(const struct shape_domain *const *)right;
	size_t a_len = strlen(a->name), b_len = strlen(b->name);

	if (a->counts[0] != b->counts[0])
		return a->counts[0] > b->counts[0] ? -1 : 1;
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return strcmp(a->name, b->name);
}

struct columns {
	int width[SHAPE_BUCKETS_MAX + 1];
	char head[SHAPE_BUCKETS_MAX + 1][NUMBER_TEXT];
	int name; /* width of the names */
};

/* Ages stand over their buckets as the minutes at which they end; the last has only a beginning. */
static void plan(const struct shape *s, struct columns *c)
{
	const struct shape_domain *total = map_get(s->domains, total_name);
	const struct shape_settings *set = &s->settings;
	double minutes = set->minutes;

	c->name = set->width;
	for (int i = 0; i <= set->buckets; i++) {
		char count[NUMBER_TEXT];
		int len;

		if (i == 0) {
			snprintf(c->head[i], NUMBER_TEXT, "T");
		} else if (i < set->buckets) {
			snprintf(c->head[i], NUMBER_TEXT, "%.15g", minutes);
			if (i + 1 < set->buckets)
				minutes += set->linear ? set->minutes : minutes;
		} else {
			snprintf(c->head[i], NUMBER_TEXT, "%.15g+", i == 1 ? 0 : minutes);
		}
		snprintf(count, sizeof(count), "%lu", total ? total->counts[i] : 0);
		len = (int)MAX(strlen(c->head[i]), strlen(count));
		c->width[i] = len >= COLUMN_MIN ? len + 1 : COLUMN_MIN;
		c->name -= c->width[i];
	}
	c->name = MAX(c->name, NAME_WIDTH_MIN);
}

/* A name that is too long shows its end. */
static void put_name(const struct columns *c, struct str *out, const char *name)
{
	int len = (int)strlen(name);
	size_t at = out->len;

	if (len <= c->name)
		str_printf(out, "%*s", c->name, name);
	else if (name[0] == '.')
		str_printf(out, ".+%s", name + len - c->name + 2);
	else
		str_printf(out, "+%s", name + len - c->name + 1);
	text_make_printable(out->data + at, out->len - at);
}

void shape_print(const struct shape *s, struct str *out)
{
	size_t count = 0, cursor = 0, shown = 0;
	struct shape_domain **rows = alloc_array(NULL, map_count(s->domains) + 1, sizeof(*rows));
	struct columns columns;
	const char *name;
	void *value;

	while (map_next(s->domains, &cursor, &name, &value)) {
		rows[count] = value;
		rows[count++]->name = name;
	}
	qsort(rows, count, sizeof(*rows), compare);
	plan(s, &columns);
	put_name(&columns, out, "");
	for (int i = 0; i <= s->settings.buckets; i++)
		str_printf(out, "%*s", columns.width[i], columns.head[i]);
	str_put_char(out, '\n');
	for (size_t r = 0; r < count; r++) {
		if (rows[r]->name[0] == '.' &&
		    rows[r]->subdomains < (unsigned long)s->settings.subdomains)
			continue;
		if (s->settings.top_domains > 0 && shown++ >= (size_t)s->settings.top_domains)
			break;
		put_name(&columns, out, rows[r]->name);
		for (int i = 0; i <= s->settings.buckets; i++)
			str_printf(out, "%*lu", columns.width[i], rows[r]->counts[i]);
		str_put_char(out, '\n');
	}
	free(rows);
}
