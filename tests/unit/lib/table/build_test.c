/* SPDX-License-Identifier: ISC */
#include "lib/table/build.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/table/table.h"
#include "tests/unit/lib/table/suite.h"

static char folder[32], source[64], index_path[64], name[80];

static void begin(void)
{
	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
	strcpy(folder, "/tmp/build_test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(source, sizeof(source), "%s/t", folder);
	snprintf(index_path, sizeof(index_path), "%s/t.lmdb", folder);
	snprintf(name, sizeof(name), "hash:%s", source);
}

static void end(void)
{
	unlink(source);
	unlink(index_path);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left there */
}

static void put_source(const char *text)
{
	FILE *file = fopen(source, "w");

	ck_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void expect(struct table *table, const char *key, const char *value)
{
	struct str got = {0};
	struct err err;

	ck_assert_int_eq(table_get(table, key, &got, &err), value ? TABLE_FOUND : TABLE_NOT_FOUND);
	if (value)
		ck_assert_str_eq(str_text(&got), value);
	str_fini(&got);
}

static struct table *open_index(void)
{
	struct table *table;
	struct err err;

	ck_assert_msg(table_open(name, TABLE_FOLD_KEY, &table, &err) == 0, "%s", err.text);
	return table;
}

static void build(const struct build_options *options)
{
	struct err err;

	ck_assert_msg(build_index(name, options, &err) == 0, "%s", err.text);
}

START_TEST(index_of_source)
{
	const struct build_options with_zero = {0}, without = {.no_zero = true};
	struct table *table;

	put_source("a one\nBig two words\na again\nbad\n");
	for (int i = 0; i < 2; i++) {
		build(i ? &without : &with_zero);
		table = open_index();
		expect(table, "a", "one");
		expect(table, "BIG", "two words");
		expect(table, "bad", NULL);
		expect(table, "", NULL);
		table_close(&table);
	}
}
END_TEST

START_TEST(duplicates)
{
	const struct build_options replace = {.duplicates = BUILD_REPLACE},
	                           ignore = {.duplicates = BUILD_IGNORE};
	struct table *table;

	put_source("a one\na two\n");
	build(&replace);
	table = open_index();
	expect(table, "a", "two");
	build(&ignore);
	clock_offset_for_tests(1500);
	expect(table, "a", "one"); /* the table that is open sees the new index */
	table_close(&table);
}
END_TEST

START_TEST(added_and_removed)
{
	const struct build_options options = {0};
	struct slice keys[] = {{"a", 1}, {"none", 4}, {"", 0}};
	size_t removed = 9;
	struct table *table;
	struct err err;

	ck_assert_int_eq(build_remove(name, keys, 3, &options, &removed, &err), -1);
	ck_assert_int_eq(build_add(name, slice_text("a one\nb two\n"), "test", &options, &err), 0);
	ck_assert_int_eq(build_add(name, slice_text("b 2\nc three\n"), "test", &options, &err), 0);
	table = open_index();
	expect(table, "b", "two");
	expect(table, "c", "three");
	ck_assert_int_eq(build_remove(name, keys, 3, &options, &removed, &err), 0);
	ck_assert_uint_eq(removed, 1);
	clock_offset_for_tests(1500);
	expect(table, "a", NULL);
	expect(table, "c", "three");
	ck_assert_int_eq(build_remove(name, keys, 3, &options, &removed, &err), 0);
	ck_assert_uint_eq(removed, 0);
	table_close(&table);
}
END_TEST

START_TEST(alias_index)
{
	const struct build_options options = {.alias = true};
	struct str key = {0}, value = {0};
	struct table *table;
	struct err err;
	int count = 0;

	put_source("Root: joe,\n ann\n\"a b\": x\nbad@x: y\n");
	build(&options);
	table = open_index();
	expect(table, "root", "joe, ann");
	expect(table, "a b", "x");
	expect(table, "@", "@");
	while (table_next(table, count == 0, &key, &value, &err) == 1)
		count++;
	ck_assert_int_eq(count, 5); /* two names, "@" and the two YP marks */
	str_fini(&key);
	str_fini(&value);
	table_close(&table);
}
END_TEST

/* The map is far too small for this: it grows. */
START_TEST(grows)
{
	const struct build_options options = {.map_size = 32768};
	struct str text = {0};
	struct table *table;

	for (int i = 0; i < 20000; i++)
		str_printf(&text, "key%d value%d\n", i, i);
	put_source(str_text(&text));
	str_fini(&text);
	build(&options);
	table = open_index();
	expect(table, "key0", "value0");
	expect(table, "key19999", "value19999");
	table_close(&table);
}
END_TEST

START_TEST(mode_is_kept)
{
	const struct build_options options = {0}, plain = {.plain_mode = true};
	struct stat st;

	put_source("a b\n");
	chmod(source, 0640);
	build(&options);
	ck_assert_int_eq(stat(index_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
	chmod(index_path, 0600);
	build(&options);
	ck_assert_int_eq(stat(index_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	unlink(index_path);
	build(&plain);
	ck_assert_int_eq(stat(index_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0644);
}
END_TEST

START_TEST(garbled)
{
	const struct build_options options = {0};
	struct table *table = NULL;
	struct err err;
	FILE *file;

	put_source("a b\n");
	file = fopen(index_path, "w");
	for (int i = 0; i < 3000; i++)
		ck_assert(fputs("garbage ", file) >= 0);
	fclose(file);
	ck_assert_int_eq(table_open(name, 0, &table, &err), -1);
	build(&options); /* a new index needs nothing of the old one */
	table = open_index();
	expect(table, "a", "b");
	table_close(&table);
	ck_assert_int_eq(build_index("texthash:/x", &options, &err), -1);
	unlink(source);
	ck_assert_int_eq(build_index(name, &options, &err), -1);
	ck_assert_int_eq(access(index_path, F_OK), 0);
}
END_TEST

/* A file that was cut off: errors, and no death by a signal, wherever the cut is. */
START_TEST(cut_off)
{
	const struct build_options options = {0};
	struct str text = {0}, got = {0};
	struct table *table;
	struct stat st;
	struct err err;
	int found = 0, failed = 0;

	for (int i = 0; i < 3000; i++)
		str_printf(&text, "key%d value%d\n", i, i);
	put_source(str_text(&text));
	build(&options);
	ck_assert_int_eq(stat(index_path, &st), 0);
	for (off_t size = st.st_size - 4096; size >= 0; size -= 4096) {
		ck_assert_int_eq(truncate(index_path, size), 0);
		if (table_open(name, 0, &table, &err) < 0) {
			failed++;
			continue;
		}
		for (int i = 0; i < 3000; i += 100) {
			enum table_answer answer;

			str_clear(&text);
			str_printf(&text, "key%d", i);
			answer = table_get(table, str_text(&text), &got, &err);
			ck_assert_int_ne(answer, TABLE_NOT_FOUND);
			*(answer == TABLE_FOUND ? &found : &failed) += 1;
		}
		table_close(&table);
	}
	ck_assert(found > 0 && failed > 0);
	str_fini(&text);
	str_fini(&got);
}
END_TEST

START_TEST(across_fork)
{
	const struct build_options options = {0};
	struct table *table;
	int status;
	pid_t pid;

	put_source("a b\n");
	build(&options);
	table = open_index();
	expect(table, "a", "b");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		expect(table, "a", "b");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	expect(table, "a", "b");
	table_close(&table);
}
END_TEST

TCase *build_tcase(void)
{
	TCase *tcase = tcase_create("build");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, index_of_source);
	tcase_add_test(tcase, duplicates);
	tcase_add_test(tcase, added_and_removed);
	tcase_add_test(tcase, alias_index);
	tcase_add_test(tcase, grows);
	tcase_add_test(tcase, mode_is_kept);
	tcase_add_test(tcase, garbled);
	tcase_add_test(tcase, cut_off);
	tcase_add_test(tcase, across_fork);
	return tcase;
}
