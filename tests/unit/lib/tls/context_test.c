/* SPDX-License-Identifier: ISC */
/* Contexts: what files may hold, and what is said when they do not; chains by server name. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "suite.h"

static struct made_cert ca, one, two, rsa;

static void make_all(void)
{
	scratch_folder(); /* one for all tests, which are processes of their own */
	signal(SIGPIPE, SIG_IGN);
	cert_make(&(struct cert_spec){"CA", NULL, NULL, -10, 30, true, NULL}, &ca);
	cert_make(&(struct cert_spec){"one.test", "DNS:one.test", NULL, -1, 30, false, &ca}, &one);
	cert_make(&(struct cert_spec){"two.test", "DNS:two.test", NULL, -1, 5, false, &ca}, &two);
	cert_make(&(struct cert_spec){"rsa.test", "DNS:rsa.test", "rsa", -1, 30, false, &ca}, &rsa);
}

static void free_all(void)
{
	cert_free(&ca);
	cert_free(&one);
	cert_free(&two);
	cert_free(&rsa);
	scratch_remove();
}

/* The key's block of key and certificate. */
static struct slice key_of(const struct made_cert *cert)
{
	return slice_of(
	    cert->pem.data, cert->pem.len - cert->cert.len -
	                        (strstr(cert->pem.data, "BEGIN CERT") ? ca.cert.len : 0));
}

static int make(
    const char *name, struct slice a, struct slice b, struct tls_context **out, struct err *err)
{
	struct tls_context_config config = {.server = true, .common = &tls_common_defaults};
	struct str pem = {0};
	const char *path;
	int rc;

	str_put(&pem, a.data, a.len);
	str_put(&pem, b.data, b.len);
	if (!pem.len)
		str_put_char(&pem, '\n');
	path = cert_file(name, &pem);
	config.chain_files = &path;
	config.chain_file_count = 1;
	rc = tls_context_new(&config, out, err);
	str_fini(&pem);
	return rc;
}

static struct slice whole(const struct str *text)
{
	return slice_of(text->data, text->len);
}

START_TEST(says_what_is_wrong_with_a_chain)
{
	const struct {
		struct slice a, b;
		const char *says;
	} cases[] = {
	    {slice_text(""), slice_text(""), "no private key in it"},
	    {slice_text("-----BEGIN CERTIFICATE-----\n"), slice_text("abc"), "not PEM"},
	    {whole(&one.cert), key_of(&one), "a certificate comes before its key"},
	    {key_of(&one), slice_text(""), "no certificate in it for its key"},
	    {key_of(&one), whole(&two.cert), "does not belong to the key"},
	    {key_of(&one), whole(&two.pem), "a key without a certificate behind it"},
	    {slice_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE "
	                "KEY-----\n"),
	        slice_text(""), "pass phrase"},
	    {slice_text("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
	        slice_text(""), "cannot read the key"},
	};
	struct tls_context *context;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = {.text = ""};

		ck_assert_int_eq(make("bad.pem", cases[i].a, cases[i].b, &context, &err), -1);
		ck_assert_ptr_null(context);
		ck_assert_msg(strstr(err.text, "bad.pem") && strstr(err.text, cases[i].says),
		    "%zu: %s", i, err.text);
	}
}
END_TEST

