/* SPDX-License-Identifier: ISC */
/* What this version has, whatever the configuration: -a, -A, -l, -m, -T, and the rows of -K. */
#include <stdlib.h>
#include <string.h>

#include "commands/postconf/postconf.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/tls/about.h"

static const struct {
	char option;
	const char *names;
} lists[] = {
    {'a', "cyrus\ndovecot\ntable\n"},
    {'A', "cyrus\n"},
    {'l', "flock\nfcntl\ndotlock\n"},
    {'m', "btree\ncidr\ndbm\nenviron\nfail\nhash\ninline\nlmdb\npcre\npipemap\nrandmap\nregexp\nsta"
          "tic\n"
          "texthash\nunionmap\nunix\n"},
};

static void print_tls(const char *mode, FILE *out)
{
	static const char *const algorithms[] = {"dsa", "ecdsa", "rsa"};

	if (strcmp(mode, "compile-version") == 0) {
		fprintf(out, "%s\n", tls_about_build());
	} else if (strcmp(mode, "run-version") == 0) {
		fprintf(out, "%s\n", tls_about_library());
	} else if (strcmp(mode, "public-key-algorithms") == 0) {
		for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
			if (tls_about_has_key(algorithms[i]))
				fprintf(out, "%s\n", algorithms[i]);
	} else {
		fatal(
		    "-T %s: expected compile-version, run-version or public-key-algorithms", mode);
	}
}

void list_print(char option, const char *mode, FILE *out)
{
	if (option == 'T')
		print_tls(mode, out);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i].option == option)
			fputs(lists[i].names, out);
}

static int by_row_name(const void *a, const void *b)
{
	return strcmp((*(const struct conf_param *const *)a)->name,
	    (*(const struct conf_param *const *)b)->name);
}

/* Families whose common default some program reads. */
static void print_families(FILE *out)
{
	for (const struct conf_family *f = conf_families; f->suffix; f++) {
		bool used = false;

		for (size_t t = 0; all_tables[t] && !used; t++) {
			for (size_t i = 0; i < all_tables[t]->count && !used; i++)
				used = strcmp(all_tables[t]->rows[i].name, f->fallback) == 0;
		}
		if (used)
			fprintf(out, "<transport>%s\t%s\t%lld\t%lld\t\t$%s\t%s\n", f->suffix,
			    f->kind->name, (long long)f->min, (long long)f->max, f->fallback,
			    f->doc);
	}
}

void list_rows(FILE *out)
{
	const struct conf_param **rows = NULL;
	size_t count = 0;

	for (size_t t = 0; all_tables[t]; t++) {
		rows = alloc_array(rows, count + all_tables[t]->count, sizeof(*rows));
		for (size_t i = 0; i < all_tables[t]->count; i++)
			rows[count++] = &all_tables[t]->rows[i];
	}
	qsort(rows, count, sizeof(*rows), by_row_name);
	for (size_t i = 0; i < count; i++) {
		const struct conf_param *row = rows[i];

		if (i > 0 && strcmp(rows[i - 1]->name, row->name) == 0)
			continue;
		fprintf(out, "%s\t%s\t%lld\t%lld\t", row->name, row->kind->name,
		    (long long)row->min, (long long)row->max);
		for (const struct conf_enum *e = row->names; e && e->name; e++)
			fprintf(out, "%s%s", e == row->names ? "" : " ", e->name);
		fprintf(out, "\t%s\t%s\n", row->dflt, row->doc);
	}
	free(rows);
	print_families(out);
}
