/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "tests/unit/lib/route/fixture.h"
#include "tests/unit/lib/route/suite.h"

#define LOCALS "local_recipient_maps = inline:{{user=x}, {jim=x}, {j d=x}, {only@localhost=x}}\n"
#define OTHERS                                                    \
	"virtual_alias_domains = valias.example\n"                \
	"virtual_mailbox_domains = vmail.example\n"               \
	"virtual_mailbox_maps = inline:{{box@vmail.example=x}}\n" \
	"relay_domains = relay.example, all.example\n"            \
	"relay_recipient_maps = inline:{{in@relay.example=x}}\n"

static const struct {
	const char *conf, *address;
	enum table_answer answer;
} cases[] = {
    {LOCALS, "user", TABLE_FOUND},
    {LOCALS, "USER@mx.example.com", TABLE_FOUND},
    {LOCALS, "user+x", TABLE_FOUND},
    {LOCALS, "user+", TABLE_FOUND},
    {LOCALS, "user+x+y", TABLE_FOUND},
    {LOCALS, "+user", TABLE_NOT_FOUND},
    {LOCALS, "+", TABLE_NOT_FOUND},
    {LOCALS, "j d@localhost", TABLE_FOUND},
    {LOCALS, "user@[127.0.0.1]", TABLE_FOUND},
    {LOCALS, "only@localhost", TABLE_FOUND},
    {LOCALS, "only@mx.example.com", TABLE_NOT_FOUND},
    {LOCALS, "ghost", TABLE_NOT_FOUND},
    {LOCALS, "postmaster", TABLE_FOUND},
    {LOCALS, "POSTMASTER@mx.example.com", TABLE_FOUND},
    {LOCALS, "double-bounce", TABLE_FOUND},
    {LOCALS, "mailer-daemon", TABLE_FOUND},
    {LOCALS, "anyone@far.example", TABLE_FOUND},
    {LOCALS "resolve_dequoted_address = no\n", "user@x@mx.example.com", TABLE_NOT_FOUND},
    {"local_recipient_maps =\n", "ghost", TABLE_FOUND},
    {"local_recipient_maps = fail:1\n", "ghost", TABLE_ERROR},
    {"local_recipient_maps = fail:1\n", "postmaster", TABLE_FOUND},
    {"", "root", TABLE_FOUND}, /* the default: passwd and aliases */
    {"", "root+x", TABLE_FOUND},
    {"", "no-such-user-here", TABLE_NOT_FOUND},
    {LOCALS "virtual_alias_domains = valias.example\n", "a@valias.example", TABLE_NOT_FOUND},
    {LOCALS OTHERS, "box@vmail.example", TABLE_FOUND},
    {LOCALS OTHERS, "box+x@vmail.example", TABLE_FOUND},
    {LOCALS OTHERS, "nobox@vmail.example", TABLE_NOT_FOUND},
    {LOCALS OTHERS, "in@relay.example", TABLE_FOUND},
    {LOCALS OTHERS, "out@relay.example", TABLE_NOT_FOUND},
    {LOCALS OTHERS, "anyone@all.example", TABLE_NOT_FOUND},
    {LOCALS "relay_domains = relay.example\n", "out@relay.example", TABLE_FOUND},
};

START_TEST(known)
{
	struct fixture f;
	struct route r;
	struct err err = {0};

	fixture_init(&f, cases[_i].conf);
	ck_assert_int_eq(route_resolve(f.router, "", cases[_i].address, &f.arena, &r, &err), 0);
	ck_assert_msg(
	    route_recipient_known(f.router, &r, &err) == cases[_i].answer, "%s", cases[_i].address);
	fixture_fini(&f);
}
END_TEST

START_TEST(domain_is_local)
{
	struct fixture f;
	struct err err = {0};

	fixture_init(&f, "");
	ck_assert_int_eq(route_domain_is_local(f.router, "MX.Example.com", &err), TABLE_FOUND);
	ck_assert_int_eq(
	    route_domain_is_local(f.router, "x.mx.example.com", &err), TABLE_NOT_FOUND);
	ck_assert_int_eq(route_domain_is_local(f.router, "[127.0.0.1]", &err), TABLE_FOUND);
	ck_assert_int_eq(route_domain_is_local(f.router, "[", &err), TABLE_NOT_FOUND);
	ck_assert_int_eq(route_domain_is_local(f.router, "", &err), TABLE_NOT_FOUND);
	fixture_fini(&f);
}
END_TEST

TCase *known_tcase(void)
{
	TCase *tc = tcase_create("known");

	tcase_add_loop_test(tc, known, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, domain_is_local);
	return tc;
}