START_TEST(says_what_is_wrong_with_settings)
{
	struct tls_common common = tls_common_defaults;
	struct tls_context_config config = {.common = &common};
	struct tls_context *context;
	struct err err;

	config.ca_file = "/no/such/file";
	ck_assert_int_eq(tls_context_new(&config, &context, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/no/such/file"));
	config.ca_file = NULL;
	config.cipherlist = "NOTHING-OF-THE-KIND";
	ck_assert_int_eq(tls_context_new(&config, &context, &err), -1);
	config.cipherlist = NULL;
	config.chain_file_count = 1;
	config.chain_files = &(const char *){"/no/such/chain"};
	ck_assert_int_eq(tls_context_new(&config, &context, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/no/such/chain"));
	config.chain_file_count = 0;
	common.ssl_options = "NOT_AN_OPTION"; /* of a newer library: left out, as Postfix does */
	ck_assert_int_eq(tls_context_new(&config, &context, &err), 0);
	tls_context_free(&context);
	common.ssl_options = "";
	common.eecdh_auto_curves = "no-such-curve X25519"; /* of a newer library: left out */
	ck_assert_int_eq(tls_context_new(&config, &context, &err), 0);
	tls_context_free(&context);
}
END_TEST

START_TEST(takes_pairs_of_files)
{
	struct tls_context_config config = {.server = true, .common = &tls_common_defaults};
	struct tls_context *context;
	struct err err = {.text = ""};
	struct str key = {0};

	str_put(&key, key_of(&one).data, key_of(&one).len);
	config.pairs[0].cert_file = cert_file("one.pem", &one.cert);
	config.pairs[0].key_file = cert_file("one.key", &key);
	config.pairs[1].cert_file = cert_file("rsa.pem", &rsa.pem);
	ck_assert_msg(tls_context_new(&config, &context, &err) == 0, "%s", err.text);
	cert_file("one.pem", &one.cert);
	cert_file("rsa.pem", &rsa.pem);
	tls_context_restamp(context);
	ck_assert(!tls_context_stale(context, 0));
	cert_file("rsa.pem", &rsa.pem);
	ck_assert(tls_context_stale(context, 0));
	tls_context_free(&context);
	config.pairs[0].cert_file = cert_file("two.pem", &two.cert);
	ck_assert_int_eq(tls_context_new(&config, &context, &err), -1);
	str_fini(&key);
}
END_TEST

START_TEST(notices_files_that_change)
{
	struct tls_context *context, *other;
	struct err err;
	int days;

	ck_assert_int_eq(make("watched.pem", whole(&two.pem), slice_text(""), &context, &err), 0);
	ck_assert(tls_context_days_left(context, &days));
	ck_assert_int_ge(days, 4);
	ck_assert_int_le(days, 5);
	ck_assert(!tls_context_stale(context, 0));
	ck_assert_int_eq(make("watched.pem", whole(&one.pem), slice_text(""), &other, &err), 0);
	ck_assert(!tls_context_stale(context, 60000));
	ck_assert(tls_context_stale(context, 0));
	ck_assert(!tls_context_stale(other, 0));
	ck_assert_str_ne(tls_context_identity(context), tls_context_identity(other));
	tls_context_free(&context);
	tls_context_free(&other);
}
END_TEST

/* What the tables have for moves.test, from case to case. */
static enum tls_named moves;
static const struct made_cert *moves_to;

static enum tls_named chain_for_name(void *arg UNUSED, const char *name, struct str *pem_out)
{
	if (strcmp(name, "bad.test") == 0) {
		str_put_text(pem_out, "this is no chain");
		return TLS_NAMED;
	}
	if (strcmp(name, "moves.test") == 0) {
		if (moves_to)
			str_put(pem_out, moves_to->pem.data, moves_to->pem.len);
		else
			str_put_text(pem_out, "half a chain");
		return moves;
	}
	if (strcmp(name, "two.test") != 0)
		return TLS_NAMED_NONE;
	str_put(pem_out, two.pem.data, two.pem.len);
	return TLS_NAMED;
}

START_TEST(shows_the_chain_of_the_name)
{
	static const struct {
		const char *asked, *shown;
	} cases[] = {{"two.test", "two.test"}, {"TWO.Test", "two.test"}, {"other.test", "one.test"},
	    {"bad.test", "one.test"}, {"", "one.test"}, {"two.test", "two.test"}};
	const struct tls_server_hooks hooks = {.chain_for_name = chain_for_name};
	struct tls_context *server = server_context(cert_file("sni.pem", &one.pem), NULL, &hooks);
	struct tls_context *client = client_context(NULL, NULL);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_client_config config = {.peer = "x", .name = cases[i].asked};
		struct pair p = {0};

		pair_start(&p, server, client, &config);
		ck_assert_int_eq(p.started, TLS_STARTED);
		ck_assert_str_eq(tls_session_info(p.session)->peer_cn, cases[i].shown);
		pair_end(&p);
	}
	tls_context_free(&server);
	tls_context_free(&client);
}
END_TEST

/* What a table has for a name is renewed under a running server. */
START_TEST(takes_up_a_renewed_chain_of_a_name)
{
	static const struct {
		enum tls_named answer;
		const struct made_cert *chain;
		const char *shown;
	} steps[] = {
	    {TLS_NAMED_NONE, NULL, "one.test"},
	    {TLS_NAMED, NULL, "one.test"}, /* half written, nothing before it */
	    {TLS_NAMED, &two, "two.test"},
	    {TLS_NAMED, NULL, "two.test"}, /* half written */
	    {TLS_NAMED_TROUBLE, NULL, "two.test"},
	    {TLS_NAMED, &one, "one.test"},
	    {TLS_NAMED, &two, "two.test"},
	    {TLS_NAMED_NONE, NULL, "one.test"},
	    {TLS_NAMED_TROUBLE, NULL, "one.test"},
	    {TLS_NAMED, &two, "two.test"},
	};
	const struct tls_server_hooks hooks = {.chain_for_name = chain_for_name};
	struct tls_context *server = server_context(cert_file("moves.pem", &one.pem), NULL, &hooks);
	struct tls_context *client = client_context(NULL, NULL);

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct tls_client_config config = {.peer = "x", .name = "moves.test"};
		struct pair p = {0};

		moves = steps[i].answer;
		moves_to = steps[i].chain;
		pair_start(&p, server, client, &config);
		ck_assert_int_eq(p.started, TLS_STARTED);
		ck_assert_msg(
		    strcmp(tls_session_info(p.session)->peer_cn, steps[i].shown) == 0, "%zu", i);
		pair_end(&p);
	}
	tls_context_free(&server);
	tls_context_free(&client);
}
END_TEST

/* Certificates are renewed for years in one process. */
START_TEST(renewals_cost_no_memory)
{
	const char *const files[] = {
	    cert_file("renewed-1.pem", &one.pem), cert_file("renewed-2.pem", &two.pem)};
	size_t before = 0, now, least = SIZE_MAX;

	if (mallinfo2().uordblks == 0)
		return; /* a sanitizer's allocator, which finds lost memory itself */
	for (int i = 0; i <= 1000; i++) {
		struct tls_context_config config = {.server = true,
		    .common = &tls_common_defaults,
		    .chain_files = &files[i % 2],
		    .chain_file_count = 1,
		    .session_timeout = 60};
		struct tls_context *context;
		struct err err;

		ck_assert_int_eq(tls_context_new(&config, &context, &err), 0);
		tls_context_free(&context);
		if (i % 300 != 100)
			continue;
		/* the library's own tables grow now and then; what is lost each time is in each run
		 */
		now = mallinfo2().uordblks;
		if (before > 0)
			least = MIN(least, now > before ? now - before : 0);
		before = now;
	}
	ck_assert_msg(least < 10 * 1024, "300 renewals cost %zu bytes at least", least);
}
END_TEST

/* A setting that a newer library has, or a file that is of no use, costs no TLS. */
START_TEST(goes_on_without_what_cannot_be_used)
{
	static const struct {
		const char *dh_file, *ticket_cipher, *ssl_options, *workarounds;
	} cases[] = {
	    {"/no/such/file", "aes-256-cbc", "", ""},
	    {"none", "aes-256-cbc", "", ""},
	    {"/etc/passwd", "aes-256-cbc", "", ""},
	    {"auto", "no-such-cipher", "", ""},
	    {"", "aes-128-gcm", "", ""},
	    {"", "", "", ""},
	    {"", "aes-128-cbc", "NOT_AN_OPTION NO_TICKET", "NOT_A_BUG"},
	};
	const char *chain = cert_file("goes-on.pem", &one.pem);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_common common = tls_common_defaults;
		struct tls_context_config config = {.server = true,
		    .common = &common,
		    .chain_files = &chain,
		    .chain_file_count = 1,
		    .session_timeout = 60,
		    .dh_file = cases[i].dh_file};
		struct tls_context *context;
		struct err err = {.text = ""};

		common.session_ticket_cipher = cases[i].ticket_cipher;
		common.ssl_options = cases[i].ssl_options;
		common.disable_workarounds = cases[i].workarounds;
		ck_assert_msg(
		    tls_context_new(&config, &context, &err) == 0, "%zu: %s", i, err.text);
		tls_context_free(&context);
	}
}
END_TEST

START_TEST(refuses_two_keys_of_one_kind)
{
	const char *files[] = {cert_file("first.pem", &one.pem), cert_file("second.pem", &two.pem)};
	struct tls_context_config config = {.server = true,
	    .common = &tls_common_defaults,
	    .chain_files = files,
	    .chain_file_count = 2};
	struct tls_context *context;
	struct err err = {.text = ""};

	ck_assert_int_eq(tls_context_new(&config, &context, &err), -1);
	ck_assert_msg(strstr(err.text, "second key of one kind"), "%s", err.text);
}
END_TEST

/* Sessions of clients without tickets are the program's to keep. */
static struct str kept;
static char kept_id[129];

static bool get_session(void *arg UNUSED, const char *id, struct str *out)
{
	if (strcmp(id, kept_id) != 0)
		return false;
	str_put(out, kept.data, kept.len);
	return true;
}

static void put_session(void *arg UNUSED, const char *id, struct slice session)
{
	snprintf(kept_id, sizeof(kept_id), "%s", id);
	str_clear(&kept);
	str_put(&kept, session.data, session.len);
}

START_TEST(keeps_sessions_of_clients_without_tickets)
{
	const struct tls_server_hooks hooks = {
	    .session_get = get_session, .session_put = put_session};
	struct tls_common common = tls_common_defaults;
	struct tls_context_config plain = {.common = &common};
	struct tls_context *server = server_context(cert_file("ids.pem", &one.pem), NULL, &hooks);
	struct tls_client_config config = {.peer = "x", .protocols = {.max = 0x0303}};
	struct tls_context *client;
	struct tls_saved *saved;
	struct err err;

	common.ssl_options = "NO_TICKET";
	ck_assert_int_eq(tls_context_new(&plain, &client, &err), 0);
	for (int i = 0; i < 2; i++) {
		struct pair p = {0};

		pair_start(&p, server, client, &config);
		pair_say(&p, "hello");
		ck_assert_int_eq(tls_session_resumed(p.session), i);
		if (i == 0) {
			ck_assert(tls_session_save(p.session, &saved));
			config.resume = saved;
		}
		pair_end(&p);
	}
	ck_assert_uint_gt(kept.len, 0);
	tls_saved_free(&saved);
	str_fini(&kept);
	tls_context_free(&server);
	tls_context_free(&client);
}
END_TEST

TCase *context_tcase(void)
{
	TCase *tcase = tcase_create("context");

	tcase_set_timeout(tcase, 30);
	tcase_add_unchecked_fixture(tcase, make_all, free_all);
	tcase_add_test(tcase, says_what_is_wrong_with_a_chain);
	tcase_add_test(tcase, says_what_is_wrong_with_settings);
	tcase_add_test(tcase, takes_pairs_of_files);
	tcase_add_test(tcase, notices_files_that_change);
	tcase_add_test(tcase, shows_the_chain_of_the_name);
	tcase_add_test(tcase, takes_up_a_renewed_chain_of_a_name);
	tcase_add_test(tcase, renewals_cost_no_memory);
	tcase_add_test(tcase, goes_on_without_what_cannot_be_used);
	tcase_add_test(tcase, refuses_two_keys_of_one_kind);
	tcase_add_test(tcase, keeps_sessions_of_clients_without_tickets);
	return tcase;
}
