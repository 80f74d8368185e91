/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <string.h>

#include "lib/base/attr.h"
#include "smtp/engine.h"
#include "smtp/policy.h"
#include "tests/unit/smtp/suite.h"

static struct arena arena;

static void teardown(void)
{
	arena_fini(&arena);
}

static const struct {
	const char *value;
	enum tls_level level; /* LEVEL_INVALID: refused, and the text tells of `says` */
	const char *says;
	const char *match;
	const char *protocols, *grade, *exclude, *servername;
} values[] = {
    {"none", LEVEL_NONE, 0, 0, 0, 0, 0, 0},
    {"MAY", LEVEL_MAY, 0, 0, 0, 0, 0, 0},
    {"dane-only", LEVEL_DANE_ONLY, 0, 0, 0, 0, 0, 0},
    {"encrypt protocols=TLSv1.2;TLSv1.3 ciphers=High", LEVEL_ENCRYPT, 0, 0, "TLSv1.2:TLSv1.3",
        "high", 0, 0},
    {"may, exclude=3DES:RC4, servername=hostname", LEVEL_MAY, 0, 0, 0, 0, "3DES:RC4", "hostname"},
    {"{ may } { exclude = MD5 }", LEVEL_MAY, 0, 0, 0, 0, "MD5", 0},
    {"secure match=example.com:.example.com match=nexthop", LEVEL_SECURE, 0,
        "example.com .example.com nexthop", 0, 0, 0, 0},
    {"fingerprint match=AA:BB|CC:DD match=EE", LEVEL_FINGERPRINT, 0, "AA:BB CC:DD EE", 0, 0, 0, 0},
    {"encrypt connection_reuse=yes enable_rpk=no", LEVEL_ENCRYPT, 0, 0, 0, 0, 0, 0},
    {"secure policy_type=sts policy_domain=x mx_host_pattern=*.x", LEVEL_SECURE, 0, 0, 0, 0, 0, 0},
    {"", LEVEL_INVALID, "expected a security level", 0, 0, 0, 0, 0},
    {"half-dane", LEVEL_INVALID, "invalid security level \"half-dane\"", 0, 0, 0, 0, 0},
    {"encrypted", LEVEL_INVALID, "invalid security level", 0, 0, 0, 0, 0},
    {"may protocols", LEVEL_INVALID, "malformed attribute \"protocols\"", 0, 0, 0, 0, 0},
    {"may protocols=", LEVEL_INVALID, "no value", 0, 0, 0, 0, 0},
    {"may protocols=TLSv9", LEVEL_INVALID, "TLSv9", 0, 0, 0, 0, 0},
    {"may ciphers=strong", LEVEL_INVALID, "cipher grade \"strong\"", 0, 0, 0, 0, 0},
    {"may colour=red", LEVEL_INVALID, "unknown attribute \"colour\"", 0, 0, 0, 0, 0},
    {"may match=example.com", LEVEL_INVALID, "no meaning at level may", 0, 0, 0, 0, 0},
    {"dane match=example.com", LEVEL_INVALID, "no meaning at level dane", 0, 0, 0, 0, 0},
    {"none ciphers=high", LEVEL_INVALID, "no meaning at level none", 0, 0, 0, 0, 0},
    {"encrypt tafile=/x", LEVEL_INVALID, "no meaning at level encrypt", 0, 0, 0, 0, 0},
    {"encrypt enable_rpk=maybe", LEVEL_INVALID, "expected yes or no", 0, 0, 0, 0, 0},
};

static void check_text(const char *got, const char *want)
{
	ck_assert_str_eq(got ? got : "(none)", want ? want : "(none)");
}

START_TEST(reads_policies)
{
	struct policy p = {.level = LEVEL_NONE};
	struct err err = {.text = ""};
	int rc = policy_parse(values[_i].value, &arena, &p, &err);
	struct str match = {0};

	ck_assert_msg(rc == (values[_i].level == LEVEL_INVALID ? -1 : 0), "%s", err.text);
	if (rc < 0) {
		ck_assert_msg(strstr(err.text, values[_i].says) != NULL, "%s", err.text);
		return;
	}
	ck_assert_int_eq(p.level, values[_i].level);
	for (size_t i = 0; p.match && i < p.match->count; i++)
		str_printf(&match, "%s%s", i ? " " : "", p.match->items[i]);
	check_text(match.len ? str_text(&match) : NULL, values[_i].match);
	check_text(p.protocols, values[_i].protocols);
	check_text(p.grade, values[_i].grade);
	check_text(p.exclude, values[_i].exclude);
	check_text(p.servername, values[_i].servername);
	str_fini(&match);
}
END_TEST

/* ---- which level, by next hop and message ---------------------------------------------------- */

