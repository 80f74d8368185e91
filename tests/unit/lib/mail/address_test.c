/* SPDX-License-Identifier: ISC */
#include "lib/mail/address.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/mail/suite.h"

/* ---- paths: what Postfix 3.7 takes is taken unless the case says otherwise ------------------- */

static const struct path_case {
	const char *text;
	const char *loose;  /* NULL: refused */
	const char *strict; /* NULL: refused */
	int used;           /* -1: all of text (loose) */
} path_cases[] = {
    {"<>", "", "", -1},
    {"<joe@c.d>", "joe@c.d", "joe@c.d", -1},
    {"<joe@c.d> SIZE=3", "joe@c.d", "joe@c.d", 10},
    {"<joe>", "joe", "joe", -1},
    {"joe@c.d", "joe@c.d", NULL, -1},
    {"joe@c.d SIZE=3", "joe@c.d", NULL, 8},
    {"  <joe@c.d>", "joe@c.d", NULL, -1},
    {"(hi) <joe@c.d> (there)", "joe@c.d", NULL, -1},
    {"<  joe@c.d >", "joe@c.d", NULL, -1},
    {"<joe @ c . d>", "joe@c.d", NULL, -1},
    {"<joe (a (nested \\) one) comment) @c.d>", "joe@c.d", NULL, -1},
    {"<@a,@b:u@c.d>", "u@c.d", "u@c.d", -1},
    {"<@a:u@c.d>", "u@c.d", "u@c.d", -1},
    {"<@a:>", NULL, NULL, 0},
    {"<\"a b\"@c.d>", "a b@c.d", "a b@c.d", -1},
    {"<\"a\\\"b\"@c.d>", "a\"b@c.d", "a\"b@c.d", -1},
    {"<\"a@b\"@c.d>", "a@b@c.d", "a@b@c.d", -1},
    {"<\"a>b\"@c.d>", "a>b@c.d", "a>b@c.d", -1},
    {"<a\\ b@c.d>", "a b@c.d", NULL, -1},
    {"<a@b@c.d>", "a@b@c.d", NULL, -1},
    {"<a..b@c.d>", "a..b@c.d", "a..b@c.d", -1},
    {"<.a@c.d>", ".a@c.d", ".a@c.d", -1},
    {"<a.@c.d>", "a.@c.d", NULL, -1},
    {"<a:b@c.d>", "a:b@c.d", NULL, -1},
    {"<joe@c.d.>", "joe@c.d.", "joe@c.d.", -1},
    {"<a@[1.2.3.4]>", "a@[1.2.3.4]", "a@[1.2.3.4]", -1},
    {"<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]", -1},
    {"<j\xc3\xb6"
     "e@c.d>",
        "j\xc3\xb6"
        "e@c.d",
        "j\xc3\xb6"
        "e@c.d",
        -1},
    {"<user+ext@c.d>", "user+ext@c.d", "user+ext@c.d", -1},
    {"<b!a>", "b!a", "b!a", -1},
    {"<a%b@c.d>", "a%b@c.d", "a%b@c.d", -1},
    {"<a!#$%&'*+-/=?^_`{|}~@c.d>", "a!#$%&'*+-/=?^_`{|}~@c.d", "a!#$%&'*+-/=?^_`{|}~@c.d", -1},
    {"<joe@c.d>SIZE=3", "joe@c.d", "joe@c.d", 9},
    {"", NULL, NULL, 0},
    {"   ", NULL, NULL, 0},
    {"<", NULL, NULL, 0},
    {">", NULL, NULL, 0},
    {"<joe@c.d", NULL, NULL, 0},
    {"joe@c.d>", NULL, NULL, 0},
    {"<a b@c.d>", NULL, NULL, 0},
    {"<a(c)b@c.d>", NULL, NULL, 0},
    {"<a\"b\"c@c.d>", NULL, NULL, 0},
    {"<joe@c d>", NULL, NULL, 0},
    {"<@b>", NULL, NULL, 0},
    {"<@>", NULL, NULL, 0},
    {"<joe@>", NULL, NULL, 0},
    {"<\"\">", NULL, NULL, 0},
    {"<\"joe>", NULL, NULL, 0},
    {"<\"joe\\", NULL, NULL, 0},
    {"<joe (x@c.d>", NULL, NULL, 0},
    {"<a@\"b c\">", NULL, NULL, 0},
    {"<a,b@c.d>", NULL, NULL, 0},
    {"<a;b@c.d>", NULL, NULL, 0},
    {"<<joe@c.d>>", NULL, NULL, 0},
    {"<a<b@c.d>", NULL, NULL, 0},
    {"<a@[1.2.3.4>", NULL, NULL, 0},
    {"<a@[1.2.3.4]:25.[x]>", NULL, NULL, 0},
    {"<a@[1.2.3.4][x]>", NULL, NULL, 0},
    {"<a@[]>", "a@[]", "a@[]", -1},
    {"<a]b@c.d>", NULL, NULL, 0},
    {"<a)b@c.d>", NULL, NULL, 0},
    {"<joe@c..d>", NULL, NULL, 0},
    {"<joe@-c.d>", NULL, NULL, 0},
    {"<joe@1.2.3.4>", NULL, NULL, 0},
    {"<joe@c_d!.e>", NULL, NULL, 0},
    {"<joe\x01@c.d>", NULL, NULL, 0},
    {"<joe\x7f@c.d>", NULL, NULL, 0},
    {"<\"joe\x01\"@c.d>", NULL, NULL, 0},
};

