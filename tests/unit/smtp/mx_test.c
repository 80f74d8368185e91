/* SPDX-License-Identifier: ISC */
#include "smtp/mx.h"

#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/dns/fake_dns.h"
#include "tests/unit/smtp/fixture.h"
#include "tests/unit/smtp/suite.h"

static const struct fake_record zone[] = {
    {"two.test", FAKE_MX, 20, "mx2.test"},
    {"two.test", FAKE_MX, 10, "mx1.test"},
    {"mx1.test", FAKE_A, 0, "192.0.2.1"},
    {"mx2.test", FAKE_A, 0, "192.0.2.2"},
    {"plain.test", FAKE_A, 0, "192.0.2.3"},
    {"null.test", FAKE_MX, 0, ""},
    {"broken.test", FAKE_SERVFAIL, 0, ""},
    {"dangling.test", FAKE_MX, 10, "nowhere.test"},
    {"wobbly.test", FAKE_MX, 10, "broken.test"},
    {"wobbly.test", FAKE_MX, 20, "nowhere.test"},
    /* 127.0.0.9 is us (inet_interfaces) */
    {"us.test", FAKE_A, 0, "127.0.0.9"},
    {"ours.test", FAKE_MX, 10, "us.test"},
    {"ours.test", FAKE_MX, 20, "mx2.test"},
    {"backup.test", FAKE_MX, 20, "us.test"},
    {"backup.test", FAKE_MX, 10, "mx1.test"},
    {"backup.test", FAKE_MX, 20, "mx2.test"},
    {"hidden.test", FAKE_MX, 10, "broken.test"},
    {"hidden.test", FAKE_MX, 20, "us.test"},
    {"byname.test", FAKE_MX, 10, "client.test"},
    {"client.test", FAKE_A, 0, "192.0.2.77"},
    {"_submission._tcp.two.test", FAKE_SRV, 20, "mx2.test"},
    {"_submission._tcp.two.test", FAKE_SRV, 10, "signedname.test"},
    {"signedname.test", FAKE_CNAME, 0, "signedhost.test"},
    {"signedhost.test", FAKE_A, 0, "192.0.2.9"},
    {"signedzone.test", FAKE_MX, 10, "signedname.test"},
    {"_submission._tcp.broken.test", FAKE_SERVFAIL, 0, ""},
    {"_submission._tcp.none.test", FAKE_SRV, 0, ""},
    {"none.test", FAKE_A, 0, "192.0.2.8"},
};

static struct fake_dns server;
static const char *address;

static void start(void)
{
	server = fake_dns_start(zone, ARRAY_LEN(zone));
	address = server.address;
	fixture_init();
	fx.params.dns_resolver_address = (struct conf_list){&address, 1};
	fixture_start();
}

static void stop(void)
{
	fixture_fini();
	fake_dns_stop(&server);
}

static const struct {
	const char *host;
	bool direct, loops;
	const char *first, *dsn, *reason; /* first: the address; NULL: dsn and reason count */
	size_t count;
} cases[] = {
    {"two.test", false, true, "192.0.2.1", NULL, NULL, 2},
    {"plain.test", false, true, "192.0.2.3", NULL, NULL, 1},
    {"mx1.test", true, true, "192.0.2.1", NULL, NULL, 1},
    {"192.0.2.5", true, true, "192.0.2.5", NULL, NULL, 1},
    {"backup.test", false, true, "192.0.2.1", NULL, NULL, 1},
    {"ours.test", false, false, "127.0.0.9", NULL, NULL, 2},
    {"ours.test", false, true, NULL, "5.4.6", "mail for ours.test loops back to myself", 0},
    {"byname.test", false, true, NULL, "5.4.6", "mail for byname.test loops back to myself", 0},
    {"us.test", true, true, NULL, "5.4.6", "mail for us.test loops back to myself", 0},
    {"null.test", false, true, NULL, "5.1.10", "Domain null.test does not accept mail (nullMX)", 0},
    {"broken.test", false, true, NULL, "4.4.3",
        "Host or domain name not found. Name service error for name=broken.test type=MX: "
        "Host not found, try again",
        0},
    {"nowhere.test", false, true, NULL, "5.4.4",
        "Host or domain name not found. Name service error for name=nowhere.test type=A: "
        "Host not found",
        0},
    {"nowhere.test", true, true, NULL, "5.4.4", "name=nowhere.test type=A: Host not found", 0},
    {"dangling.test", false, true, NULL, "5.4.4", "name=nowhere.test type=A: Host not found", 0},
    {"wobbly.test", false, true, NULL, "4.4.3", "name=broken.test type=A", 0},
    {"bad name", false, true, NULL, "5.4.4", "invalid host or domain name", 0},
};

