/* SPDX-License-Identifier: ISC */
/* The tables of all programs: sound rows, defaults that read, and that the catalogue repeats. */
#include <string.h>

#include "commands/postconf/postconf.h"
#include "lib/base/map.h"
#include "lib/conf/catalogue.h"
#include "tests/unit/commands/postconf/suite.h"

START_TEST(rows_are_sound)
{
	for (size_t t = 0; all_tables[t]; t++) {
		for (size_t i = 0; i < all_tables[t]->count; i++) {
			const struct conf_param *row = &all_tables[t]->rows[i];

			ck_assert_msg(row->name && *row->name, "table %zu row %zu", t, i);
			ck_assert_msg(row->doc && *row->doc, "%s: no doc line", row->name);
			ck_assert_msg(row->doc[strlen(row->doc) - 1] == '.',
			    "%s: the doc line ends without a full stop", row->name);
			ck_assert_msg(row->dflt != NULL, "%s: no default", row->name);
			ck_assert_msg(row->max == 0 || row->min <= row->max, "%s", row->name);
			ck_assert_msg(
			    (row->kind == &conf_kind_enum || row->kind == &conf_kind_set ||
			        row->kind == &conf_kind_words) == (row->names != NULL),
			    "%s", row->name);
		}
	}
}
END_TEST

START_TEST(defaults_read)
{
	struct conf_report report = {0};
	struct conf *conf;
	struct err err;

	ck_assert_int_eq(conf_load_text("/x", "main.cf", "", 0, &conf, &err), 0);
	ck_assert_msg(
	    conf_check_values(conf, all_tables, &report) == 0, "%s", str_text(&report.text));
	conf_report_fini(&report);
	conf_free(&conf);
}
END_TEST

/* One name has one default, wherever it stands. */
START_TEST(defaults_agree)
{
	struct map *seen = map_new();
	struct str wrong = {0};
	struct conf *conf;
	struct err err;

	ck_assert_int_eq(conf_load_text("/x", "main.cf", "", 0, &conf, &err), 0);
	for (size_t t = 0; all_tables[t]; t++) {
		for (size_t i = 0; i < all_tables[t]->count; i++) {
			const struct conf_param *row = &all_tables[t]->rows[i];
			const struct catalogue_row *known = catalogue_find(row->name);
			union {
				const struct conf_param *row;
				void *value;
			} u = {.row = row};
			const struct conf_param *other = map_put(seen, row->name, u.value);

			if (known && known->dflt && strcmp(known->dflt, row->dflt) != 0)
				str_printf(&wrong, "%s: \"%s\", in the catalogue \"%s\"\n",
				    row->name, row->dflt, known->dflt);
			if (other && strcmp(other->dflt, row->dflt) != 0)
				str_printf(&wrong, "%s: \"%s\", in another table \"%s\"\n",
				    row->name, row->dflt, other->dflt);
			if (other && other->kind != row->kind)
				str_printf(&wrong, "%s: %s, in another table %s\n", row->name,
				    row->kind->name, other->kind->name);
		}
	}
	ck_assert_msg(wrong.len == 0, "%s", str_text(&wrong));
	str_fini(&wrong);
	map_free(&seen, NULL);
	conf_free(&conf);
}
END_TEST

TCase *tables_tcase(void)
{
	TCase *tcase = tcase_create("tables");

	tcase_add_test(tcase, rows_are_sound);
	tcase_add_test(tcase, defaults_read);
	tcase_add_test(tcase, defaults_agree);
	return tcase;
}
