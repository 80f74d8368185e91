/* SPDX-License-Identifier: ISC */
#include "lib/table/pattern.h"

#include <fcntl.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "tests/unit/lib/table/suite.h"

#define CIDR &pattern_cidr
#define POSIX &pattern_regexp
#define PERL &pattern_pcre

/* Answers as of Postfix 3.7's postmap -q on the same tables. */
static const struct pattern_case {
	const struct pattern_engine *engine;
	const char *text, *key;
	const char *value; /* NULL: not found */
} cases[] = {
    {POSIX, "/foo/ x", "a foo b", "x"},
    {POSIX, "/foo/ x", "FOO", "x"},
    {POSIX, "/foo/i x", "FOO", NULL},
    {POSIX, "/fo+/x x", "foo", NULL},
    {POSIX, "/a.b/ x", "a\nb", "x"},
    {POSIX, "/a.b/m x", "a\nb", NULL},
    {POSIX, "!/foo/ x", "bar", "x"},
    {POSIX, "!/foo/ x", "foo", NULL},
    {POSIX, "/^(f)oo(x)?/ $1-${2}-$(1)$$", "foox", "f-x-f$"},
    {POSIX, "/^(f)oo(x)?/ $1-${2}-$(1)$$", "foo", "f--f$"},
    {POSIX, "/(a)/ $2\n/a/ second", "a", "second"},
    {POSIX, "!/(a)/ $1\n/b/ second", "b", "second"},
    {POSIX, "/a/ $x\n/a/ second", "a", "second"},
    {POSIX, "/a\n/a/ second", "a", "second"},
    {POSIX, "/(a/ first\n/a/ second", "a", "second"},
    {POSIX, "/a/q first\n/a/ second", "a", "second"},
    {POSIX, "/a/\n/a/ second", "a", "second"},
    {POSIX, "|a/b| x", "a/b", "x"},
    {POSIX, "/a\\/b/ x", "a/b", "x"},
    {POSIX, "/a b/ x y", "a b", "x y"},
    {POSIX, "/a/ x\n  y", "a", "x  y"},
    {POSIX, "# c\n\n/a/ x", "a", "x"},
    {POSIX, "if /foo/\n/bar/ x\nendif\n/b/ y", "foobar", "x"},
    {POSIX, "if /foo/\n/bar/ x\nendif\n/b/ y", "bar", "y"},
    {POSIX, "if !/foo/\n/bar/ x\nendif\n/b/ y", "bar", "x"},
    {POSIX, "if /a/\nif /b/\n/c/ x\nendif\n/c/ y\nendif", "abc", "x"},
    {POSIX, "if /a/\nif /b/\n/c/ x\nendif\n/c/ y\nendif", "ac", "y"},
    {POSIX, "if /a/\nif /b/\n/c/ x\nendif\n/c/ y\nendif", "bc", NULL},
    {POSIX, "if /(a/\n/b/ x\nif /b/\n/b/ z\nendif\nendif\n/b/ y", "b", "y"},
    {POSIX, "if /a/\n/b/ x", "ab", "x"},
    {POSIX, "if /a/\n/b/ x", "b", NULL},
    {POSIX, "endif\n/b/ x", "b", "x"},
    {POSIX, "", "b", NULL},
    {PERL, "/^(?<n>f)oo/ $1", "Foo", "F"},
    {PERL, "/a.b/ x", "a\nb", "x"},
    {PERL, "/a.b/s x", "a\nb", NULL},
    {PERL, "/^b/m x", "a\nb", "x"},
    {PERL, "/a b/x x", "ab", "x"},
    {PERL, "/b/A x", "ab", NULL},
    {PERL, "/(?(1)/ x\n/a/ second", "a", "second"},
    {PERL, "/(a)|(b)/ [$1$2]", "b", "[b]"},
    {CIDR, "192.0.2.0/24 x", "192.0.2.9", "x"},
    {CIDR, "192.0.2.0/24 $1 x", "192.0.2.9", "$1 x"},
    {CIDR, "192.0.2.0/24 x", "192.0.3.9", NULL},
    {CIDR, "192.0.2.0/24 x", "host.example", NULL},
    {CIDR, "!10.0.0.0/8 x", "11.0.0.1", "x"},
    {CIDR, "!10.0.0.0/8 x", "10.0.0.1", NULL},
    {CIDR, "!10.0.0.0/8 x", "::1", NULL},
    {CIDR, "if ::/0\n::2 x\n0.0.0.0/0 z\nendif\n1.1.1.1 y", "1.1.1.1", "y"},
    {CIDR, "if !10.0.0.0/8\n1.1.1.1 y\nendif", "1.1.1.1", "y"},
    {CIDR, "[2001:db8::]/32 x", "2001:db8::5", "x"},
    {CIDR, "10.1.1.1/8 x\n10.0.0.0/8 y", "10.1.1.1", "y"},
    {CIDR, "10.1.1.1\n10.0.0.0/8 y", "10.1.1.1", "y"},
};

static void mute(void)
{
	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
}

START_TEST(lookup)
{
	const struct pattern_case *c = &cases[_i];
	void *state = pattern_open_text(c->engine, "test", 0, slice_text(c->text));
	struct str value = {0};
	struct err err;
	enum table_answer answer = pattern_get(state, c->key, &value, &err);

	ck_assert_int_eq(answer, c->value ? TABLE_FOUND : TABLE_NOT_FOUND);
	if (c->value)
		ck_assert_str_eq(str_text(&value), c->value);
	str_fini(&value);
	pattern_close(state);
}
END_TEST

/* Where a value decides what is run, no part of the key gets into it. */
START_TEST(no_groups)
{
	static const char text[] = "/^(.*)@a/ smtp:[$1]\n/^b(.)/ x$$y\n/@/ rest";
	void *state =
	    pattern_open_text(_i ? PERL : POSIX, "test", TABLE_NO_GROUPS, slice_text(text));
	struct str value = {0};
	struct err err;

	ck_assert_int_eq(pattern_get(state, "u@a", &value, &err), TABLE_FOUND);
	ck_assert_str_eq(str_text(&value), "rest");
	str_clear(&value);
	ck_assert_int_eq(pattern_get(state, "bc", &value, &err), TABLE_FOUND);
	ck_assert_str_eq(str_text(&value), "x$y");
	str_fini(&value);
	pattern_close(state);
}
END_TEST

/* An expression that would take for ever is an error of the lookup. */
START_TEST(endless)
{
	void *state = pattern_open_text(PERL, "test", 0, slice_text("/^(a+)+$/ x"));
	struct str value = {0};
	struct err err;

	ck_assert_int_eq(
	    pattern_get(state, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", &value, &err),
	    TABLE_ERROR);
	str_fini(&value);
	pattern_close(state);
}
END_TEST

TCase *pattern_tcase(void)
{
	TCase *tcase = tcase_create("pattern");

	tcase_add_checked_fixture(tcase, mute, NULL);
	tcase_add_loop_test(tcase, lookup, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, endless);
	tcase_add_loop_test(tcase, no_groups, 0, 2);
	return tcase;
}
