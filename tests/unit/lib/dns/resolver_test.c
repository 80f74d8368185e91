/* SPDX-License-Identifier: ISC */
#include "lib/dns/dns.h"

#include <string.h>

#include "lib/base/attr.h"
#include "lib/sys/clock.h"
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
    {"_smtp._tcp.test", FAKE_SRV, 10, "mx1.test"},
    {"_none._tcp.test", FAKE_SRV, 0, ""},
    {"_25._tcp.mx1.test", FAKE_TLSA, 0, "abc"},
    {"many.test", FAKE_MANY, 40, "192.0.2.4"},
    {"huge.test", FAKE_MANY, 5000, "192.0.2.4"},
    {"cut.test", FAKE_CUT, 40, "192.0.2.4"},
    {"stuck.test", FAKE_STUCK, 40, "192.0.2.4"},
    {"otherid.test", FAKE_OTHER_ID, 1, "192.0.2.4"},
    {"othername.test", FAKE_OTHER_NAME, 1, "192.0.2.4"},
    {"unasked.test2", FAKE_UNASKED, 1, "192.0.2.4"},
    {"signed.test", FAKE_A, 0, "192.0.2.5"},
    {"signedalias.test", FAKE_CNAME, 0, "signed.test"},
    {"signedout.test", FAKE_CNAME, 0, "mx1.test"},
    {"1.2.0.192.in-addr.arpa", FAKE_PTR, 0, "MX1.test"},
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
    {"_smtp._tcp.test", DNS_TYPE_SRV, DNS_FOUND, 1, ""},
    {"_none._tcp.test", DNS_TYPE_SRV, DNS_NULL_SRV, 0, "Service _none._tcp.test is not available"},
    {"_25._tcp.mx1.test", DNS_TYPE_TLSA, DNS_FOUND, 1, ""},
    /* truncated: asked again by TCP */
    {"many.test", DNS_TYPE_A, DNS_FOUND, 40, ""},
    {"huge.test", DNS_TYPE_A, DNS_FOUND, DNS_RECORDS_MAX, ""},
    {"cut.test", DNS_TYPE_A, DNS_RETRY, 0, "try again"},
    {"stuck.test", DNS_TYPE_A, DNS_RETRY, 0, "try again"},
    /* what is not the answer is not taken for it */
    {"otherid.test", DNS_TYPE_A, DNS_RETRY, 0, "try again"},
    {"othername.test", DNS_TYPE_A, DNS_RETRY, 0, "try again"},
    {"unasked.test2", DNS_TYPE_A, DNS_FOUND, 1, ""},
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

/* A server that is silent is waited for once; the other types of the name get a short try. */
START_TEST(does_not_wait_twice)
{
	const char *address = server.address;
	struct dns_options options = {.servers = &address,
	    .server_count = 1,
	    .timeout_s = 3,
	    .attempts = 1,
	    .impatient = true};
	static const struct {
		const char *name;
		enum dns_type type;
		int64_t least, most;
	} steps[] = {
	    {"silent.test", DNS_TYPE_MX, 3000, 20000},
	    {"silent.test", DNS_TYPE_MX, 0, 2999},
	    {"silent.test", DNS_TYPE_A, 1000, 2999},
	    {"silent.test", DNS_TYPE_A, 0, 2999},
	    {"", 0, 0, 0}, /* the next session */
	    {"silent.test", DNS_TYPE_A, 3000, 20000},
	};
	struct dns_resolver *patient;
	struct dns_answer answer;
	struct err err;

	ck_assert_int_eq(dns_resolver_new(&options, &patient, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int64_t began = clock_mono_ms(), took;

		if (!*steps[i].name) {
			dns_resolver_forget(patient);
			continue;
		}
		dns_lookup(patient, steps[i].name, steps[i].type, &arena, &answer);
		took = clock_mono_ms() - began;
		ck_assert_int_eq(answer.status, DNS_RETRY);
		ck_assert_int_ge(took, steps[i].least);
		ck_assert_int_le(took, steps[i].most);
	}
	dns_resolver_free(&patient);
}
END_TEST

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
	struct dns_answer answer;

	ck_assert_int_eq(
	    dns_lookup(resolver, "1.2.0.192.in-addr.arpa", DNS_TYPE_PTR, &arena, &answer),
	    DNS_FOUND);
	ck_assert_str_eq(answer.records[0].target, "mx1.test");
}
END_TEST

static struct dns_resolver *open_with(const char *const *servers, size_t count, bool dnssec)
{
	struct dns_options options = {.servers = servers,
	    .server_count = count,
	    .timeout_s = 1,
	    .attempts = 1,
	    .dnssec = dnssec};
	struct dns_resolver *r;
	struct err err;

	ck_assert_msg(dns_resolver_new(&options, &r, &err) == 0, "%s", err.text);
	return r;
}

static const struct {
	const char *name;
	bool dnssec, secure, expanded;
} validated[] = {
    {"signed.test", true, true, false},
    {"signed.test", false, false, false},
    {"mx1.test", true, false, false},
    {"signedalias.test", true, true, true},
    {"signedout.test", true, false, true}, /* leads to a zone without signatures */
    {"inside.test", true, false, true},
};

