/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "suite.h"

/* Made once for all tests of the process: Check forks each test. */
static struct made_cert ca, other_ca, good, expired, early, self_signed, wildcard, rsa, ed, client;
static const char *ca_path, *other_ca_path, *paths[7], *client_path;

enum { GOOD, EXPIRED, EARLY, SELF, WILDCARD, RSA, ED };

static void make_all(void)
{
	const struct {
		struct cert_spec spec;
		struct made_cert *out;
		const char *file;
	} leaves[] = {
	    {{"mx.example.com", "DNS:mx.example.com", NULL, -1, 30, false, &ca}, &good, "good"},
	    {{"mx.example.com", "DNS:mx.example.com", NULL, -9, -2, false, &ca}, &expired, "old"},
	    {{"mx.example.com", "DNS:mx.example.com", NULL, 2, 30, false, &ca}, &early, "new"},
	    {{"mx.example.com", "DNS:mx.example.com", NULL, -1, 30, false, NULL}, &self_signed,
	        "self"},
	    {{"any", "DNS:*.example.com", NULL, -1, 30, false, &ca}, &wildcard, "wild"},
	    {{"mx.example.com", NULL, "rsa", -1, 30, false, &ca}, &rsa, "rsa"},
	    {{"mx.example.com", "DNS:mx.example.com", "ed25519", -1, 30, false, &ca}, &ed, "ed"},
	};

	signal(SIGPIPE, SIG_IGN); /* as lib/service does */
	cert_make(&(struct cert_spec){"Test CA", NULL, NULL, -10, 30, true, NULL}, &ca);
	cert_make(&(struct cert_spec){"Other CA", NULL, NULL, -10, 30, true, NULL}, &other_ca);
	ca_path = cert_file("ca.pem", &ca.cert);
	other_ca_path = cert_file("other.pem", &other_ca.cert);
	for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
		cert_make(&leaves[i].spec, leaves[i].out);
		paths[i] = cert_file(leaves[i].file, &leaves[i].out->pem);
	}
	cert_make(&(struct cert_spec){"client.example.com", "DNS:client.example.com", NULL, -1, 30,
	              false, &ca},
	    &client);
	client_path = cert_file("client.pem", &client.pem);
}

static void free_all(void)
{
	struct made_cert *all[] = {
	    &ca, &other_ca, &good, &expired, &early, &self_signed, &wildcard, &rsa, &ed, &client};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		cert_free(all[i]);
	scratch_remove();
}

static const struct {
	const char *label;
	int cert;
	int ca; /* 0: none, 1: ours, 2: another */
	enum tls_verify verify;
	const char *name;
	bool matched;
	const char *status, *problem;
} judged[] = {
    {"nobody to trust", GOOD, 0, TLS_VERIFY_NONE, NULL, true, "Untrusted", ""},
    {"trusted", GOOD, 1, TLS_VERIFY_NONE, NULL, true, "Trusted", ""},
    {"another CA", GOOD, 2, TLS_VERIFY_NONE, NULL, true, "Untrusted",
        "untrusted issuer /CN=Test CA"},
    {"the name", GOOD, 1, TLS_VERIFY_NAME, "mx.example.com", true, "Verified", ""},
    {"the name in capitals", GOOD, 1, TLS_VERIFY_NAME, "MX.Example.COM", true, "Verified", ""},
    {"below a domain", GOOD, 1, TLS_VERIFY_NAME, ".example.com", true, "Verified", ""},
    {"another name", GOOD, 1, TLS_VERIFY_NAME, "example.com", false, "Untrusted",
        "num=62:hostname mismatch"},
    {"the name, another CA", GOOD, 2, TLS_VERIFY_NAME, "mx.example.com", false, "Untrusted",
        "untrusted issuer /CN=Test CA"},
    {"the name, nobody to trust", GOOD, 0, TLS_VERIFY_NAME, "mx.example.com", false, "Untrusted",
        "no CA certificates are configured"},
    {"expired", EXPIRED, 1, TLS_VERIFY_NAME, "mx.example.com", false, "Untrusted",
        "certificate has expired"},
    {"expired, who cares", EXPIRED, 1, TLS_VERIFY_NONE, NULL, true, "Untrusted",
        "certificate has expired"},
    {"not yet valid", EARLY, 1, TLS_VERIFY_NAME, "mx.example.com", false, "Untrusted",
        "certificate not yet valid"},
    {"self-signed", SELF, 1, TLS_VERIFY_NAME, "mx.example.com", false, "Untrusted",
        "self-signed certificate"},
    {"wildcard", WILDCARD, 1, TLS_VERIFY_NAME, "a.example.com", true, "Verified", ""},
    {"wildcard, two labels", WILDCARD, 1, TLS_VERIFY_NAME, "a.b.example.com", true, "Verified", ""},
    {"wildcard, the domain", WILDCARD, 1, TLS_VERIFY_NAME, "example.com", false, "Untrusted",
        "num=62:hostname mismatch"},
    {"common name alone", RSA, 1, TLS_VERIFY_NAME, "mx.example.com", true, "Verified", ""},
    {"common name is not looked at", WILDCARD, 1, TLS_VERIFY_NAME, "any", false, "Untrusted",
        "num=62:hostname mismatch"},
    {"ed25519", ED, 1, TLS_VERIFY_NAME, "mx.example.com", true, "Verified", ""},
};

