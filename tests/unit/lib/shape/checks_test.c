/* SPDX-License-Identifier: ISC */
#include "lib/shape/checks.h"

#include <string.h>

#include "tests/unit/lib/shape/suite.h"

static const struct {
	const char *value;
	enum check_action action;
	const char *word, *text;
} values[] = {
    {"IGNORE", CHECK_IGNORE, "ignore", ""},
    {"reject  go away ", CHECK_REJECT, "reject", "go away"},
    {"Ok", CHECK_DUNNO, "ok", ""},
    {"PREPEND X: y\n z", CHECK_PREPEND, "prepend", "X: y\n z"},
    {"FROB x", CHECK_UNKNOWN, "", "FROB x"},
    {"", CHECK_UNKNOWN, "", ""},
};

START_TEST(parses)
{
	struct check check = check_parse(slice_text(values[_i].value));

	ck_assert_int_eq(check.action, values[_i].action);
	ck_assert_str_eq(check.word, values[_i].word);
	ck_assert(slice_eq(check.text, values[_i].text));
}
END_TEST

static const struct checks_tables tables = {
    .header = "regexp:{{/^subject: a.b/ REPLACE s}, {/^x-/ WARN header}, {/^c/ WARN header}}",
    .mime = "regexp:{{/^(content|x)-/ WARN mime}}",
    .nested = "regexp:{{/^x-/ WARN nested}}",
    .body = "regexp:{{/^bad/ WARN body}, {/a b/ IGNORE}}",
    .body_limit = 10,
    .header_name = "header_checks",
    .mime_name = "mime_header_checks",
    .nested_name = "nested_header_checks",
    .body_name = "body_checks"};

static const struct {
	enum mime_class class_;
	const char *field, *text; /* NULL: nothing found */
	const char *map;
} fields[] = {
    {MIME_PRIMARY, "Subject: a\r\nb\r\n", "s", "header_checks"},
    {MIME_PRIMARY, "X-Y: z\r\n", "header", "header_checks"},
    {MIME_PART, "X-Y: z\r\n", "mime", "mime_header_checks"},
    {MIME_NESTED, "X-Y: z\r\n", "nested", "nested_header_checks"},
    {MIME_PRIMARY, "Content-Type: z\r\n", "mime", "mime_header_checks"},
    {MIME_NESTED, "CONTENT-id: z\r\n", "mime", "mime_header_checks"},
    {MIME_PRIMARY, "Content-Length: z\r\n", "header", "header_checks"},
    {MIME_PRIMARY, "Y: z\r\n", NULL, "header_checks"},
};

START_TEST(asks_the_right_tables)
{
	struct checks *c = checks_open(&tables);
	struct check check;
	const char *map;
	enum table_answer answer =
	    checks_header(c, fields[_i].class_, slice_text(fields[_i].field), &check, &map, NULL);

	ck_assert_int_eq(answer, fields[_i].text ? TABLE_FOUND : TABLE_NOT_FOUND);
	ck_assert_str_eq(map, fields[_i].map);
	if (fields[_i].text)
		ck_assert_msg(slice_eq(check.text, fields[_i].text), "%.*s", SLICE_ARG(check.text));
	checks_close(&c);
	ck_assert_ptr_null(c);
}
END_TEST

START_TEST(looks_at_so_much_of_a_body)
{
	struct checks *c = checks_open(&tables);
	struct check check;
	const char *map;
	size_t seen = 0;

	ck_assert(checks_body_wanted(c) && checks_parts_wanted(c));
	ck_assert_int_eq(
	    checks_body(c, slice_text("\r\n"), &seen, &check, &map, NULL), TABLE_NOT_FOUND);
	ck_assert_int_eq(
	    checks_body(c, slice_of("a\0b\r\n", 5), &seen, &check, &map, NULL), TABLE_FOUND);
	ck_assert_int_eq(check.action, CHECK_IGNORE);
	ck_assert_int_eq(
	    checks_body(c, slice_text("bad line\r\n"), &seen, &check, &map, NULL), TABLE_FOUND);
	ck_assert_int_eq(
	    checks_body(c, slice_text("bad line\r\n"), &seen, &check, &map, NULL), TABLE_NOT_FOUND);
	checks_close(&c);
}
END_TEST

START_TEST(trouble_and_nothing)
{
	struct checks_tables some = tables;
	struct checks *c;
	struct check check;
	const char *map;
	struct err err;
	size_t seen = 0;

	some.header = "fail:x";
	some.mime = some.nested = some.body = "";
	c = checks_open(&some);
	ck_assert(!checks_parts_wanted(c));
	ck_assert_int_eq(checks_header(c, MIME_PRIMARY, slice_text("a: b\r\n"), &check, &map, &err),
	    TABLE_ERROR);
	ck_assert_int_eq(
	    checks_body(c, slice_text("a\r\n"), &seen, &check, &map, &err), TABLE_NOT_FOUND);
	checks_close(&c);
	some.header = "";
	ck_assert_ptr_null(checks_open(&some));
	ck_assert(!checks_body_wanted(NULL) && !checks_parts_wanted(NULL));
}
END_TEST

TCase *checks_tcase(void)
{
	TCase *tc = tcase_create("checks");

	tcase_add_loop_test(tc, parses, 0, ARRAY_LEN(values));
	tcase_add_loop_test(tc, asks_the_right_tables, 0, ARRAY_LEN(fields));
	tcase_add_test(tc, looks_at_so_much_of_a_body);
	tcase_add_test(tc, trouble_and_nothing);
	return tc;
}
