/* SPDX-License-Identifier: ISC */
#include "lib/dns/dns.h"

#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/dns/fake_dns.h"
#include "tests/unit/lib/dns/suite.h"

static const struct fake_record zone[] = {
    {"two.test", FAKE_MX, 10, "mx1.test"},
    {"two.test", FAKE_MX, 20, "mx2.test"},
    {"mx1.test", FAKE_A, 0, "192.0.2.1"},
    {"mx1.test", FAKE_AAAA, 0, "2001:db8::1"},
    {"mx2.test", FAKE_A, 0, "192.0.2.2"},
    {"null.test", FAKE_MX, 0, ""},
    {"inside.test", FAKE_CNAME, 1, "mx1.test"},
    {"outside.test", FAKE_CNAME, 0, "mx1.test"},
    {"loop1.test", FAKE_CNAME, 0, "loop2.test"},
    {"loop2.test", FAKE_CNAME, 0, "loop1.test"},
    {"broken.test", FAKE_SERVFAIL, 0, ""},
    {"silent.test", FAKE_SILENT, 0, ""},
    {"refused.test", FAKE_REFUSED, 0, ""},
    {"garbage.test", FAKE_GARBAGE, 0, ""},
    {"empty.test", FAKE_EMPTY, 0, ""},
    {"1.2.0.192.in-addr.arpa", FAKE_PTR, 0, "MX1.test"},
    {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", FAKE_PTR, 0,
        "mx1.test"},
};

static struct fake_dns server;
static struct dns_resolver *resolver;
static struct arena arena;

static void start(void)
{
	struct dns_options options = {.server_count = 1, .timeout_s = 1, .attempts = 1};
	const char *address;
	struct err err;

	server = fake_dns_start(zone, ARRAY_LEN(zone));
	address = server.address;
	options.servers = &address;
	ck_assert_msg(dns_resolver_new(&options, &resolver, &err) == 0, "%s", err.text);
}

static void stop(void)
{
	dns_resolver_free(&resolver);
	fake_dns_stop(&server);
	arena_fini(&arena);
}

static const struct {
	const char *name;
	enum dns_type type;
	enum dns_status status;
	size_t count;
	const char *text; /* a part of it */
} questions[] = {
    {"two.test", DNS_TYPE_MX, DNS_FOUND, 2, ""},
    {"mx1.test", DNS_TYPE_A, DNS_FOUND, 1, ""},
    {"mx1.test", DNS_TYPE_AAAA, DNS_FOUND, 1, ""},
    {"mx2.test", DNS_TYPE_AAAA, DNS_NO_DATA, 0,
        "name=mx2.test type=AAAA: Host found but no data record of requested type"},
    {"nowhere.test", DNS_TYPE_MX, DNS_NOT_FOUND, 0,
        "Host or domain name not found. Name service error for name=nowhere.test type=MX: "
        "Host not found"},
    {"null.test", DNS_TYPE_MX, DNS_NULL_MX, 0, "Domain null.test does not accept mail (nullMX)"},
    {"inside.test", DNS_TYPE_A, DNS_FOUND, 1, ""},
    {"outside.test", DNS_TYPE_A, DNS_FOUND, 1, ""},
    {"loop1.test", DNS_TYPE_A, DNS_FAILED, 0, "Name server loop for loop1.test"},
    {"broken.test", DNS_TYPE_MX, DNS_RETRY, 0, "type=MX: Host not found, try again"},
    {"silent.test", DNS_TYPE_MX, DNS_RETRY, 0, "type=MX: Host not found, try again"},
    {"refused.test", DNS_TYPE_MX, DNS_RETRY, 0, ""},
    {"garbage.test", DNS_TYPE_MX, DNS_RETRY, 0, "Malformed or unexpected name server reply"},
    {"empty.test", DNS_TYPE_A, DNS_NO_DATA, 0, "Host found but no data record"},
    {"not a name", DNS_TYPE_A, DNS_INVALID, 0, "invalid host or domain name"},
};

