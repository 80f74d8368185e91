/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "lib/base/attr.h"
#include "smtp/auth.h"
#include "smtp/cache.h"
#include "smtp/engine.h"
#include "smtp/policy.h"
#include "tests/unit/smtp/suite.h"

/* Which sessions others may have: each row is what differs from the usual. */
struct terms {
	const char *nexthop, *host, *address;
	unsigned port;
	const char *helo, *bind, *bind6;
	bool lmtp;
	int above_may; /* level of TLS */
	const char *policies, *mandatory_protocols, *servername, *match;
	const char *sender, *passwords;
	uint32_t env_flags;
};

static const struct terms usual = {.nexthop = "a.test",
    .host = "mx.a.test",
    .address = "192.0.2.1",
    .port = 25,
    .helo = "me.test",
    .bind = "",
    .bind6 = "",
    .policies = "",
    .mandatory_protocols = ">=TLSv1.2",
    .servername = "",
    .match = "nexthop",
    .sender = "s@s.test",
    .passwords = "inline:{one@s.test=one:1, two@s.test=two:2, mx.b.test=host:3}"};

#define LEVEL(level) .above_may = (int)(level) - (int)LEVEL_MAY

static const struct {
	const char *what;
	struct terms terms;
	bool endpoint, destination; /* is that key another one? */
} rows[] = {
    {"nothing", {0}, false, false},
    {"sender without login", {.sender = "other@s.test"}, false, false},
    {"destination", {.nexthop = "b.test"}, false, true},
    {"address", {.address = "192.0.2.2"}, true, false},
    {"family", {.address = "2001:db8::1"}, true, false},
    {"port", {.port = 26}, true, false},
    {"name in EHLO", {.helo = "you.test"}, true, true},
    {"own address", {.bind = "192.0.2.9"}, true, true},
    {"own IPv6 address", {.bind6 = "2001:db8::9"}, true, true},
    {"lmtp", {.lmtp = true}, true, true},
    {"none", {LEVEL(LEVEL_NONE)}, true, true},
    {"encrypt", {LEVEL(LEVEL_ENCRYPT)}, true, true},
    {"protocols", {LEVEL(LEVEL_ENCRYPT), .mandatory_protocols = "TLSv1.3"}, true, true},
    {"verify", {LEVEL(LEVEL_VERIFY)}, true, true},
    {"secure", {LEVEL(LEVEL_SECURE)}, true, true},
    {"fingerprint", {LEVEL(LEVEL_FINGERPRINT)}, true, true},
    {"another one", {LEVEL(LEVEL_FINGERPRINT), .match = "AA:BB"}, true, true},
    {"other names", {LEVEL(LEVEL_SECURE), .match = "x.test"}, true, true},
    {"dane", {LEVEL(LEVEL_DANE)}, true, true},
    {"dane-only", {LEVEL(LEVEL_DANE_ONLY)}, true, true},
    {"a policy", {.policies = "inline:{{a.test=encrypt protocols=TLSv1.3}}"}, true, true},
    {"its ciphers", {.policies = "inline:{{a.test=may ciphers=high}}"}, true, true},
    {"its names", {.policies = "inline:{{a.test=secure match=x.test}}"}, true, true},
    {"a policy of others", {.policies = "inline:{c.test=encrypt}"}, false, false},
    {"server name", {.servername = "x.test"}, true, true},
    {"REQUIRETLS", {.env_flags = ENV_REQUIRETLS}, true, true},
    {"login", {.sender = "one@s.test"}, true, true},
    {"another login", {.sender = "two@s.test"}, true, true},
    {"login of the host", {.host = "mx.b.test"}, true, true},
    {"another password", {.host = "mx.b.test", .passwords = "inline:{mx.b.test=host:4}"}, true,
        true},
    {"no table of logins", {.passwords = "fail:x"}, true, true},
};

struct keys {
	char *endpoint, *destination;
};

static const char *const hostname[] = {"hostname"};

static void complete(struct terms *t)
{
	t->nexthop = t->nexthop ? t->nexthop : usual.nexthop;
	t->host = t->host ? t->host : usual.host;
	t->address = t->address ? t->address : usual.address;
	t->port = t->port ? t->port : usual.port;
	t->helo = t->helo ? t->helo : usual.helo;
	t->bind = t->bind ? t->bind : usual.bind;
	t->bind6 = t->bind6 ? t->bind6 : usual.bind6;
	t->policies = t->policies ? t->policies : usual.policies;
	t->mandatory_protocols =
	    t->mandatory_protocols ? t->mandatory_protocols : usual.mandatory_protocols;
	t->servername = t->servername ? t->servername : usual.servername;
	t->match = t->match ? t->match : usual.match;
	t->sender = t->sender ? t->sender : usual.sender;
	t->passwords = t->passwords ? t->passwords : usual.passwords;
}