START_TEST(judges_certificates)
{
	const char *cas[] = {NULL, ca_path, other_ca_path};
	struct tls_context *server = server_context(paths[judged[_i].cert], NULL, NULL);
	struct tls_context *own = client_context(NULL, cas[judged[_i].ca]);
	struct tls_client_config config = {.peer = "mx.example.com[192.0.2.2]:25",
	    .verify = judged[_i].verify,
	    .names = &judged[_i].name,
	    .name_count = judged[_i].name ? 1 : 0};
	struct pair p = {0};

	pair_start(&p, server, own, &config);
	ck_assert_msg(p.started == TLS_STARTED, "%s: %s", judged[_i].label, p.err.text);
	ck_assert_str_eq(tls_session_status(p.session), judged[_i].status);
	ck_assert_str_eq(tls_session_problem(p.session), judged[_i].problem);
	ck_assert_int_eq(tls_session_matched(p.session), judged[_i].matched);
	pair_say(&p, "hello");
	pair_end(&p);
	tls_context_free(&own);
	tls_context_free(&server);
}
END_TEST

static void put_print(const struct made_cert *cert, bool key, struct str *out)
{
	struct tls_context *server, *own = client_context(NULL, NULL);
	struct tls_client_config config = {.peer = "x"};
	struct pair p = {0};

	server = server_context(cert_file("print.pem", &cert->pem), NULL, NULL);
	pair_start(&p, server, own, &config);
	str_put_text(out, key ? tls_session_info(p.session)->key_fingerprint
	                      : tls_session_info(p.session)->cert_fingerprint);
	pair_end(&p);
	tls_context_free(&own);
	tls_context_free(&server);
}

START_TEST(matches_fingerprints)
{
	struct tls_context *server = server_context(paths[GOOD], NULL, NULL);
	struct tls_context *own = client_context(NULL, NULL);
	struct str print = {0}, key = {0}, other = {0};
	const char *texts[1];
	struct tls_client_config config = {.peer = "x",
	    .verify = TLS_VERIFY_FINGERPRINT,
	    .fingerprints = texts,
	    .fingerprint_count = 1,
	    .digest = "sha256"};

	put_print(&good, false, &print);
	put_print(&good, true, &key);
	put_print(&rsa, true, &other);
	ck_assert_uint_eq(print.len, 95);
	for (int i = 0; i < 4; i++) {
		struct pair p = {0};

		if (i == 3)
			text_lower(key.data);
		texts[0] = str_text(i == 0 ? &print : i == 2 ? &other : &key);
		pair_start(&p, server, own, &config);
		ck_assert_int_eq(tls_session_matched(p.session), i != 2);
		ck_assert_str_eq(tls_session_status(p.session), i == 2 ? "Untrusted" : "Verified");
		pair_end(&p);
	}
	str_fini(&print);
	str_fini(&key);
	str_fini(&other);
	tls_context_free(&own);
	tls_context_free(&server);
}
END_TEST

