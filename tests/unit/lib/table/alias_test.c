/* SPDX-License-Identifier: ISC */
#include "lib/table/alias.h"

#include "lib/base/attr.h"
#include "tests/unit/lib/table/suite.h"

/* Names and values as postalias of Postfix 3.7 stores them. */
static const struct alias_case {
	const char *line;
	const char *name; /* NULL: refused */
	const char *value;
} cases[] = {
    {"root: alice, bob", "root", "alice, bob"},
    {"root:alice,bob", "root", "alice, bob"},
    {"root : alice ,bob", "root", "alice, bob"},
    {"\"a b\": |\"/bin/cmd arg\",\n   x@y.z", "a b", "|\"/bin/cmd arg\", x@y.z"},
    {"list : :include:/etc/list, \"/var/mail/x  y\"", "list",
        ":include:/etc/list, \"/var/mail/x  y\""},
    {"pipe: \"|exec /x -x \\\"q\\\"\", file:/x", "pipe", "\"|exec /x -x \\\"q\\\"\", file:/x"},
    {"multi: a:b", "multi", "a:b"},
    {"back: \\user", "back", "user"},
    {"sp:   a    b", "sp", "a b"},
    {"nocolon alice", NULL, NULL},
    {"user@dom: x", NULL, NULL},
    {"a,b: c", NULL, NULL},
    {"empty:", NULL, NULL},
    {": x", NULL, NULL},
    {"\"open: x", NULL, NULL},
    {"a b: x", NULL, NULL},
    {"", NULL, NULL},
    {"x\\", NULL, NULL},
};

START_TEST(parse)
{
	const struct alias_case *c = &cases[_i];
	struct str name = {0}, value = {0};
	struct err err;
	int rc = alias_parse(slice_text(c->line), &name, &value, &err);

	ck_assert_int_eq(rc, c->name ? 0 : -1);
	if (c->name) {
		ck_assert_str_eq(str_text(&name), c->name);
		ck_assert_str_eq(str_text(&value), c->value);
	}
	str_fini(&name);
	str_fini(&value);
}
END_TEST

TCase *alias_tcase(void)
{
	TCase *tcase = tcase_create("alias");

	tcase_add_loop_test(tcase, parse, 0, ARRAY_LEN(cases));
	return tcase;
}