static void check_path(const char *text, bool strict, const char *want, int used_want)
{
	struct str out = {0};
	size_t used = 0;
	int rc = address_parse_path(slice_text(text), strict, &out, &used);

	ck_assert_msg(rc == (want ? 0 : -1), "%s (strict %d): %d", text, strict, rc);
	if (want) {
		ck_assert_msg(strcmp(str_text(&out), want) == 0, "%s: got %s, want %s", text,
		    str_text(&out), want);
		if (!strict && used_want >= 0 && text[used_want] == ' ')
			used_want += 1; /* blanks behind the path are eaten */
		if (!strict)
			ck_assert_int_eq(used, used_want < 0 ? strlen(text) : (size_t)used_want);
	}
	str_fini(&out);
}

START_TEST(path)
{
	const struct path_case *c = &path_cases[_i];
	int used = c->used;

	/* Without brackets nothing behind the address is eaten but blanks. */
	check_path(c->text, false, c->loose, used);
	check_path(c->text, true, c->strict, used);
}
END_TEST

START_TEST(path_nul_and_length)
{
	static const char nul[] = "<a\0b@c.d>";
	struct str out = {0}, text = {0};
	size_t used, i;

	ck_assert_int_eq(
	    address_parse_path(slice_of(nul, sizeof(nul) - 1), false, &out, &used), -1);
	str_put_char(&text, '<');
	for (i = 0; i < ADDRESS_MAX - 4; i++)
		str_put_char(&text, 'x');
	str_put_text(&text, "@c.d>");
	ck_assert_int_eq(address_parse_path(slice_of(text.data, text.len), false, &out, &used), 0);
	str_consume(&text, 1);
	text.data[0] = '<';
	str_clear(&text);
	str_put_char(&text, '<');
	for (i = 0; i < ADDRESS_MAX; i++)
		str_put_char(&text, 'x');
	str_put_text(&text, "@c.d>");
	ck_assert_int_eq(address_parse_path(slice_of(text.data, text.len), false, &out, &used), -1);
	str_fini(&out);
	str_fini(&text);
}
END_TEST

/* ---- quoting --------------------------------------------------------------------------------- */

static const struct {
	const char *in, *out;
} quote_cases[] = {
    {"", ""},
    {"joe", "joe"},
    {"joe@c.d", "joe@c.d"},
    {"joe.doe+x@c.d", "joe.doe+x@c.d"},
    {"a b@c.d", "\"a b\"@c.d"},
    {"a\"b@c.d", "\"a\\\"b\"@c.d"},
    {"a\\b@c.d", "\"a\\\\b\"@c.d"},
    {"a@b@c.d", "\"a@b\"@c.d"},
    {"a..b@c.d", "\"a..b\"@c.d"},
    {".a@c.d", "\".a\"@c.d"},
    {"a.@c.d", "\"a.\"@c.d"},
    {"a,b", "\"a,b\""},
    {"@c.d", "\"\"@c.d"},
    {"(x)@c.d", "\"(x)\"@c.d"},
    {"j\xc3\xb6@c.d", "j\xc3\xb6@c.d"},
    {"a!b%c/d=e@c.d", "a!b%c/d=e@c.d"},
};