START_TEST(asks)
{
	struct dns_answer answer;
	enum dns_status status =
	    dns_lookup(resolver, questions[_i].name, questions[_i].type, &arena, &answer);

	if (questions[_i].status == DNS_RETRY && status == DNS_FAILED)
		return; /* REFUSED: libresolv's versions differ */
	ck_assert_msg(status == questions[_i].status, "%s: status %d (%s)", questions[_i].name,
	    status, answer.text);
	ck_assert_int_eq(answer.status, status);
	ck_assert_uint_eq(answer.count, questions[_i].count);
	ck_assert_msg(strstr(answer.text, questions[_i].text) != NULL, "\"%s\"", answer.text);
}
END_TEST

static const struct {
	const char *host;
	int how;
	enum dns_status status;
	size_t count;
	const char *first;
} hosts[] = {
    {"mx1.test", DNS_HOST_DNS | DNS_HOST_V4 | DNS_HOST_V6, DNS_FOUND, 2, "192.0.2.1"},
    {"mx1.test", DNS_HOST_DNS | DNS_HOST_V6, DNS_FOUND, 1, "2001:db8::1"},
    {"mx2.test", DNS_HOST_DNS | DNS_HOST_V4 | DNS_HOST_V6, DNS_FOUND, 1, "192.0.2.2"},
    {"broken.test", DNS_HOST_DNS | DNS_HOST_V4 | DNS_HOST_V6, DNS_RETRY, 0, NULL},
    {"nowhere.test", DNS_HOST_DNS | DNS_HOST_V4, DNS_NOT_FOUND, 0, NULL},
    {"192.0.2.9", DNS_HOST_V4, DNS_FOUND, 1, "192.0.2.9"},
    {"2001:db8::9", DNS_HOST_V4 | DNS_HOST_V6, DNS_FOUND, 1, "2001:db8::9"},
    {"2001:db8::9", DNS_HOST_V4, DNS_NO_DATA, 0, NULL},
    {"localhost", DNS_HOST_DNS | DNS_HOST_V4, DNS_FOUND, 1, "127.0.0.1"},
};

START_TEST(finds_hosts)
{
	struct dns_answer answer;
	char text[64];

	ck_assert_int_eq(dns_lookup_host(resolver, hosts[_i].host, hosts[_i].how, &arena, &answer),
	    hosts[_i].status);
	ck_assert_uint_eq(answer.count, hosts[_i].count);
	if (!hosts[_i].count)
		return;
	net_addr_text(&answer.records[0].addr, text, sizeof(text));
	ck_assert_str_eq(text, hosts[_i].first);
}
END_TEST

START_TEST(finds_names_of_addresses)
{
	static const char *const addresses[] = {"192.0.2.1", "2001:db8::1"};
	struct dns_answer answer;
	struct net_addr addr;

	ck_assert(net_addr_parse(&addr, addresses[_i], 0));
	ck_assert_int_eq(dns_lookup_address(resolver, &addr, &arena, &answer), DNS_FOUND);
	ck_assert_str_eq(answer.records[0].target, "mx1.test");
}
END_TEST

START_TEST(refuses_bad_servers)
{
	static const char *const bad[] = {"ns.example", "::1", "127.0.0.1:x", "127.0.0.1:0"};
	struct dns_options options = {.servers = &bad[_i], .server_count = 1};
	struct dns_resolver *r = NULL;
	struct err err;

	ck_assert_int_eq(dns_resolver_new(&options, &r, &err), -1);
	ck_assert_ptr_null(r);
}
END_TEST

TCase *resolver_tcase(void)
{
	TCase *tc = tcase_create("resolver");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, asks, 0, (int)ARRAY_LEN(questions));
	tcase_add_loop_test(tc, finds_hosts, 0, (int)ARRAY_LEN(hosts));
	tcase_add_loop_test(tc, finds_names_of_addresses, 0, 2);
	tcase_add_loop_test(tc, refuses_bad_servers, 0, 4);
	return tc;
}
