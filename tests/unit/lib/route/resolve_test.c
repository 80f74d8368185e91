/* SPDX-License-Identifier: ISC */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/route/fixture.h"
#include "tests/unit/lib/route/suite.h"

#define CLASSES                                     \
	"virtual_alias_domains = valias.example\n"  \
	"virtual_mailbox_domains = vmail.example\n" \
	"relay_domains = relay.example\n"
#define TRANSPORTS                                \
	CLASSES                                   \
	"relayhost = [gw.example]\n"              \
	"transport_maps = inline:{"               \
	"{full+ext@far.example = slow:one},"      \
	"{full@far.example = slow:two},"          \
	"{far.example = slow:},"                  \
	"{.parent.example = slow:[up]:26},"       \
	"{exact.example = :[other]:27},"          \
	"{keep.example = :},"                     \
	"{bare.example = slow},"                  \
	"{err.example = error:5.7.1 not here},"   \
	"{mx.example.com = lmtp:unix:/run/lmtp}," \
	"{vmail.example = lmtp:inet:[::1]:24}}\n"
#define SENDERS                                                                        \
	CLASSES                                                                        \
	"relayhost = [gw.example]\n"                                                   \
	"sender_dependent_relayhost_maps = inline:{"                                   \
	"{joe@a.example = [joe.gw]:587}, {@b.example = [b.gw]}, {@d.example = DUNNO}," \
	"{<> = [null.gw]}}\n"                                                          \
	"sender_dependent_default_transport_maps = inline:{"                           \
	"{@t.example = slow:}, {@th.example = slow:[th]}, {@tx.example = :[tx]},"      \
	"{@td.example = dunno}}\n"