static const struct {
	const char *label;
	int cert;
	unsigned usage, selector, matching;
	bool of_ca;
	const char *base;
	enum tls_start started;
	bool matched;
} tlsas[] = {
    {"3 1 1", GOOD, 3, 1, 1, false, "mx.example.com", TLS_STARTED, true},
    {"3 0 2", GOOD, 3, 0, 2, false, "mx.example.com", TLS_STARTED, true},
    {"3 1 1 has no names and no dates", EXPIRED, 3, 1, 1, false, "x.example.org", TLS_STARTED,
        true},
    {"3 1 1 of another", GOOD, 3, 1, 1, true, "mx.example.com", TLS_STARTED, false},
    {"3 1 1, self-signed", SELF, 3, 1, 1, false, "mx.example.com", TLS_STARTED, true},
    {"2 0 1", GOOD, 2, 0, 1, true, "mx.example.com", TLS_STARTED, true},
    {"2 1 2", GOOD, 2, 1, 2, true, "mx.example.com", TLS_STARTED, true},
    {"2 0 1, another name", GOOD, 2, 0, 1, true, "mx.example.org", TLS_STARTED, false},
    {"2 0 1, expired", EXPIRED, 2, 0, 1, true, "mx.example.com", TLS_STARTED, false},
    {"1 0 1 is not for mail", GOOD, 1, 0, 1, false, "mx.example.com", TLS_LOCAL, false},
    {"0 0 1 is not for mail", GOOD, 0, 0, 1, true, "mx.example.com", TLS_LOCAL, false},
    {"an unknown digest", GOOD, 3, 1, 9, false, "mx.example.com", TLS_LOCAL, false},
};

START_TEST(judges_by_tlsa)
{
	struct made_cert *certs[] = {&good, &expired, &early, &self_signed};
	struct tls_context *server = server_context(paths[tlsas[_i].cert], NULL, NULL);
	struct tls_context *own = client_context(NULL, NULL);
	unsigned char digest[64];
	struct tls_tlsa record;
	struct tls_client_config config = {.peer = "x",
	    .verify = TLS_VERIFY_DANE,
	    .tlsa = &record,
	    .tlsa_count = 1,
	    .tlsa_base = tlsas[_i].base};
	struct pair p = {0};

	cert_tlsa(tlsas[_i].of_ca ? &ca : certs[tlsas[_i].cert], tlsas[_i].usage,
	    tlsas[_i].selector, tlsas[_i].matching, digest, &record);
	pair_start(&p, server, own, &config);
	ck_assert_msg(p.started == tlsas[_i].started, "%s: %s", tlsas[_i].label, p.err.text);
	if (p.session) {
		ck_assert_int_eq(tls_session_matched(p.session), tlsas[_i].matched);
		ck_assert_str_eq(
		    tls_session_status(p.session), tlsas[_i].matched ? "Verified" : "Untrusted");
	}
	pair_end(&p);
	tls_context_free(&own);
	tls_context_free(&server);
}
END_TEST

START_TEST(trusts_the_anchors_of_a_policy_alone)
{
	struct tls_context *server = server_context(paths[GOOD], NULL, NULL);
	struct tls_context *own = client_context(NULL, ca_path);
	const char *name = "mx.example.com";
	struct tls_client_config config = {
	    .peer = "x", .verify = TLS_VERIFY_NAME, .names = &name, .name_count = 1};
	struct pair p = {0};

	config.trust_anchors = str_text(_i ? &other_ca.cert : &ca.cert);
	pair_start(&p, server, own, &config);
	ck_assert_int_eq(p.started, TLS_STARTED);
	ck_assert_int_eq(tls_session_matched(p.session), !_i);
	pair_end(&p);
	p = (struct pair){0};
	config.trust_anchors = "nonsense";
	pair_start(&p, server, own, &config);
	ck_assert_int_eq(p.started, TLS_LOCAL);
	pair_end(&p);
	tls_context_free(&own);
	tls_context_free(&server);
}
END_TEST

START_TEST(describes_itself)
{
	struct tls_context *server = server_context(paths[RSA], ca_path, NULL);
	struct tls_context *own = client_context(client_path, NULL);
	struct tls_client_config config = {.peer = "x", .name = "MX.example.com"};
	struct str text = {0};
	struct pair p = {0};

	pair_start(&p, server, own, &config);
	pair_say(&p, "hello");
	tls_session_describe(p.session, &text);
	ck_assert_str_eq(str_text(&text),
	    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
	    "server-signature RSA-PSS (2048 bits) server-digest SHA256 client-signature ECDSA "
	    "(prime256v1) client-digest SHA256");
	str_clear(&text);
	tls_session_describe(p.server_session, &text);
	ck_assert_str_eq(str_text(&text),
	    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
	    "server-signature RSA-PSS (2048 bits) server-digest SHA256 client-signature ECDSA "
	    "(prime256v1) client-digest SHA256");
	ck_assert_str_eq(tls_session_status(p.server_session), "Trusted");
	ck_assert_str_eq(tls_session_info(p.server_session)->peer_cn, "client.example.com");
	ck_assert_str_eq(tls_session_info(p.server_session)->issuer_cn, "Test CA");
	ck_assert_str_eq(tls_session_info(p.server_session)->server_name, "mx.example.com");
	str_fini(&text);
	pair_end(&p);
	tls_context_free(&own);
	tls_context_free(&server);
}
END_TEST