static const struct {
	const char *nexthop;
	uint32_t env_flags;
	enum tls_level level;
	const char *names; /* of the certificate, for mx.example.com */
} sites[] = {
    {"example.com", 0, LEVEL_SECURE, "example.com .example.com"},
    {"EXAMPLE.com", 0, LEVEL_SECURE, "EXAMPLE.com .EXAMPLE.com"},
    {"sub.example.com", 0, LEVEL_MAY, NULL}, /* only ".example.com" would do */
    {"a.below.test", 0, LEVEL_VERIFY, "mx.example.com"},
    {"b.a.below.test", 0, LEVEL_VERIFY, "mx.example.com"},
    {"below.test", 0, LEVEL_MAY, NULL},
    {"[example.com]", 0, LEVEL_MAY, NULL},
    {"[example.com]:587", 0, LEVEL_ENCRYPT, NULL},
    {"example.com:587", 0, LEVEL_MAY, NULL},
    {"[a.below.test]", 0, LEVEL_MAY, NULL},
    {"bad.test", 0, LEVEL_INVALID, NULL},
    {"example.com", ENV_TLS_OPTIONAL, LEVEL_MAY, NULL},
    {"none.test", ENV_TLS_OPTIONAL, LEVEL_NONE, NULL},
    {"none.test", ENV_REQUIRETLS, LEVEL_VERIFY, "mx.example.com"},
    {"plain.test", ENV_REQUIRETLS, LEVEL_VERIFY, "mx.example.com"},
    {"opp.test", ENV_REQUIRETLS, LEVEL_MAY, NULL},
    {"a.opp.test", ENV_REQUIRETLS, LEVEL_ENCRYPT, NULL},
    {"b.a.opp.test", ENV_REQUIRETLS, LEVEL_ENCRYPT, NULL},
    {"off.test", ENV_REQUIRETLS | ENV_TLS_OPTIONAL, LEVEL_MAY, NULL},
    {"odd.test", ENV_REQUIRETLS, LEVEL_INVALID, NULL},
    {"odd.test", 0, LEVEL_MAY, NULL},
    {"[192.0.2.7]:587", ENV_REQUIRETLS, LEVEL_MAY, NULL},
    {"[192.0.3.7]", ENV_REQUIRETLS, LEVEL_VERIFY, "mx.example.com"},
    {"example.com", ENV_REQUIRETLS | ENV_TLS_OPTIONAL, LEVEL_SECURE, "example.com .example.com"},
};

static void set_params(struct smtp_tls_params *p)
{
	static const char *const hostname[] = {"hostname"}, *const next[] = {
	                                                        "nexthop", "dot-nexthop"};

	*p = (struct smtp_tls_params){.security_level = LEVEL_MAY,
	    .policy_maps = "inline:{{example.com=secure}, {.below.test=verify}, "
	                   "{[example.com]:587=encrypt}, {bad.test=worst}, {none.test=none}}",
	    .per_site = "",
	    .tlsproxy_service_name = "",
	    .protocols = ">=TLSv1",
	    .mandatory_protocols = ">=TLSv1.2",
	    .ciphers = "medium",
	    .mandatory_ciphers = "high",
	    .exclude_ciphers = "MD5",
	    .mandatory_exclude_ciphers = "3DES",
	    .ca_file = "",
	    .ca_path = "",
	    .cert_file = "",
	    .eccert_file = "",
	    .dcert_file = "",
	    .verify_cert_match = {hostname, 1},
	    .secure_cert_match = {next, 2},
	    .fingerprint_digest = "sha256",
	    .servername = "",
	    .verify_depth = 9,
	    .requiretls_enable = true,
	    .requiretls_policy = "inline:{{opp.test = opportunistic}, {.opp.test = "
	                         "opportunistic+starttls}, {off.test = disable}, {odd.test = "
	                         "sometimes}} cidr:{{192.0.2.0/24 opportunistic}} enforce",
	    .tls_required_enable = true};
}

START_TEST(finds_the_level)
{
	struct secure_params secure = {
	    .common = tls_common_defaults, .sessions = {{"", 1}, {"", 1}}};
	const struct core_params core = {.ipc_timeout = 1};
	struct deliver_request request = {
	    .nexthop = sites[_i].nexthop, .env_flags = sites[_i].env_flags};
	struct mx_addr addr = {.host = "mx.example.com", .asked = "mx.example.com"};
	struct target to = {.addr = &addr, .request = &request};
	struct smtp_client client = {0};
	struct smtp_tls_params params;
	struct str names = {0};
	struct policy p;

	set_params(&params);
	net_addr_parse(&addr.addr, "192.0.2.1", 25);
	client.tls = engine_open(&params, &secure, &core, false);
	policy_find(&client, &to, &arena, &p);
	policy_complete(&client, &to, &arena, &p);
	ck_assert_int_eq(p.level, sites[_i].level);
	for (size_t i = 0; i < p.name_count; i++)
		str_printf(&names, "%s%s", i ? " " : "", p.names[i]);
	check_text(names.len ? str_text(&names) : NULL, sites[_i].names);
	if (p.level == LEVEL_MAY)
		ck_assert_ptr_nonnull(strstr(p.cipherlist, ":!MD5"));
	if (p.level == LEVEL_ENCRYPT)
		ck_assert_str_eq(p.cipherlist, "aNULL:-aNULL:HIGH:@STRENGTH:!MD5:!3DES:!eNULL");
	if (p.level == LEVEL_SECURE)
		ck_assert_str_eq(p.cipherlist, "aNULL:-aNULL:HIGH:@STRENGTH:!MD5:!3DES:!aNULL");
	str_fini(&names);
	engine_close(&client.tls);
}
END_TEST

TCase *policy_tcase(void)
{
	TCase *tcase = tcase_create("policy");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, reads_policies, 0, (int)ARRAY_LEN(values));
	tcase_add_loop_test(tcase, finds_the_level, 0, (int)ARRAY_LEN(sites));
	return tcase;
}