START_TEST(finds)
{
	struct destination d = {.host = cases[_i].host, .port = 25, .direct = cases[_i].direct};
	struct mx_list list;
	struct trouble why;
	char text[64];
	int rc = mx_find(&fx.client, &d, cases[_i].loops, &fx.arena, &list, &why);

	ck_assert_msg(
	    rc == (cases[_i].first ? 0 : -1), "%s: %s", d.host, rc ? why.reason : "found");
	if (rc < 0) {
		ck_assert_str_eq(why.dsn, cases[_i].dsn);
		ck_assert_int_eq(why.soft, why.dsn[0] == '4');
		ck_assert_msg(strstr(why.reason, cases[_i].reason) != NULL, "%s", why.reason);
		return;
	}
	net_addr_text(&list.addrs[0].addr, text, sizeof(text));
	ck_assert_str_eq(text, cases[_i].first);
	ck_assert_uint_eq(net_addr_port(&list.addrs[0].addr), 25);
	ck_assert_uint_eq(list.count, cases[_i].count);
}
END_TEST

/* The primary's address is not known now, and the next is us: wait, do not bounce. */
START_TEST(waits_for_hidden_primary)
{
	struct destination d = {.host = "hidden.test", .port = 25};
	struct mx_list list;
	struct trouble why;

	ck_assert_int_eq(mx_find(&fx.client, &d, true, &fx.arena, &list, &why), -1);
	ck_assert_str_eq(why.dsn, "4.4.4");
	ck_assert_str_eq(why.reason, "unable to find primary relay for hidden.test");
	ck_assert(list.we_are_mx && !list.loops);
}
END_TEST

/* Name servers that are slow, one exchanger after the other: what is known is enough. */
START_TEST(looks_up_in_time)
{
	struct destination dest = {.host = "two.test", .port = 25};
	struct trouble why;
	struct mx_list list;

	fx.client.lookup_ms = 0;
	ck_assert_int_eq(mx_find(&fx.client, &dest, true, &fx.arena, &list, &why), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_str_eq(list.addrs[0].host, "mx1.test");
	dest.host = "hidden.test";
	ck_assert_int_eq(mx_find(&fx.client, &dest, true, &fx.arena, &list, &why), -1);
	ck_assert_str_eq(why.dsn, "4.4.3");
	ck_assert(why.soft);
}
END_TEST

START_TEST(obeys_parameters)
{
	struct destination broken = {.host = "broken.test", .port = 25};
	struct destination dangling = {.host = "dangling.test", .port = 25};
	struct mx_list list;
	struct trouble why;

	fx.params.ignore_mx_lookup_error = true;
	ck_assert_int_eq(mx_find(&fx.client, &broken, true, &fx.arena, &list, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.reason, "type=A:"));
	fx.params.defer_if_no_mx_address_found = true;
	ck_assert_int_eq(mx_find(&fx.client, &dangling, true, &fx.arena, &list, &why), -1);
	ck_assert(why.soft);
	ck_assert_str_eq(why.dsn, "4.4.4");
}
END_TEST

static const struct {
	const char *host;
	bool ignore_error, fallback;
	const char *first; /* NULL: dsn counts */
	unsigned port;
	const char *dsn;
} srv[] = {
    {"two.test", false, false, "192.0.2.9", 2525, NULL},
    {"plain.test", false, false, NULL, 0, "5.4.4"}, {"plain.test", true, false, NULL, 0, "5.4.4"},
    {"plain.test", false, true, "192.0.2.3", 587, NULL},
    {"broken.test", false, false, NULL, 0, "4.4.3"},
    {"none.test", true, true, NULL, 0, "5.1.10"}, /* it says that it has no such service */
};

START_TEST(finds_by_srv)
{
	static const char *const services[] = {"submissions", "submission"};
	struct arena *arena = &fx.arena;
	struct destination dest;
	struct mx_list list;
	struct trouble why;
	char text[64];
	struct err err;
	int rc;

	fx.params.use_srv_lookup = (struct conf_list){services, 2};
	fx.params.ignore_srv_lookup_error = srv[_i].ignore_error;
	fx.params.allow_srv_lookup_fallback = srv[_i].fallback;
	ck_assert_int_eq(destination_parse(arena_printf(arena, "%s:submission", srv[_i].host), 25,
	                     arena, &dest, &err),
	    0);
	rc = mx_find(&fx.client, &dest, false, arena, &list, &why);
	if (!srv[_i].first) {
		ck_assert_int_eq(rc, -1);
		ck_assert_str_eq(why.dsn, srv[_i].dsn);
		return;
	}
	ck_assert_int_eq(rc, 0);
	net_addr_text(&list.addrs[0].addr, text, sizeof(text));
	ck_assert_str_eq(text, srv[_i].first);
	ck_assert_uint_eq(net_addr_port(&list.addrs[0].addr), srv[_i].port);
}
END_TEST

/* The name behind a CNAME stands in for the exchanger's where that is wanted, or validated. */
static const struct {
	const char *host;
	bool dnssec, cname_overrides;
	const char *name;
	bool secure;
} names[] = {
    {"signedzone.test", false, false, "signedname.test", false},
    {"signedzone.test", false, true, "signedhost.test", false},
    {"signedzone.test", true, false, "signedhost.test", true},
};

START_TEST(names_servers)
{
	struct destination dest = {.host = names[_i].host, .port = 25};
	struct mx_list list;
	struct trouble why;

	fixture_fini();
	fx.params.dns_support_level = names[_i].dnssec ? SMTP_DNS_DNSSEC : SMTP_DNS_ENABLED;
	fx.params.cname_overrides = names[_i].cname_overrides;
	memset(&fx.client, 0, sizeof(fx.client));
	fixture_start();
	ck_assert_int_eq(mx_find(&fx.client, &dest, true, &fx.arena, &list, &why), 0);
	ck_assert_str_eq(list.addrs[0].host, names[_i].name);
	ck_assert_str_eq(list.addrs[0].asked, "signedname.test");
	ck_assert_str_eq(list.addrs[0].canonical, "signedhost.test");
	ck_assert_int_eq(list.addrs[0].secure, names[_i].secure);
	ck_assert_int_eq(list.addrs[0].mx_secure, names[_i].secure);
}
END_TEST

static struct mx_addr make(const char *text, unsigned preference)
{
	struct mx_addr a = {.host = text, .preference = preference};

	ck_assert(net_addr_parse(&a.addr, text, 25));
	return a;
}

/* Who did not answer is tried behind all others, whatever its preference. */
START_TEST(orders_suspects_last)
{
	struct mx_addr addrs[] = {
	    make("192.0.2.1", 10), make("192.0.2.2", 20), make("192.0.2.3", 30)};
	struct mx_list list = {.addrs = addrs, .count = 3, .cap = 3};
	struct smtp_params params = {.mx_address_limit = 2};

	addrs[0].suspect = true;
	mx_order(&list, &params);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.addrs[0].host, "192.0.2.2");
	ck_assert_str_eq(list.addrs[1].host, "192.0.2.3");
}
END_TEST