START_TEST(quote)
{
	struct str out = {0}, back = {0}, wire = {0};
	size_t used;

	address_quote(&out, quote_cases[_i].in);
	ck_assert_str_eq(str_text(&out), quote_cases[_i].out);
	/* What was quoted reads back as it was. */
	if (quote_cases[_i].in[0] != '@') {
		str_printf(&wire, "<%s>", str_text(&out));
		ck_assert_int_eq(
		    address_parse_path(slice_of(wire.data, wire.len), true, &back, &used), 0);
		ck_assert_str_eq(str_text(&back), quote_cases[_i].in);
	}
	str_fini(&out);
	str_fini(&back);
	str_fini(&wire);
}
END_TEST

/* ---- header lists ---------------------------------------------------------------------------- */

static const struct {
	const char *value;
	int count;
	const char *all; /* joined by '|' */
} list_cases[] = {
    {"", 0, ""},
    {"joe", 1, "joe"},
    {"joe@c.d", 1, "joe@c.d"},
    {"joe@c.d, jane@e.f", 2, "joe@c.d|jane@e.f"},
    {"Joe Doe <joe@c.d>", 1, "joe@c.d"},
    {"\"Doe, Joe\" <joe@c.d> (x), J. Q. Public <jq@c.d>", 2, "joe@c.d|jq@c.d"},
    {"joe@c.d (Joe Doe)", 1, "joe@c.d"},
    {"(c) foo (bar)", 1, "foo"},
    {"grp: a@b, c@d;", 2, "a@b|c@d"},
    {"grp: a@b, c@d;, e@f", 3, "a@b|c@d|e@f"},
    {"undisclosed-recipients:;", 0, ""},
    {"\"a group\": ;, x@y", 1, "x@y"},
    {",, joe ,,", 1, "joe"},
    {"<>, joe", 1, "joe"},
    {"foo,\r\n\tbar@baz ,\n \"x y\"@h.i (c)", 3, "foo|bar@baz|x y@h.i"},
    {"<@a,@b:c@d.e>", 1, "c@d.e"},
    {"joe jane", 2, "joe|jane"},
    {"joe doe, x@y", 3, "joe|doe|x@y"},
    {"=?utf-8?q?J=C3=B6?= <j@c.d>", 1, "j@c.d"},
    {"J\xc3\xb6 <j\xc3\xb6@c.d>", 1, "j\xc3\xb6@c.d"},
    {"<joe@c.d", -1, ""},
    {"x@y, \"open", -1, "x@y"},
    {"x@y, (open", -1, "x@y"},
    {"a@", -1, ""},
    {"@b", -1, ""},
    {"a <b@c> d@e", -1, ""},
    {"a > b", -1, ""},
    {"a@[1.2.3.4], b@[x", -1, "a@[1.2.3.4]"},
};

static void collect(void *arg, const char *address)
{
	struct str *all = arg;

	if (all->len > 0)
		str_put_char(all, '|');
	str_put_text(all, address);
}

START_TEST(list)
{
	struct str all = {0};
	int count = address_each(slice_text(list_cases[_i].value), collect, &all);

	ck_assert_msg(count == list_cases[_i].count, "%s: %d", list_cases[_i].value, count);
	ck_assert_str_eq(str_text(&all), list_cases[_i].all);
	str_fini(&all);
}
END_TEST

START_TEST(list_spans)
{
	const char *value = " Joe <joe @ x> , (c) \"a b\"@y (d), grp: z;";
	const char *want[] = {"joe @ x", "\"a b\"@y", "z"};
	struct str address = {0};
	struct slice span;
	size_t at = 0, i;

	for (i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert_int_eq(address_next(slice_text(value), &at, &address, &span), 1);
		ck_assert(slice_eq(span, want[i]));
	}
	ck_assert_int_eq(address_next(slice_text(value), &at, &address, &span), 0);
	str_fini(&address);
}
END_TEST

