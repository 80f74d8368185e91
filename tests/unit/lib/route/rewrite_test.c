/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "tests/unit/lib/route/fixture.h"
#include "tests/unit/lib/route/suite.h"

static const struct {
	const char *conf, *in, *out;
} cases[] = {
    {"", "", ""},
    {"", "user", "user@mx.example.com"},
    {"myorigin = example.org\n", "user", "user@example.org"},
    {"", "user@far.example", "user@far.example"},
    {"", "user@far.example.", "user@far.example"},
    {"", "user@host", "user@host"},
    {"append_dot_mydomain = yes\n", "user@host", "user@host.example.com"},
    {"append_dot_mydomain = yes\n", "user@host.", "user@host"},
    {"append_dot_mydomain = yes\n", "user@[1.2.3.4]", "user@[1.2.3.4]"},
    {"append_dot_mydomain = yes\n", "user@a.b", "user@a.b"},
    {"compatibility_level = 0\n", "user@host", "user@host.example.com"},
    {"append_at_myorigin = no\n", "user", "user"},
    {"", "site!user", "user@site"},
    {"", "a!b!c", "b!c@a"},
    {"swap_bangpath = no\n", "site!user", "site!user@mx.example.com"},
    {"", "site!user@x.y", "site!user@x.y"},
    {"", "user%host.x", "user@host.x"},
    {"", "a%b%c.d", "a%b@c.d"},
    {"allow_percent_hack = no\n", "user%host", "user%host@mx.example.com"},
    {"", "@a,@b:user@c.d", "user@c.d"},
    {"", "@a:user", "user@mx.example.com"},
    {"", "!", "!@mx.example.com"},
    {"", "%", "%@mx.example.com"},
    {"", "user@", "user@"},
    {"", "user@.", "user@."},
    {"", "a b", "a b@mx.example.com"},
};

START_TEST(rewrite)
{
	struct fixture f;

	fixture_init(&f, cases[_i].conf);
	ck_assert_str_eq(route_rewrite(f.router, cases[_i].in, &f.arena), cases[_i].out);
	fixture_fini(&f);
}
END_TEST

TCase *rewrite_tcase(void)
{
	TCase *tc = tcase_create("rewrite");

	tcase_add_loop_test(tc, rewrite, 0, ARRAY_LEN(cases));
	return tc;
}