static struct keys keys_with(const struct terms *t)
{
	const struct core_params core = {.ipc_timeout = 1,
	    .myhostname = "me.test",
	    .recipient_delimiter = "",
	    .mydestination = "",
	    .myorigin = "me.test"};
	const struct smtp_params params = {.helo_name = t->helo,
	    .bind_address = t->bind,
	    .bind_address6 = t->bind6,
	    .cache_service_name = "scache",
	    .cache_protocol_timeout = 1};
	const struct smtp_tls_params tls = {.security_level = LEVEL_MAY + t->above_may,
	    .policy_maps = t->policies,
	    .per_site = "",
	    .protocols = ">=TLSv1",
	    .mandatory_protocols = t->mandatory_protocols,
	    .ciphers = "medium",
	    .mandatory_ciphers = "medium",
	    .exclude_ciphers = "",
	    .mandatory_exclude_ciphers = "",
	    .ca_file = "",
	    .ca_path = "",
	    .cert_file = "",
	    .eccert_file = "",
	    .dcert_file = "",
	    .verify_cert_match = {hostname, 1},
	    .secure_cert_match = {&t->match, 1},
	    .fingerprint_cert_match = {&t->match, 1},
	    .fingerprint_digest = "sha256",
	    .servername = t->servername,
	    .tlsproxy_service_name = "",
	    .verify_depth = 9,
	    .requiretls_enable = true,
	    .tls_required_enable = true};
	const struct smtp_auth_params auth = {.enable = true,
	    .type = "cyrus",
	    .path = "",
	    .password_maps = t->passwords,
	    .password_delimiter = ":",
	    .mechanism_filter = "",
	    .cache_name = "",
	    .token_maps = "",
	    .sender_dependent = true};
	struct secure_params secure = {
	    .common = tls_common_defaults, .sessions = {{"", 1}, {"", 1}}};
	struct smtp_client client = {.core = &core, .params = &params, .lmtp = t->lmtp};
	struct deliver_request request = {
	    .nexthop = t->nexthop, .sender = t->sender, .env_flags = t->env_flags};
	struct mx_addr addr = {.host = t->host, .asked = t->host, .canonical = t->host};
	struct target to = {
	    .addr = &addr, .domain = t->nexthop, .port = t->port, .request = &request};
	struct session s = {.client = &client};

	net_addr_parse(&addr.addr, t->address, (uint16_t)t->port);
	client.tls = engine_open(&tls, &secure, &core, false);
	client.auth = auth_open(&auth, &core, false);
	cache_open(&client);
	cache_set_keys(&client, &s, &to);
	cache_fini(&client);
	auth_close(&client.auth);
	engine_close(&client.tls);
	return (struct keys){s.endpoint_key, s.destination_key};
}

static struct keys keys_of(size_t row)
{
	struct terms terms = rows[row].terms;

	complete(&terms);
	return keys_with(&terms);
}

static void keys_free(struct keys *keys)
{
	free(keys->endpoint);
	free(keys->destination);
}

START_TEST(keep_users_apart)
{
	struct keys first = keys_of(0), other = keys_of((size_t)_i);

	ck_assert_msg((strcmp(first.endpoint, other.endpoint) != 0) == rows[_i].endpoint,
	    "%s: %s, %s", rows[_i].what, first.endpoint, other.endpoint);
	ck_assert_msg((strcmp(first.destination, other.destination) != 0) == rows[_i].destination,
	    "%s: %s, %s", rows[_i].what, first.destination, other.destination);
	keys_free(&first);
	keys_free(&other);
}
END_TEST

/* Those that differ in both keys from the usual one differ from one another, too. */
START_TEST(keep_all_apart)
{
	struct keys one = keys_of((size_t)_i);

	for (size_t i = 0; rows[_i].endpoint && rows[_i].destination && i < (size_t)_i; i++) {
		struct keys other;

		if (!rows[i].endpoint || !rows[i].destination)
			continue;
		other = keys_of(i);
		ck_assert_msg(strcmp(one.endpoint, other.endpoint) != 0 &&
		                  strcmp(one.destination, other.destination) != 0,
		    "%s and %s: %s", rows[_i].what, rows[i].what, one.endpoint);
		keys_free(&other);
	}
	keys_free(&one);
}
END_TEST

TCase *keys_tcase(void)
{
	TCase *tc = tcase_create("keys");

	tcase_add_loop_test(tc, keep_users_apart, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, keep_all_apart, 0, (int)ARRAY_LEN(rows));
	return tc;
}