START_TEST(keeps_to_protocols)
{
	struct tls_context *server = server_context(paths[GOOD], NULL, NULL);
	struct tls_context *own = client_context(NULL, NULL);
	struct tls_client_config config = {.peer = "x", .protocols = {.max = 0x0303}};
	struct str text = {0};
	struct pair p = {0};

	pair_start(&p, server, own, &config);
	tls_session_describe(p.session, &text);
	ck_assert_str_eq(
	    str_text(&text), "TLSv1.2 with cipher ADH-AES256-GCM-SHA384 (256/256 bits)");
	str_fini(&text);
	pair_end(&p);
	p = (struct pair){0};
	config.protocols = (struct tls_protocols){.excluded = TLS_PROTO_ALL & ~TLS_PROTO_TLSV1};
	config.verify = TLS_VERIFY_NAME; /* no weak algorithms then */
	pair_start(&p, server, own, &config);
	ck_assert_int_eq(p.started, TLS_REFUSED);
	ck_assert_ptr_null(p.session);
	ck_assert_uint_gt(strlen(p.err.text), 0);
	pair_end(&p);
	tls_context_free(&own);
	tls_context_free(&server);
}
END_TEST

/* ---- resumption ----------------------------------------------------------------------------- */

static struct tls_ticket_key ticket_key = {.name = "name of the key", .mac_key = "mac"};
static int keys_asked;

static int give_key(void *arg UNUSED, const unsigned char *name, struct tls_ticket_key *out)
{
	keys_asked++;
	*out = ticket_key;
	return !name || memcmp(name, ticket_key.name, TLS_TICKET_NAME) == 0;
}

static void resumes(int max_protocol, bool other_key, bool expected)
{
	const struct tls_server_hooks hooks = {.ticket_key = give_key};
	struct tls_context *first = server_context(paths[GOOD], NULL, &hooks);
	struct tls_context *second = server_context(paths[GOOD], NULL, &hooks);
	struct tls_context *own = client_context(NULL, ca_path);
	const char *name = "mx.example.com";
	struct tls_client_config config = {.peer = "x",
	    .verify = TLS_VERIFY_NAME,
	    .names = &name,
	    .name_count = 1,
	    .protocols = {.max = max_protocol}};
	struct tls_saved *saved;
	struct str bytes = {0};
	struct pair p = {0};

	pair_start(&p, first, own, &config);
	ck_assert(!tls_session_resumed(p.session));
	pair_say(&p, "hello");
	ck_assert(tls_session_save(p.session, &saved));
	ck_assert(tls_saved_expires(saved) > clock_wall_us() / 1000000 + 3500);
	ck_assert(tls_saved_put(saved, &bytes));
	tls_saved_free(&saved);
	pair_end(&p);
	if (other_key)
		ticket_key.name[0] = 'X';
	p = (struct pair){0};
	saved = tls_saved_get(slice_of(bytes.data, bytes.len));
	ck_assert_ptr_nonnull(saved);
	config.resume = saved;
	pair_start(&p, second, own, &config);
	ck_assert_int_eq(tls_session_resumed(p.session), expected);
	ck_assert_str_eq(tls_session_status(p.session), "Verified");
	pair_say(&p, "hello");
	pair_end(&p);
	/* what a session of before allowed, it does not allow under another name */
	p = (struct pair){0};
	name = "other.example.com";
	pair_start(&p, second, own, &config);
	ck_assert(!tls_session_matched(p.session));
	pair_end(&p);
	ck_assert_int_gt(keys_asked, 1);
	tls_saved_free(&saved);
	str_fini(&bytes);
	tls_context_free(&own);
	tls_context_free(&first);
	tls_context_free(&second);
}

START_TEST(resumes_with_a_shared_key)
{
	resumes(_i ? 0x0303 : 0, false, true);
}
END_TEST

START_TEST(does_not_resume_with_another_key)
{
	resumes(_i ? 0x0303 : 0, true, false);
}
END_TEST