START_TEST(orders)
{
	struct mx_addr addrs[] = {make("192.0.2.9", 30), make("2001:db8::1", 10),
	    make("192.0.2.1", 10), make("2001:db8::2", 10), make("192.0.2.2", 20),
	    make("2001:db8::3", 10)};
	struct mx_list list = {.addrs = addrs, .count = ARRAY_LEN(addrs)};
	struct smtp_params params = {
	    .randomize_addresses = true, .balance_inet_protocols = true, .address_preference = _i};

	mx_order(&list, &params);
	ck_assert_uint_eq(list.count, 6);
	ck_assert_str_eq(addrs[5].host, "192.0.2.9");
	ck_assert_str_eq(addrs[4].host, "192.0.2.2");
	if (_i == SMTP_PREFER_V4)
		ck_assert_str_eq(addrs[0].host, "192.0.2.1");
	if (_i == SMTP_PREFER_V6)
		ck_assert_str_eq(addrs[3].host, "192.0.2.1");
	if (_i != SMTP_PREFER_V6)
		return;
	params.mx_address_limit = 3; /* three of IPv6 lead, one of them gives way */
	mx_order(&list, &params);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(addrs[2].host, "192.0.2.1");
}
END_TEST

TCase *mx_tcase(void)
{
	TCase *tc = tcase_create("mx");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, finds, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, waits_for_hidden_primary);
	tcase_add_test(tc, looks_up_in_time);
	tcase_add_test(tc, obeys_parameters);
	tcase_add_loop_test(tc, orders, 0, 3);
	tcase_add_loop_test(tc, finds_by_srv, 0, (int)ARRAY_LEN(srv));
	tcase_add_loop_test(tc, names_servers, 0, (int)ARRAY_LEN(names));
	tcase_add_test(tc, orders_suspects_last);
	return tc;
}
