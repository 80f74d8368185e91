/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <string.h>

#include "lib/base/attr.h"
#include "local/alias.h"

/* What is expected: one target per word pair, kind letter and text, joined by '|'-free "; ". */
static const struct {
	const char *text, *want; /* want NULL: malformed */
} cases[] = {
    {"joe", "A joe"},
    {"joe, jane@example.com", "A joe; A jane@example.com"},
    {"  joe ,, jane\n", "A joe; A jane"},
    {"joe\njane\n", "A joe; A jane"},
    {"# comment\njoe\n  # another\n", "A joe"},
    {"", ""},
    {"\\joe", "U joe"},
    {"\\joe, \"|/usr/bin/vacation joe\"", "U joe; C /usr/bin/vacation joe"},
    {"|/usr/bin/procmail", "C /usr/bin/procmail"},
    {"|\"/bin/prog a,b c\"", "C /bin/prog a,b c"},
    {"\"|prog \\\"x y\\\" z\"", "C prog \"x y\" z"},
    {"\"|exit 75\", /var/log/all", "C exit 75; F /var/log/all"},
    {"/dev/null", "F /dev/null"},
    {"\"/file with blank\"", "F /file with blank"},
    {"/C=XX/O=org/@gateway.example", "A /C=XX/O=org/@gateway.example"},
    {":include:/etc/list", "I /etc/list"},
    {":INCLUDE:\"/etc/a list\"", "I /etc/a list"},
    {"\":include:/etc/list\", joe", "I /etc/list; A joe"},
    {"Joe Doe <joe@example.com>, jane", "A joe@example.com; A jane"},
    {"joe (a comment, with comma)", "A joe"},
    {"|prog (a,b", "C prog (a; A b"},
    {"|", NULL},
    {"<joe@", NULL},
};

static void print(struct str *out, const struct alias_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		str_printf(out, "%s%c %s", i ? "; " : "", "AUCFI"[list->items[i].kind],
		    list -> items[i].text);
}

START_TEST(parse)
{
	struct alias_list list = {0};
	struct arena arena = {0};
	struct str got = {0};
	struct err err;
	int rc = alias_list_parse(slice_text(cases[_i].text), &arena, &list, &err);

	ck_assert_int_eq(rc, cases[_i].want ? 0 : -1);
	if (cases[_i].want) {
		print(&got, &list);
		ck_assert_str_eq(str_text(&got), cases[_i].want);
	}
	str_fini(&got);
	arena_fini(&arena);
}
END_TEST

START_TEST(zero_byte)
{
	struct alias_list list = {0};
	struct arena arena = {0};
	struct err err;

	ck_assert_int_eq(alias_list_parse(slice_of("a\0b", 3), &arena, &list, &err), -1);
	arena_fini(&arena);
}
END_TEST

START_TEST(huge_list)
{
	enum { COUNT = 200000 };
	struct alias_list list = {0};
	struct arena arena = {0};
	struct str text = {0};
	struct err err;

	for (int i = 0; i < COUNT; i++)
		str_printf(&text, "user%d@example.com, ", i);
	ck_assert_int_eq(alias_list_parse(slice_of(text.data, text.len), &arena, &list, &err), 0);
	ck_assert_uint_eq(list.count, COUNT);
	ck_assert_str_eq(list.items[COUNT - 1].text, "user199999@example.com");
	str_fini(&text);
	arena_fini(&arena);
}
END_TEST

TCase *alias_tcase(void)
{
	TCase *tcase = tcase_create("alias");

	tcase_add_loop_test(tcase, parse, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, zero_byte);
	tcase_add_test(tcase, huge_list);
	tcase_set_timeout(tcase, 30);
	return tcase;
}
