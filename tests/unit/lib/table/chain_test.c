/* SPDX-License-Identifier: ISC */
#include <fcntl.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/table/table.h"
#include "tests/unit/lib/table/suite.h"

#define PEOPLE                                                                 \
	"inline:{ joe+x@d.e=1, joe@d.e=2, ann+x=3, ann=4, @d.e=5, owner-l=6, " \
	"mailer-daemon@d.e=7 }"

static const struct address_case {
	const char *tables, *address, *delimiters;
	bool is_local;
	const char *value; /* NULL: not found */
} cases[] = {
    {PEOPLE, "joe+x@d.e", "+", false, "1"},
    {PEOPLE, "Joe+X@D.e", "+", false, "1"},
    {PEOPLE, "joe+y@d.e", "+", false, "2"},
    {PEOPLE, "joe+y@d.e", "", false, "5"},
    {PEOPLE, "joe-y@d.e", "+-", false, "2"},
    {PEOPLE, "ann+x@d.e", "+", true, "3"},
    {PEOPLE, "ann+y@d.e", "+", true, "4"},
    {PEOPLE, "ann+y@d.e", "+", false, "5"},
    {PEOPLE, "ann@x.y", "+", true, "4"},
    {PEOPLE, "ann@x.y", "+", false, NULL},
    {PEOPLE, "ann", "+", true, "4"},
    {PEOPLE, "ann+z", "+", true, "4"},
    {PEOPLE, "+x@d.e", "+", true, "5"},
    {PEOPLE, "owner-l@x.y", "-", true, "6"},
    {PEOPLE, "", "+", true, NULL},
    {PEOPLE, "@d.e", "+", true, "5"},
    {"", "joe@d.e", "+", true, NULL},
    {"inline:{x=y}, inline:{joe@d.e=second}", "joe@d.e", "+", true, "second"},
    {"regexp:{{/^@d.e$/ part},{/^joe@/ whole}}", "joe@d.e", "+", true, "whole"},
    {"regexp:{{/^@d.e$/ part}}", "joe@d.e", "+", true, NULL},
    {"static:all", "x@y", "+", true, "all"},
};

static void mute(void)
{
	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
}

START_TEST(address)
{
	const struct address_case *c = &cases[_i];
	struct table_chain *chain = table_chain_open(c->tables, TABLE_FOLD_KEY);
	struct str value = {0};
	struct err err;
	enum table_answer answer =
	    table_chain_get_address(chain, c->address, c->delimiters, c->is_local, &value, &err);

	ck_assert_int_eq(answer, c->value ? TABLE_FOUND : TABLE_NOT_FOUND);
	if (c->value)
		ck_assert_str_eq(str_text(&value), c->value);
	str_fini(&value);
	table_chain_close(&chain);
}
END_TEST

#define MAPS                                                                               \
	"inline:{ {me@h.e = mine+k@o.e}, {other@h.e = @d.e}, {bare = Bare <b@m.e>}, "      \
	"{list@h.e = a@x.e, b@x.e}, {@t.e = all@u.e}, {@v.e = @w.e}, {user@h.e = plain}, " \
	"{bad@h.e = <>}, {quoted@h.e = \"a b\"@q.e} }"

static const struct map_case {
	const char *address;
	bool is_local, propagate;
	const char *value; /* NULL: not found; "!": error */
} maps[] = {
    {"me@h.e", false, false, "mine+k@o.e"},
    {"me+x@h.e", false, false, "mine+k@o.e"},
    {"me+x@h.e", false, true, "mine+k+x@o.e"},
    {"other@h.e", false, true, "other@d.e"},
    {"other+x@h.e", false, true, "other+x@d.e"},
    {"bare@h.e", true, true, "b@m.e"},
    {"bare+x@h.e", true, true, "b+x@m.e"},
    {"bare@h.e", false, true, NULL},
    {"bare", true, true, "b@m.e"},
    {"list@h.e", false, true, "a@x.e"},
    {"any+x@t.e", false, true, "all@u.e"},
    {"any+x@v.e", false, true, "any+x@w.e"},
    {"user+x@h.e", false, true, "plain+x"},
    {"quoted@h.e", false, false, "a b@q.e"},
    {"nobody@h.e", false, true, NULL},
    {"bad@h.e", false, true, "!"},
};

START_TEST(map_address)
{
	const struct map_case *c = &maps[_i];
	struct table_chain *chain = table_chain_open(MAPS, TABLE_FOLD_KEY);
	struct str value = {0};
	struct err err;
	enum table_answer answer = table_chain_map_address(
	    chain, c->address, "+", c->is_local, c->propagate, &value, &err);

	if (c->value && *c->value == '!') {
		ck_assert_int_eq(answer, TABLE_ERROR);
	} else {
		ck_assert_int_eq(answer, c->value ? TABLE_FOUND : TABLE_NOT_FOUND);
		if (c->value)
			ck_assert_str_eq(str_text(&value), c->value);
	}
	str_fini(&value);
	table_chain_close(&chain);
}
END_TEST

/* What fails stops the search: a later table must not answer in its place. */
static const char *const failing[] = {
    "fail:x, static:y",
    "lmdb:/nowhere/x, static:y",
    "nosuch:x, static:y",
    "inline:{a=}, static:y",
    "inline:{a, static:y",
    "/etc/passwd, static:y",
};

START_TEST(failure)
{
	struct table_chain *chain = table_chain_open(failing[_i], TABLE_FOLD_KEY);
	struct str value = {0};
	struct err err = {0};

	ck_assert_int_eq(table_chain_get(chain, "a", &value, &err), TABLE_ERROR);
	ck_assert(err.text[0] != '\0');
	ck_assert_int_eq(table_chain_get(chain, "a", &value, NULL), TABLE_ERROR);
	str_fini(&value);
	table_chain_close(&chain);
}
END_TEST

TCase *chain_tcase(void)
{
	TCase *tcase = tcase_create("chain");

	tcase_add_checked_fixture(tcase, mute, NULL);
	tcase_add_loop_test(tcase, map_address, 0, ARRAY_LEN(maps));
	tcase_add_loop_test(tcase, address, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tcase, failure, 0, ARRAY_LEN(failing));
	return tcase;
}