static const struct {
	const char *conf, *sender, *address;
	enum route_class class_;
	const char *transport, *nexthop, *recipient; /* recipient NULL: as address */
} cases[] = {
    /* local: by mydestination, by own address, by default domain */
    {CLASSES, "", "user@mx.example.com", ROUTE_LOCAL, "local", "mx.example.com", NULL},
    {CLASSES, "", "user@LocalHost", ROUTE_LOCAL, "local", "mx.example.com", NULL},
    {CLASSES, "", "user@[127.0.0.1]", ROUTE_LOCAL, "local", "mx.example.com", NULL},
    {CLASSES, "", "user", ROUTE_LOCAL, "local", "mx.example.com", "user@mx.example.com"},
    {CLASSES, "", "", ROUTE_LOCAL, "local", "mx.example.com", "MAILER-DAEMON@mx.example.com"},
    {CLASSES, "", "user@mx.example.com.", ROUTE_LOCAL, "local", "mx.example.com",
        "user@mx.example.com"},
    {CLASSES, "", "a b@mx.example.com", ROUTE_LOCAL, "local", "mx.example.com", NULL},
    {"local_transport = lmtp:unix:x\n", "", "user@localhost", ROUTE_LOCAL, "lmtp", "unix:x", NULL},
    {"local_transport = local\n", "", "user@localhost", ROUTE_LOCAL, "local", "localhost", NULL},
    {"proxy_interfaces = 192.0.2.77, 2001:db8::77\n", "", "u@[192.0.2.77]", ROUTE_LOCAL, "local",
        "mx.example.com", NULL},
    {"proxy_interfaces = 2001:db8::77\n", "", "u@[IPv6:2001:db8:0::77]", ROUTE_LOCAL, "local",
        "mx.example.com", NULL},
    {CLASSES, "", "u@[192.0.2.78]", ROUTE_DEFAULT, "smtp", "[192.0.2.78]", NULL},
    {CLASSES, "", "u@[nonsense]", ROUTE_DEFAULT, "error", "5.1.3 Bad recipient address syntax",
        NULL},
    {CLASSES, "", "u@[999.1.1.1]", ROUTE_DEFAULT, "error", "5.1.3 Bad recipient address syntax",
        NULL},
    /* addresses within addresses at our domains */
    {CLASSES, "", "user%far.example@mx.example.com", ROUTE_DEFAULT, "smtp", "far.example",
        "user@far.example"},
    {CLASSES, "", "a%b%localhost@mx.example.com", ROUTE_DEFAULT, "smtp", "b", "a@b"},
    {CLASSES, "", "far.example!user@mx.example.com", ROUTE_DEFAULT, "smtp", "far.example",
        "user@far.example"},
    {CLASSES, "", "localhost!far.example!user@localhost", ROUTE_DEFAULT, "smtp", "far.example",
        "user@far.example"},
    {CLASSES, "", "user@far.example@mx.example.com", ROUTE_DEFAULT, "smtp", "far.example",
        "user@far.example"},
    {CLASSES, "", "user@mx.example.com@mx.example.com", ROUTE_LOCAL, "local", "mx.example.com",
        "user@mx.example.com"},
    {CLASSES, "", "user%far.example@relay.example", ROUTE_RELAY, "relay", "relay.example", NULL},
    {"allow_percent_hack = no\n", "", "a%b.c@localhost", ROUTE_LOCAL, "local", "mx.example.com",
        NULL},
    {"swap_bangpath = no\n", "", "b.c!a@localhost", ROUTE_LOCAL, "local", "mx.example.com", NULL},
    {"resolve_dequoted_address = no\n", "", "a@b.c@localhost", ROUTE_LOCAL, "local",
        "mx.example.com", NULL},
    {CLASSES, "", "%@mx.example.com", ROUTE_LOCAL, "local", "mx.example.com", NULL},
    {CLASSES, "", "!@mx.example.com", ROUTE_LOCAL, "local", "mx.example.com", NULL},
    /* impossible domains */
    {CLASSES, "", "user@", ROUTE_DEFAULT, "error", "5.1.3 Bad recipient address syntax", NULL},
    {CLASSES, "", "user@a..b", ROUTE_DEFAULT, "error", "5.1.3 Bad recipient address syntax", NULL},
    {CLASSES, "", "u@192.0.2.1", ROUTE_DEFAULT, "error", "5.1.3 Bad recipient address syntax",
        NULL},
    {"resolve_null_domain = yes\n", "", "user@", ROUTE_LOCAL, "local", "mx.example.com",
        "user@mx.example.com"},
    {"resolve_numeric_domain = yes\n", "", "u@192.0.2.1", ROUTE_DEFAULT, "smtp", "[192.0.2.1]",
        "u@[192.0.2.1]"},
    /* the other classes */
    {CLASSES, "", "a@valias.example", ROUTE_VIRTUAL_ALIAS, "error",
        "5.1.1 User unknown in virtual alias table", NULL},
    {CLASSES "show_user_unknown_table_name = no\n", "", "a@valias.example", ROUTE_VIRTUAL_ALIAS,
        "error", "5.1.1 User unknown", NULL},
    {CLASSES, "", "a@VMAIL.example", ROUTE_VIRTUAL_MAILBOX, "virtual", "VMAIL.example", NULL},
    {CLASSES, "", "a@sub.vmail.example", ROUTE_DEFAULT, "smtp", "sub.vmail.example", NULL},
    {CLASSES, "", "a@relay.example", ROUTE_RELAY, "relay", "relay.example", NULL},
    {CLASSES, "", "a@sub.relay.example", ROUTE_RELAY, "relay", "sub.relay.example", NULL},
    {CLASSES "parent_domain_matches_subdomains =\n", "", "a@sub.relay.example", ROUTE_DEFAULT,
        "smtp", "sub.relay.example", NULL},
    {CLASSES, "", "a@far.example", ROUTE_DEFAULT, "smtp", "far.example", NULL},
    {CLASSES "relayhost = [gw]:587\n", "", "a@far.example", ROUTE_DEFAULT, "smtp", "[gw]:587",
        NULL},
    {CLASSES "relayhost = [gw]:587\n", "", "a@relay.example", ROUTE_RELAY, "relay", "[gw]:587",
        NULL},
    {CLASSES "relayhost = [gw]:587\n", "", "a@vmail.example", ROUTE_VIRTUAL_MAILBOX, "virtual",
        "vmail.example", NULL},
    {CLASSES "relay_transport = lmtp:[inside]\nrelayhost = gw\n", "", "a@relay.example",
        ROUTE_RELAY, "lmtp", "[inside]", NULL},
    {"default_transport = uucp:gw\nrelayhost = x\n", "", "a@b.c", ROUTE_DEFAULT, "uucp", "gw",
        NULL},
    {"default_transport = error:5.1.2 no mail outside\n", "", "a@b.c", ROUTE_DEFAULT, "error",
        "5.1.2 no mail outside", NULL},
    /* transport_maps */
    {TRANSPORTS, "", "full+ext@far.example", ROUTE_DEFAULT, "slow", "one", NULL},
    {TRANSPORTS, "", "full+x@far.example", ROUTE_DEFAULT, "slow", "two", NULL},
    {TRANSPORTS, "", "Full@FAR.example", ROUTE_DEFAULT, "slow", "two", NULL},
    {TRANSPORTS, "", "other@far.example", ROUTE_DEFAULT, "slow", "far.example", NULL},
    {TRANSPORTS, "", "a@b.c.parent.example", ROUTE_DEFAULT, "slow", "[up]:26", NULL},
    {TRANSPORTS, "", "a@parent.example", ROUTE_DEFAULT, "smtp", "[gw.example]", NULL},
    {TRANSPORTS, "", "a@sub.exact.example", ROUTE_DEFAULT, "smtp", "[gw.example]", NULL},
    {TRANSPORTS "parent_domain_matches_subdomains = transport_maps\n", "", "a@sub.exact.example",
        ROUTE_DEFAULT, "smtp", "[other]:27", NULL},
    {TRANSPORTS, "", "a@exact.example", ROUTE_DEFAULT, "smtp", "[other]:27", NULL},
    {TRANSPORTS, "", "a@keep.example", ROUTE_DEFAULT, "smtp", "[gw.example]", NULL},
    {TRANSPORTS, "", "a@bare.example", ROUTE_DEFAULT, "slow", "bare.example", NULL},
    {TRANSPORTS, "", "a@err.example", ROUTE_DEFAULT, "error", "5.7.1 not here", NULL},
    {TRANSPORTS, "", "a@mx.example.com", ROUTE_LOCAL, "lmtp", "unix:/run/lmtp", NULL},
    {TRANSPORTS, "", "a@vmail.example", ROUTE_VIRTUAL_MAILBOX, "lmtp", "inet:[::1]:24", NULL},
    {TRANSPORTS, "", "a@[192.0.2.9]", ROUTE_DEFAULT, "smtp", "[gw.example]", NULL},
    {"transport_maps = inline:{{*=slow:[all]}}\n", "", "a@b.c", ROUTE_DEFAULT, "slow", "[all]",
        NULL},
    {"transport_maps = inline:{{*=slow:[all]}}\n", "", "a@localhost", ROUTE_LOCAL, "slow", "[all]",
        NULL},
    /* what depends on the sender */
    {SENDERS, "joe@a.example", "x@far.example", ROUTE_DEFAULT, "smtp", "[joe.gw]:587", NULL},
    {SENDERS, "joe+x@a.example", "x@far.example", ROUTE_DEFAULT, "smtp", "[joe.gw]:587", NULL},
    {SENDERS, "ann@a.example", "x@far.example", ROUTE_DEFAULT, "smtp", "[gw.example]", NULL},
    {SENDERS, "ann@b.example", "x@far.example", ROUTE_DEFAULT, "smtp", "[b.gw]", NULL},
    {SENDERS, "ann@b.example", "x@relay.example", ROUTE_RELAY, "relay", "[b.gw]", NULL},
    {SENDERS, "ann@d.example", "x@far.example", ROUTE_DEFAULT, "smtp", "far.example", NULL},
    {SENDERS, "", "x@far.example", ROUTE_DEFAULT, "smtp", "[null.gw]", NULL},
    {SENDERS, "a@t.example", "x@far.example", ROUTE_DEFAULT, "slow", "[gw.example]", NULL},
    {SENDERS, "a@th.example", "x@far.example", ROUTE_DEFAULT, "slow", "[th]", NULL},
    {SENDERS, "s@tx.example", "u@far.example", ROUTE_DEFAULT, "smtp", "[tx]", NULL},
    {SENDERS, "s@td.example", "u@far.example", ROUTE_DEFAULT, "smtp", "[gw.example]", NULL},
    {SENDERS, "a@th.example", "x@localhost", ROUTE_LOCAL, "local", "mx.example.com", NULL},
};