START_TEST(tells_of_validation)
{
	const char *address = server.address;
	struct dns_resolver *r = open_with(&address, 1, validated[_i].dnssec);
	struct dns_answer a;

	ck_assert_int_eq(dns_lookup(r, validated[_i].name, DNS_TYPE_A, &arena, &a), DNS_FOUND);
	ck_assert_int_eq(a.secure, validated[_i].secure);
	ck_assert_int_eq(a.expanded, validated[_i].expanded);
	dns_resolver_free(&r);
}
END_TEST

/* Three dead ones and the good one; it is then asked at once. */
START_TEST(asks_more_than_three_servers)
{
	const char *servers[] = {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", server.address};
	struct dns_resolver *r = open_with(servers, 4, false);
	struct dns_answer a;

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(dns_lookup(r, "mx1.test", DNS_TYPE_A, &arena, &a), DNS_FOUND);
	ck_assert_int_eq(dns_lookup(r, "broken.test", DNS_TYPE_A, &arena, &a), DNS_RETRY);
	ck_assert_int_eq(dns_lookup(r, "mx1.test", DNS_TYPE_A, &arena, &a), DNS_FOUND);
	dns_resolver_free(&r);
}
END_TEST

START_TEST(asks_by_ipv6)
{
	struct fake_dns v6 = fake_dns_start_on(AF_INET6, zone, ARRAY_LEN(zone));
	const char *servers[] = {"127.0.0.1:1", v6.address};
	struct dns_resolver *r;
	struct dns_answer a;

	if (v6.pid < 0)
		return; /* no IPv6 here */
	r = open_with(servers, 2, false);
	ck_assert_int_eq(dns_lookup(r, "mx1.test", DNS_TYPE_A, &arena, &a), DNS_FOUND);
	ck_assert_int_eq(dns_lookup(r, "many.test", DNS_TYPE_A, &arena, &a), DNS_FOUND);
	dns_resolver_free(&r);
	fake_dns_stop(&v6);
}
END_TEST

static int drop(void *arg, const char *record)
{
	const char *what = arg;

	if (strcmp(what, "fail") == 0)
		return -1;
	return strstr(record, what) != NULL;
}

static const struct {
	const char *drop;
	enum dns_status status;
	size_t count;
} filters[] = {
    {"nothing", DNS_FOUND, 2},
    {"two.test. 60 IN MX 10 mx1.test.", DNS_FOUND, 1},
    {" IN MX ", DNS_FILTERED, 0},
    {"fail", DNS_RETRY, 0},
};

START_TEST(filters_records)
{
	static char what[64];
	const char *address = server.address;
	struct dns_options options = {.servers = &address,
	    .server_count = 1,
	    .filter = drop,
	    .filter_arg = strcpy(what, filters[_i].drop)};
	struct dns_resolver *r;
	struct dns_answer a;
	struct err err;

	ck_assert_int_eq(dns_resolver_new(&options, &r, &err), 0);
	ck_assert_int_eq(dns_lookup(r, "two.test", DNS_TYPE_MX, &arena, &a), filters[_i].status);
	ck_assert_uint_eq(a.count, filters[_i].count);
	ck_assert(a.status == DNS_FOUND || a.text[0]);
	dns_resolver_free(&r);
}
END_TEST

START_TEST(prints_records)
{
	struct str text = {0};
	struct dns_answer a;

	ck_assert_int_eq(dns_lookup(resolver, "_smtp._tcp.test", DNS_TYPE_SRV, &arena, &a), 0);
	dns_record_print(&text, a.name, &a.records[0]);
	str_put_char(&text, '|');
	ck_assert_int_eq(dns_lookup(resolver, "_25._tcp.mx1.test", DNS_TYPE_TLSA, &arena, &a), 0);
	dns_record_print(&text, a.name, &a.records[0]);
	str_put_char(&text, '|');
	ck_assert_int_eq(dns_lookup(resolver, "mx1.test", DNS_TYPE_AAAA, &arena, &a), 0);
	dns_record_print(&text, a.name, &a.records[0]);
	ck_assert_str_eq(str_text(&text), "_smtp._tcp.test. 60 IN SRV 10 5 2525 mx1.test.|"
	                                  "_25._tcp.mx1.test. 60 IN TLSA 3 1 1 616263|"
	                                  "mx1.test. 60 IN AAAA 2001:db8::1");
	str_fini(&text);
}
END_TEST

START_TEST(refuses_bad_servers)
{
	static const char *const bad[] = {
	    "ns.example", "[::1", "127.0.0.1:x", "127.0.0.1:0", "[192.0.2.1"};
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
	tcase_add_test(tc, does_not_wait_twice);
	tcase_add_loop_test(tc, finds_hosts, 0, (int)ARRAY_LEN(hosts));
	tcase_add_test(tc, finds_names_of_addresses);
	tcase_add_loop_test(tc, tells_of_validation, 0, (int)ARRAY_LEN(validated));
	tcase_add_test(tc, asks_more_than_three_servers);
	tcase_add_test(tc, asks_by_ipv6);
	tcase_add_loop_test(tc, filters_records, 0, (int)ARRAY_LEN(filters));
	tcase_add_test(tc, prints_records);
	tcase_add_loop_test(tc, refuses_bad_servers, 0, 5);
	return tc;
}