START_TEST(list_many_words)
{
	struct str value = {0}, all = {0};
	int i;

	for (i = 0; i < 50000; i++)
		str_put_text(&value, "a ");
	ck_assert_int_eq(address_each(slice_of(value.data, value.len), collect, &all), -1);
	str_clear(&value);
	for (i = 0; i < 20000; i++)
		str_put_text(&value, "a@b,");
	str_clear(&all);
	ck_assert_int_eq(address_each(slice_of(value.data, value.len), collect, &all), 20000);
	str_fini(&value);
	str_fini(&all);
}
END_TEST

/* ---- splitting, domains ---------------------------------------------------------------------- */

static const struct {
	const char *local, *delimiters, *user, *ext;
} ext_cases[] = {
    {"user", "+", "user", ""},
    {"user+x", "+", "user", "x"},
    {"user+x+y", "+", "user", "x+y"},
    {"user+", "+", "user", ""},
    {"+user", "+", "+user", ""},
    {"+", "+", "+", ""},
    {"user+x", "", "user+x", ""},
    {"user-x+y", "+-", "user", "x+y"},
    {"user+x-y", "-+", "user", "x-y"},
    {"mailer-daemon", "-", "mailer-daemon", ""},
    {"Double-Bounce", "-", "Double-Bounce", ""},
    {"owner-list", "-", "owner-list", ""},
    {"list-request", "-", "list-request", ""},
    {"owner-list", "+", "owner-list", ""},
    {"", "+", "", ""},
};

START_TEST(extension)
{
	struct slice user, ext;

	address_split_extension(
	    slice_text(ext_cases[_i].local), ext_cases[_i].delimiters, &user, &ext);
	ck_assert(slice_eq(user, ext_cases[_i].user));
	ck_assert(slice_eq(ext, ext_cases[_i].ext));
}
END_TEST

START_TEST(split)
{
	struct slice local;
	const char *domain;

	address_split("a@b@c.d", &local, &domain);
	ck_assert(slice_eq(local, "a@b"));
	ck_assert_str_eq(domain, "c.d");
	address_split("joe", &local, &domain);
	ck_assert(slice_eq(local, "joe"));
	ck_assert_ptr_null(domain);
}
END_TEST

static const struct {
	const char *domain;
	bool valid;
} domain_cases[] = {
    {"example.com", true},
    {"localhost", true},
    {"a_b.example", true},
    {"xn--mnchen-3ya.de", true},
    {"m\xc3\xbcnchen.de", true},
    {"1and1.com", true},
    {"[192.0.2.1]", true},
    {"[IPv6:2001:db8::1]", true},
    {"[ipv6:::1]", true},
    {"", false},
    {".", false},
    {"example.com.", false},
    {".example.com", false},
    {"a..b", false},
    {"-a.b", false},
    {"a-.b", false},
    {"a.b-", false},
    {"1.2.3.4", false},
    {"a b", false},
    {"a@b", false},
    {"[1.2.3]", false},
    {"[1.2.3.4", false},
    {"[]", false},
    {"[", false},
    {"[IPv6:1.2.3.4]", false},
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk.x", true},
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl.x", false},
};

START_TEST(domain)
{
	ck_assert_msg(address_domain_valid(domain_cases[_i].domain) == domain_cases[_i].valid, "%s",
	    domain_cases[_i].domain);
}
END_TEST

TCase *address_tcase(void)
{
	TCase *tc = tcase_create("address");

	tcase_add_loop_test(tc, path, 0, ARRAY_LEN(path_cases));
	tcase_add_test(tc, path_nul_and_length);
	tcase_add_loop_test(tc, quote, 0, ARRAY_LEN(quote_cases));
	tcase_add_loop_test(tc, list, 0, ARRAY_LEN(list_cases));
	tcase_add_test(tc, list_spans);
	tcase_add_test(tc, list_many_words);
	tcase_add_loop_test(tc, extension, 0, ARRAY_LEN(ext_cases));
	tcase_add_test(tc, split);
	tcase_add_loop_test(tc, domain, 0, ARRAY_LEN(domain_cases));
	return tc;
}
