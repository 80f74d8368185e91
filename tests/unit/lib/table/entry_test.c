/* SPDX-License-Identifier: ISC */
#include "lib/table/entry.h"

#include "lib/base/attr.h"
#include "tests/unit/lib/table/suite.h"

static const struct entry_case {
	const char *line;
	const char *key; /* NULL: refused */
	const char *value;
} cases[] = {
    {"a b", "a", "b"},
    {"  a \t b  c ", "a", "b  c"},
    {"key: value", "key:", "value"},
    {"\"a b\"@x  v", "\"a b\"@x", "v"},
    {"\"a\\\" b\" v", "\"a\\\" b\"", "v"},
    {"k\\ey 11", "k\\ey", "11"},
    {"a\"b c\"d 6", "a\"b c\"d", "6"},
    {"only", NULL, NULL},
    {"", NULL, NULL},
    {"\"open x", NULL, NULL},
    {"\"open \\", NULL, NULL},
};

START_TEST(parse)
{
	const struct entry_case *c = &cases[_i];
	struct slice key, value;
	struct err err;
	int rc = entry_parse(slice_text(c->line), &key, &value, &err);

	ck_assert_int_eq(rc, c->key ? 0 : -1);
	ck_assert(!c->key || (slice_eq(key, c->key) && slice_eq(value, c->value)));
}
END_TEST

TCase *entry_tcase(void)
{
	TCase *tcase = tcase_create("entry");

	tcase_add_loop_test(tcase, parse, 0, ARRAY_LEN(cases));
	return tcase;
}
