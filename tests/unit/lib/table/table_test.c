/* SPDX-License-Identifier: ISC */
#include "lib/table/table.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "tests/unit/lib/table/suite.h"

static const struct get_case {
	const char *name, *key;
	int flags;
	const char *value; /* NULL: not found */
} cases[] = {
    {"inline:{ a=b, {c = d e, f} }", "c", 0, "d e, f"},
    {"inline:{ a=b, {c = d e, f} }", "a", 0, "b"},
    {"inline:{a=b=c}", "a", 0, "b=c"},
    {"inline:{A=b}", "a", TABLE_FOLD_KEY, "b"},
    {"inline:{A=b}", "a", 0, NULL},
    {"inline:{}", "a", 0, NULL},
    {"static:x y", "any", 0, "x y"},
    {"static:{ x y }", "any", 0, "x y"},
    {"unix:passwd.byname", "no such user here", 0, NULL},
    {"proxy:inline:{a=b}", "a", 0, "b"},
    {"unionmap:{inline:{a=b}, static:c, inline:{x=y}}", "a", 0, "b,c"},
    {"unionmap:{inline:{x=y}}", "a", 0, NULL},
    {"pipemap:{inline:{a=b}, inline:{b=c}}", "a", 0, "c"},
    {"pipemap:{inline:{a=b}, inline:{b=c}}", "b", 0, NULL},
    {"randmap:{one}", "b", 0, "one"},
    {"cidr:{{10.0.0.0/8 a}, {::1 b}}", "::1", 0, "b"},
    {"regexp:{{/A(.)/ $1}}", "ABX", TABLE_FOLD_KEY, "B"},
};

START_TEST(get)
{
	const struct get_case *c = &cases[_i];
	struct table *table;
	struct str value = {0};
	struct err err;

	ck_assert_int_eq(table_open(c->name, c->flags, &table, &err), 0);
	ck_assert_str_eq(table_name(table), c->name);
	ck_assert_int_eq(
	    table_get(table, c->key, &value, &err), c->value ? TABLE_FOUND : TABLE_NOT_FOUND);
	if (c->value)
		ck_assert_str_eq(str_text(&value), c->value);
	str_fini(&value);
	table_close(&table);
}
END_TEST

static const struct bad_case {
	const char *name, *says;
} bad_cases[] = {
    {"inlin:{a=b}", "did you mean \"inline\"?"},
    {"hsah:/x", "did you mean \"hash\"?"},
    {"ldap:/x", "not supported by this version"},
    {"quite-another:/x", "unknown table type"},
    {"/etc/aliases", "expected a table as type:name"},
    {"", "expected a table as type:name"},
    {":x", "expected a table as type:name"},
    {"lmdb:/nowhere/x", "run `postmap lmdb:/nowhere/x`"},
    {"texthash:/nowhere/x", "No such file"},
    {"cidr:/nowhere/x", "No such file"},
    {"inline:a=b", "expected inline:"},
    {"inline:{a}", "expected key=value"},
    {"inline:{=b}", "expected key=value"},
    {"unix:shadow", "expected unix:passwd.byname"},
    {"unionmap:{}", "expected"},
    {"unionmap:{,}", "expected at least one table"},
    {"randmap:{ , }", "expected at least one value"},
    {"unionmap:{x}", "expected a table as type:name"},
    {"pipemap:{unionmap:{pipemap:{unionmap:{pipemap:{unionmap:{pipemap:{unionmap:{pipemap:{"
     "pipemap:{static:x}}}}}}}}}}",
        "deeper than"},
    {"regexp:{x", "expected { {rule}"},
};

START_TEST(bad)
{
	const struct bad_case *c = &bad_cases[_i];
	struct table *table = NULL;
	struct err err;

	ck_assert_int_eq(table_open(c->name, 0, &table, &err), -1);
	ck_assert_msg(strstr(err.text, c->says) != NULL, "%s", err.text);
}
END_TEST

static void put_file(const char *path, const char *text)
{
	char part[128];
	FILE *file;

	snprintf(part, sizeof(part), "%s.new", path);
	file = fopen(part, "w");
	ck_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
	ck_assert_int_eq(rename(part, path), 0);
}

/* Nothing tells these versions apart but what is in them. */
START_TEST(rewritten_within_a_tick)
{
	char folder[] = "/tmp/table_test.XXXXXX", path[64], name[80], text[8] = "k 0\n";
	struct table *table;
	struct str value = {0};
	struct err err;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/t", folder);
	snprintf(name, sizeof(name), "texthash:%s", path);
	put_file(path, text);
	ck_assert_int_eq(table_open(name, TABLE_FOLD_KEY, &table, &err), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (int i = 0; i < 500; i++) {
		text[2] = (char)('1' + i % 9);
		ck_assert_int_eq(pwrite(fd, text, 4, 0), 4);
		ck_assert_int_eq(table_age(table), TABLE_FRESH);
		ck_assert_int_eq(table_get(table, "k", &value, &err), TABLE_FOUND);
		ck_assert_int_eq(str_text(&value)[0], text[2]);
	}
	close(fd);
	table_close(&table);
	unlink(path);
	rmdir(folder);
	str_fini(&value);
}
END_TEST

/* A replaced file is seen by the next lookup; one that cannot be read leaves the old content. */
START_TEST(replaced)
{
	char folder[] = "/tmp/table_test.XXXXXX", path[64], name[80];
	struct table *table;
	struct str value = {0};
	struct err err;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/t", folder);
	snprintf(name, sizeof(name), "texthash:%s", path);
	put_file(path, "a one\n# c\nb\nA three\n"); /* the first counts */
	ck_assert_int_eq(table_open(name, TABLE_FOLD_KEY, &table, &err), 0);
	ck_assert_int_eq(table_get(table, "A", &value, &err), TABLE_FOUND);
	ck_assert_str_eq(str_text(&value), "one");
	put_file(path, "a two\n");
	ck_assert_int_eq(table_age(table), TABLE_FRESH);
	ck_assert_int_eq(table_get(table, "a", &value, &err), TABLE_FOUND);
	ck_assert_str_eq(str_text(&value), "two");
	unlink(path);
	mkdir(path, 0700);
	clock_offset_for_tests(1500);
	ck_assert_int_eq(table_get(table, "a", &value, &err), TABLE_FOUND);
	ck_assert_str_eq(str_text(&value), "two");
	rmdir(path);
	clock_offset_for_tests(1500);
	ck_assert_int_eq(table_get(table, "a", &value, &err), TABLE_FOUND);
	table_close(&table);
	rmdir(folder);
	str_fini(&value);
}
END_TEST

static void mute(void)
{
	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
}

TCase *table_tcase(void)
{
	TCase *tcase = tcase_create("table");

	tcase_add_checked_fixture(tcase, mute, NULL);
	tcase_add_loop_test(tcase, get, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tcase, bad, 0, ARRAY_LEN(bad_cases));
	tcase_add_test(tcase, replaced);
	tcase_add_test(tcase, rewritten_within_a_tick);
	return tcase;
}