START_TEST(resolve)
{
	struct fixture f;
	struct route r;
	struct err err = {0};

	fixture_init(&f, cases[_i].conf);
	ck_assert_msg(
	    route_resolve(f.router, cases[_i].sender, cases[_i].address, &f.arena, &r, &err) == 0,
	    "%s: %s", cases[_i].address, err.text);
	ck_assert_msg(r.class_ == cases[_i].class_, "%s: class %d", cases[_i].address, r.class_);
	ck_assert_str_eq(r.transport, cases[_i].transport);
	ck_assert_str_eq(r.nexthop, cases[_i].nexthop);
	ck_assert_str_eq(
	    r.recipient, cases[_i].recipient ? cases[_i].recipient : cases[_i].address);
	fixture_fini(&f);
}
END_TEST

/* A table that fails never lets a wrong answer pass. */
static const struct {
	const char *conf, *address;
} failures[] = {
    {"transport_maps = fail:1\n", "a@far.example"},
    {"relay_domains = fail:1\n", "a@far.example"},
    {"virtual_mailbox_domains = fail:1\n", "a@far.example"},
    {"mydestination = fail:1\n", "a@far.example"},
    {"sender_dependent_relayhost_maps = fail:1\n", "a@far.example"},
    {"sender_dependent_default_transport_maps = fail:1\n", "a@far.example"},
    {"transport_maps = lmdb:/nonexistent/x\n", "a@far.example"},
};