START_TEST(bytes_that_are_no_session)
{
	ck_assert_ptr_null(tls_saved_get(slice_text("nonsense")));
	ck_assert_ptr_null(tls_saved_get(slice_text("")));
}
END_TEST

/* ---- ends -------------------------------------------------------------------------------------
 */

START_TEST(tells_the_end_from_a_cut)
{
	struct tls_context *server = server_context(paths[GOOD], NULL, NULL);
	struct tls_context *own = client_context(NULL, NULL);
	struct tls_client_config config = {.peer = "x"};
	struct pair p = {0};

	pair_start(&p, server, own, &config);
	pair_say(&p, "hello");
	ck_assert(!stream_readable(&p.client)); /* tickets are no input */
	pair_say(&p, _i ? "drop" : "quit");
	ck_assert_int_eq(tls_session_truncated(p.session), _i);
	ck_assert(stream_readable(&p.client));
	ck_assert_int_eq(stream_fill(&p.client), IO_EOF);
	pair_end(&p);
	tls_context_free(&own);
	tls_context_free(&server);
}
END_TEST

START_TEST(a_peer_that_says_nothing_is_left)
{
	struct tls_context *own = client_context(NULL, NULL);
	struct tls_client_config config = {.peer = "x"};
	struct tls_session *session;
	struct stream s;
	struct err err;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	stream_init(&s, fds[0], 60000);
	s.deadline_ms = clock_mono_ms() + 100;
	ck_assert_int_eq(tls_client_start(own, &s, &config, &session, &err), TLS_TIMED_OUT);
	ck_assert_ptr_null(session);
	stream_fini(&s);
	close(fds[1]);
	tls_context_free(&own);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	enum tls_start result;
} answers[] = {
    {"", 0, TLS_LOST}, {"220 this is SMTP\r\n", 18, TLS_REFUSED},
    {"\x16\x03\x03", 3, TLS_LOST},                            /* cut in a record's header */
    {"\x15\x03\x03\x00\x02\x02\x28", 7, TLS_REFUSED},         /* alert: handshake failure */
    {"\x16\x03\x03\xff\xff\x02\x28", 7, TLS_REFUSED},         /* a record too long */
    {"\x16\x03\x03\x00\x04\x02\xff\xff\xff", 9, TLS_REFUSED}, /* a message too long */
    {"\x17\x03\x03\x00\x02\x02\x28", 7, TLS_REFUSED},         /* data before the handshake */
};

START_TEST(nonsense_is_an_error)
{
	struct tls_context *own = client_context(NULL, NULL);
	struct tls_client_config config = {.peer = "x"};
	struct tls_session *session;
	struct stream s;
	struct err err;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	stream_init(&s, fds[0], 5000);
	ck_assert_int_eq(
	    write(fds[1], answers[_i].bytes, answers[_i].len), (ssize_t)answers[_i].len);
	shutdown(fds[1], SHUT_WR);
	ck_assert_int_eq(tls_client_start(own, &s, &config, &session, &err), answers[_i].result);
	ck_assert_ptr_null(session);
	ck_assert_uint_gt(strlen(err.text), 0);
	stream_fini(&s);
	close(fds[1]);
	tls_context_free(&own);
}
END_TEST

TCase *session_tcase(void)
{
	TCase *tcase = tcase_create("session");

	tcase_set_timeout(tcase, 30);
	tcase_add_unchecked_fixture(tcase, make_all, free_all);
	tcase_add_loop_test(tcase, judges_certificates, 0, (int)ARRAY_LEN(judged));
	tcase_add_test(tcase, matches_fingerprints);
	tcase_add_loop_test(tcase, judges_by_tlsa, 0, (int)ARRAY_LEN(tlsas));
	tcase_add_loop_test(tcase, trusts_the_anchors_of_a_policy_alone, 0, 2);
	tcase_add_test(tcase, describes_itself);
	tcase_add_test(tcase, keeps_to_protocols);
	tcase_add_loop_test(tcase, resumes_with_a_shared_key, 0, 2);
	tcase_add_loop_test(tcase, does_not_resume_with_another_key, 0, 2);
	tcase_add_test(tcase, bytes_that_are_no_session);
	tcase_add_loop_test(tcase, tells_the_end_from_a_cut, 0, 2);
	tcase_add_test(tcase, a_peer_that_says_nothing_is_left);
	tcase_add_loop_test(tcase, nonsense_is_an_error, 0, (int)ARRAY_LEN(answers));
	return tcase;
}
