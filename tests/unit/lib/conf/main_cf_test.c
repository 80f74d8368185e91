/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf/conf.h"
#include "tests/unit/lib/conf/suite.h"

static struct conf *load(const char *text)
{
	struct conf *conf = NULL;
	struct err err;

	ck_assert_msg(conf_load_text("/etc/x", "main.cf", text, strlen(text), &conf, &err) == 0,
	    "%s", err.text);
	return conf;
}

static const struct {
	const char *text, *message;
} bad[] = {
    {"a b\n", "main.cf: line 1: \"a b\": expected \"name = value\""},
    {"a = 1\n\n# x\nb\n c\n", "main.cf: line 4: \"b c\": expected \"name = value\""},
    {"= 1\n", "main.cf: line 1: \"= 1\": expected one parameter name before '='"},
    {"a b = 1\n", "main.cf: line 1: \"a b = 1\": expected one parameter name before '='"},
};

START_TEST(broken_lines_are_named)
{
	struct conf *conf;
	struct err err;

	ck_assert_int_eq(
	    conf_load_text("/x", "main.cf", bad[_i].text, strlen(bad[_i].text), &conf, &err), -1);
	ck_assert_ptr_null(conf);
	ck_assert_str_eq(err.text, bad[_i].message);
}
END_TEST

START_TEST(zero_byte_is_refused)
{
	struct conf *conf;
	struct err err;

	ck_assert_int_eq(conf_load_text("/x", "main.cf", "a = b\0c\n", 8, &conf, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "line 1: a zero byte"));
}
END_TEST

START_TEST(values_and_places)
{
	struct conf *conf = load("a =  1 2 \nb=\nc = x,\n  y\n lead = 1\n");

	ck_assert_str_eq(conf_raw(conf, "a"), "1 2");
	ck_assert_str_eq(conf_raw(conf, "b"), "");
	ck_assert_str_eq(conf_raw(conf, "c"), "x,  y lead = 1");
	ck_assert_str_eq(conf_origin(conf, "c"), "main.cf: line 3");
	ck_assert_ptr_null(conf_raw(conf, "nosuch"));
	ck_assert_ptr_null(conf_origin(conf, "max_idle"));
	ck_assert_str_eq(conf_raw(conf, "max_idle"), "100s"); /* catalogue */
	ck_assert(conf_is_set(conf, "b"));
	ck_assert(!conf_is_set(conf, "max_idle"));
	conf_free(&conf);
	ck_assert_ptr_null(conf);
}
END_TEST

START_TEST(last_of_two_wins_with_a_warning)
{
	struct conf *conf = load("a = 1\nb = 2\na = 3\n");
	const char *name;
	size_t cursor = 0;

	ck_assert_str_eq(conf_raw(conf, "a"), "3");
	ck_assert_str_eq(conf_warnings(conf),
	    "main.cf: line 3: a is set again; main.cf: line 1 was the earlier place\n");
	ck_assert(conf_next_set(conf, &cursor, &name, NULL, NULL));
	ck_assert_str_eq(name, "a");
	ck_assert(conf_next_set(conf, &cursor, &name, NULL, NULL));
	ck_assert_str_eq(name, "b");
	ck_assert(!conf_next_set(conf, &cursor, &name, NULL, NULL));
	conf_free(&conf);
}
END_TEST

START_TEST(leading_blank_is_warned_about)
{
	struct conf *conf = load("  a = 1\nb = 2\n");

	ck_assert(!conf_is_set(conf, "a"));
	ck_assert_ptr_nonnull(strstr(conf_warnings(conf), "main.cf: line 1: "));
	conf_free(&conf);
}
END_TEST

START_TEST(overrides_win)
{
	struct conf *conf = load("a = 1\n");

	conf_set(conf, "a", " 2 ", "master.cf: line 9");
	conf_set(conf, "b", "$a", "-o");
	ck_assert_str_eq(conf_raw(conf, "a"), "2");
	ck_assert_str_eq(conf_get(conf, "b"), "2");
	ck_assert_str_eq(conf_origin(conf, "a"), "master.cf: line 9");
	conf_set(conf, "a", "3", "-o");
	ck_assert_str_eq(conf_get(conf, "b"), "3");
	conf_free(&conf);
}
END_TEST

START_TEST(missing_file_names_it)
{
	struct conf *conf;
	struct err err;

	ck_assert_int_eq(conf_load("/nonexistent", &conf, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/main.cf"));
}
END_TEST

TCase *main_cf_tcase(void)
{
	TCase *tcase = tcase_create("main_cf");

	tcase_add_loop_test(tcase, broken_lines_are_named, 0, ARRAY_LEN(bad));
	tcase_add_test(tcase, zero_byte_is_refused);
	tcase_add_test(tcase, values_and_places);
	tcase_add_test(tcase, last_of_two_wins_with_a_warning);
	tcase_add_test(tcase, leading_blank_is_warned_about);
	tcase_add_test(tcase, overrides_win);
	tcase_add_test(tcase, missing_file_names_it);
	return tcase;
}