START_TEST(table_fails)
{
	struct fixture f;
	struct route r;
	struct err err = {0};

	fixture_init(&f, failures[_i].conf);
	ck_assert_int_eq(
	    route_resolve(f.router, "s@x.y", failures[_i].address, &f.arena, &r, &err), -1);
	ck_assert_str_ne(err.text, "");
	fixture_fini(&f);
}
END_TEST

/* An address that is all markers ends, and costs little. */
START_TEST(deep)
{
	struct fixture f;
	struct route r;
	struct err err = {0};
	char address[1000];
	size_t n = 0;

	fixture_init(&f, "");
	while (n < 900)
		n += (size_t)snprintf(address + n, sizeof(address) - n, "localhost!");
	snprintf(address + n, sizeof(address) - n, "u@localhost");
	ck_assert_int_eq(route_resolve(f.router, "", address, &f.arena, &r, &err), 0);
	ck_assert_str_eq(r.transport, "error");
	fixture_fini(&f);
}
END_TEST

/* A client may ask for a thousand of them in one transaction. */
START_TEST(deep_and_many)
{
	struct fixture f;
	struct route r;
	struct err err = {0};
	char address[1000];
	size_t n = 1, before;

	fixture_init(&f, "");
	strcpy(address, "u");
	while (n < 450)
		n += (size_t)snprintf(address + n, sizeof(address) - n, "%%localhost");
	snprintf(address + n, sizeof(address) - n, "@localhost");
	ck_assert_int_eq(route_resolve(f.router, "", address, &f.arena, &r, &err), 0);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(route_resolve(f.router, "", address, &f.arena, &r, &err), 0);
		ck_assert_str_eq(r.recipient, "u@localhost");
	}
	ck_assert_uint_lt(mallinfo2().uordblks - before, 500000);
	fixture_fini(&f);
}
END_TEST

TCase *resolve_tcase(void)
{
	TCase *tc = tcase_create("resolve");

	tcase_add_loop_test(tc, resolve, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, table_fails, 0, ARRAY_LEN(failures));
	tcase_add_test(tc, deep);
	tcase_add_test(tc, deep_and_many);
	return tc;
}
