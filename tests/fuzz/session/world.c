/* SPDX-License-Identifier: ISC */
/* The settings under which sessions are played, each with a server and a queue of its own. */
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/peer/anvil.h"
#include "smtpd/tls_engine.h"
#include "tests/fuzz/session/play.h"

enum { RUNS_PER_QUEUE = 300 };

static const char common[] = "compatibility_level = 3.6\n"
                             "myhostname = mx.example.test\n"
                             "mydestination = example.test\n"
                             "relay_domains = relay.example\n"
                             "mynetworks = 127.0.0.0/8\n"
                             "inet_interfaces = loopback-only\n"
                             "alias_maps =\n"
                             "local_recipient_maps = inline:{bob=x, postmaster=x, abuse=x}\n"
                             "relay_recipient_maps = inline:{carol@relay.example=x}\n"
                             "dns_resolver_address = 192.0.2.53\n"
                             "smtpd_error_sleep_time = 0\n"
                             "message_size_limit = 5000\n"
                             "journal_lane_count = 1\n"
                             "journal_lane_size = 65536\n"
                             "smtpd_tls_chain_files = cert.pem\n"
                             "smtpd_tls_fingerprint_digest = sha256\n"
                             "relay_clientcerts = inline:{00:11=x}\n"
                             "fast_flush_domains = relay.example\n"
                             "smtpd_sasl_path = private/auth\n"
                             "smtpd_policy_service_timeout = 5s\n";

static const char *const profiles[] = {
    /* much is allowed, nothing behind it */
    "smtpd_hard_error_limit = 1000\n"
    "smtpd_forbid_unauth_pipelining = no\n"
    "smtpd_helo_restrictions = reject_invalid_helo_hostname\n"
    "smtpd_sender_restrictions = warn_if_reject reject_non_fqdn_sender\n"
    "smtpd_authorized_xclient_hosts = 0.0.0.0/0\n"
    "smtpd_authorized_xforward_hosts = 0.0.0.0/0\n"
    "smtpd_authorized_verp_clients = 192.0.2.1\n"
    "smtpd_reject_footer = \\c; $client_address $localtime\\nhelp\n"
    "smtpd_command_filter = inline:{ { PING = NOOP } }\n"
    "smtpd_upstream_proxy_protocol = haproxy\n"
    "smtpd_upstream_proxy_networks = 192.0.2.2\n",

    /* as Debian sets it up, with TLS and Dovecot */
    "smtpd_tls_security_level = may\n"
    "smtpd_tls_loglevel = 2\n"
    "smtpd_tls_received_header = yes\n"
    "smtpd_tls_ask_ccert = yes\n"
    "smtpd_sasl_auth_enable = yes\n"
    "smtpd_sasl_type = dovecot\n"
    "smtpd_sasl_authenticated_header = yes\n"
    "smtpd_sasl_security_options =\n"
    "broken_sasl_auth_clients = yes\n",

    /* submission with built-in users and limits */
    "smtpd_tls_security_level = encrypt\n"
    "smtpd_tls_auth_only = yes\n"
    "smtpd_sasl_auth_enable = yes\n"
    "smtpd_sasl_type = table\n"
    "smtpd_sasl_path = inline:{ { joe = $$1$$abcdefgh$$cHJi5PXp/ki/ktXzqlk6I1"
    " SCRAM-SHA-256$$4096:W22ZaJ0SNY7soEsUEjb6gQ==$$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU= } }\n"
    "smtpd_sasl_token_maps = inline:{ { tok = user=joe } }\n"
    "smtpd_sender_login_maps = inline:{ joe@example.test=joe, ann@example.test=ann }\n"
    "smtpd_sender_restrictions = reject_sender_login_mismatch\n"
    "smtpd_recipient_restrictions = reject_unlisted_recipient\n"
    "smtpd_client_auth_rate_limit = 4\n"
    "smtpd_client_message_rate_limit = 4\n"
    "smtpd_client_recipient_rate_limit = 9\n"
    "smtpd_client_new_tls_session_rate_limit = 2\n"
    "smtpd_login_limit_maps = static:{messages=3/h recipients=6/d action=hold}\n"
    "smtpd_sender_limit_maps = static:{messages=3/d recipients=6/h action=reject}\n",

    /* restrictions by table and by policy service; a local part may be an action */
    "smtpd_hard_error_limit = 100\n"
    "smtpd_tls_security_level = may\n"
    "smtpd_restriction_classes = cls\n"
    "cls = check_sender_access pcre:{{/^class@/ DEFER_IF_PERMIT by class}},"
    " permit_auth_destination\n"
    "smtpd_client_restrictions ="
    " check_client_access inline:{{192.0.2.1=INFO seen}, {.example=DUNNO}},"
    " check_reverse_client_hostname_access pcre:{{/way/ WARN no way back}},"
    " check_ccert_access inline:{00:11=OK},"
    " check_sasl_access inline:{joe=REJECT}\n"
    "smtpd_helo_restrictions = warn_if_reject reject_non_fqdn_helo_hostname,"
    " check_helo_access pcre:{{/^(.*)\\.helo\\.example$$/ $$1}}\n"
    "smtpd_sender_restrictions ="
    " check_sender_access pcre:{{/^\"?([^@]*[^@\"])\"?@action\\.example$$/ $$1}},"
    " check_sender_access inline:{{user@=INFO user}, {sub.b.example=INFO sub}, {<>=INFO null}},"
    " warn_if_reject reject_sender_login_mismatch, warn_if_reject reject_plaintext_session\n"
    "smtpd_recipient_restrictions ="
    " check_recipient_access pcre:{{/^\"?([^@]*[^@\"])\"?@action\\.example$$/ $$1}},"
    " reject_unauth_pipelining, reject_non_fqdn_recipient, warn_if_reject reject_unlisted_sender,"
    " check_policy_service unix:private/policy\n"
    "smtpd_data_restrictions = reject_multi_recipient_bounce,"
    " check_policy_service { inet:127.0.0.1:9998, timeout=3s, default_action=DUNNO }\n"
    "smtpd_end_of_data_restrictions = check_policy_service unix:private/policy\n"
    "smtpd_etrn_restrictions = check_etrn_access inline:{relay.example=OK}, reject\n"
    "smtpd_log_access_permit_actions = static:all\n"
    "smtpd_reject_footer_maps = pcre:{{/policy/ call us}}\n",

    /* suspicious of everybody, at once */
    "smtpd_delay_reject = no\n"
    "smtpd_helo_required = yes\n"
    "disable_vrfy_command = yes\n"
    "strict_rfc821_envelopes = yes\n"
    "strict_smtputf8 = yes\n"
    "smtpd_forbid_bare_newline = reject\n"
    "smtpd_soft_error_limit = 2\n"
    "smtpd_hard_error_limit = 5\n"
    "smtpd_error_sleep_time = 1s\n"
    "smtpd_junk_command_limit = 3\n"
    "smtpd_recipient_limit = 2\n"
    "smtpd_recipient_overshoot_limit = 2\n"
    "smtpd_hide_client_session = yes\n"
    "smtpd_noop_commands = XNOP\n"
    "smtpd_client_restrictions = check_client_access inline:{192.0.2.2=REJECT}\n"
    "smtpd_helo_restrictions = check_helo_access inline:{spam.example=REJECT, hold.example=HOLD}\n"
    "smtpd_sender_restrictions = reject_non_fqdn_sender\n"
    "smtpd_discard_ehlo_keyword_address_maps = inline:{{192.0.2.1 = silent-discard, dsn, "
    "chunking}}\n"
    "smtpd_command_filter = pcre:{{/^X-(.*)$$/ $$1} {/^BAD/ 500 no} {/^(MAIL.*)\\s+X=.*/ $$1}}\n",

    /* a proxy before us, TLS from the first byte on, a certificate wanted */
    "smtpd_upstream_proxy_protocol = haproxy\n"
    "smtpd_tls_wrappermode = yes\n"
    "smtpd_tls_security_level = encrypt\n"
    "smtpd_tls_req_ccert = yes\n"
    "smtpd_tls_CAfile = cert.pem\n"
    "smtpd_tls_loglevel = 1\n"
    "smtpd_relay_restrictions = permit_mynetworks, permit_tls_clientcerts,"
    " reject_unauth_destination\n"
    "smtpd_authorized_xclient_hosts = 127.0.0.1\n",

    /* lenient about line ends, with transcripts, filters and soft bounces */
    "soft_bounce = yes\n"
    "smtpd_forbid_bare_newline = no\n"
    "notify_classes = bounce, policy, protocol, resource, software, 2bounce, data\n"
    "content_filter = filter:[127.0.0.1]:10025\n"
    "smtpd_delay_open_until_valid_rcpt = no\n"
    "smtpd_relay_before_recipient_restrictions = no\n"
    "smtpd_authorized_xforward_hosts = 127.0.0.1\n"
    "smtpd_client_port_logging = yes\n"
    "local_header_rewrite_clients = permit\n"
    "canonical_maps = pcre:{{/^(.*)@old\\.example$$/ $$1@new.example}}\n"
    "sender_canonical_maps = inline:{a@b.example=c@b.example}\n"
    "virtual_alias_domains = alias.example\n"
    "virtual_alias_maps = inline:{ {list@alias.example = bob, abuse, carol@relay.example},"
    " loop@alias.example=loop@alias.example, {@alias.example = bob@example.test} }\n"
    "masquerade_domains = example.test\n"
    "always_bcc = copy@example.test\n"
    "sender_bcc_maps = pcre:{{/^(.*)@copy\\.example$$/ $$1@kept.example}}\n"
    "recipient_bcc_maps = inline:{bob@example.test=seen@kept.example}\n"
    "recipient_delimiter = +-\n"
    "propagate_unmatched_extensions = canonical, virtual\n"
    "message_strip_characters = \\000\n"
    "smtpd_peername_lookup = yes\n"
    "smtpd_policy_service_default_action = DUNNO\n"
    "smtpd_recipient_restrictions = check_policy_service unix:private/policy\n",

    /* bare line feeds noted, Dovecot over a network, everything said */
    "smtpd_forbid_bare_newline = note\n"
    "smtpd_sasl_auth_enable = yes\n"
    "smtpd_sasl_type = dovecot\n"
    "smtpd_sasl_path = inet:127.0.0.1:24\n"
    "smtpd_sasl_exceptions_networks = 192.0.2.2\n"
    "smtpd_per_request_deadline = yes\n"
    "smtpd_discard_ehlo_keywords = etrn, vrfy\n"
    "header_checks = pcre:{ {/^Subject: *no/ REJECT no}, {/^X-P: (.*)/ PREPEND X-Q: $$1},"
    " {/^X-R: (.*)/ REPLACE X-S: $$1}, {/^X-I/ IGNORE}, {/^X-D/ DISCARD}, {/^X-H/ HOLD},"
    " {/^X-A: (.*)/ REDIRECT $$1}, {/^X-B: (.*)/ BCC $$1}, {/^X-F: (.*)/ FILTER $$1},"
    " {/^X-W: (.*)/ WARN $$1}, {/^X-J: (.*)/ REJECT $$1}, {/^X-N/ INFO} }\n"
    "body_checks = pcre:{ {/^!r (.*)/ REJECT $$1}, {/^!s (.*)/ REPLACE $$1}, {/^!i/ IGNORE},"
    " {/^!p (.*)/ PREPEND $$1}, {/^!a (.*)/ REDIRECT $$1}, {/^!f (.*)/ FILTER $$1} }\n"
    "smtpd_authorized_xclient_hosts = 127.0.0.1, 192.0.2.1\n"
    "smtpd_authorized_xforward_hosts = 127.0.0.1, 192.0.2.1\n"
    "smtpd_reject_unlisted_recipient = no\n",

    /* restrictions that ask name servers and verify(8) */
    "smtpd_hard_error_limit = 100\n"
    "smtpd_client_restrictions = permit_inet_interfaces,"
    " permit_dnswl_client wl.example=127.0.0.2, reject_rbl_client bl.example=127.0.0.[2;4..7],"
    " reject_rhsbl_reverse_client rhsbl.example, warn_if_reject reject_unknown_client_hostname,"
    " warn_if_reject reject_unknown_reverse_client_hostname,"
    " check_client_ns_access inline:{ns.example=REJECT},"
    " check_client_a_access cidr:{{127.0.0.0/8 REJECT}}\n"
    "smtpd_helo_restrictions = reject_rhsbl_helo rhsbl.example,"
    " check_helo_a_access inline:{127.0.0.2=REJECT}, check_helo_mx_access "
    "inline:{mx.example=DEFER},"
    " reject_unknown_helo_hostname\n"
    "smtpd_sender_restrictions = reject_unknown_sender_domain,"
    " reject_rhsbl_sender rhsbl.example, check_sender_mx_access cidr:{{127.0.0.0/8 REJECT loop}},"
    " check_sender_ns_access inline:{ns.example=HOLD}, reject_unverified_sender\n"
    "smtpd_recipient_restrictions = reject_unknown_recipient_domain,"
    " reject_rhsbl_recipient rhsbl.example, check_recipient_mx_access inline:{{mx.example=INFO x}},"
    " reject_rbl_client other.example, permit_rhswl_client wl.example, reject_unverified_recipient,"
    " permit_mx_backup, reject_maps_rbl\n"
    "maps_rbl_domains = old.example\n"
    "permit_mx_backup_networks = 192.0.2.0/24\n"
    "unverified_sender_reject_code = 550\n"
    "unverified_recipient_defer_code = 250\n"
    "unknown_address_tempfail_action = defer\n"
    "smtpd_dns_reply_filter = pcre:{{/ MX .*ignored/ IGNORE}}\n"
    "rbl_reply_maps = inline:{{bl.example = $$rbl_code 4.7.1 $$rbl_class [$$rbl_what]"
    "$${rbl_reason?: $$rbl_reason} $$recipient}}\n",
};

static struct world {
	char dir[64];
	struct conf *conf;
	struct core_params core;
	struct secure_params secure;
	struct smtpd_config config;
	struct smtpd server;
	int runs;
} worlds[ARRAY_LEN(profiles)];

static char before[512];

size_t world_profiles(void)
{
	return ARRAY_LEN(profiles);
}

const char *world_certificate(void)
{
	static char pem[4096];
	EVP_PKEY *key;
	X509 *cert;
	X509_NAME *name;
	BIO *bio;

	if (pem[0])
		return pem;
	key = EVP_EC_gen("P-256");
	cert = X509_new();
	bio = BIO_new(BIO_s_mem());
	name = X509_get_subject_name(cert);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400L);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3650 * 86400L);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)"mx.\"(example)", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	if (X509_sign(cert, key, EVP_sha256()) <= 0 ||
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_X509(bio, cert) != 1 || BIO_read(bio, pem, sizeof(pem) - 1) <= 0)
		abort();
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
	return pem;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void close_world(struct world *w)
{
	if (!w->conf)
		return;
	server_fini(&w->server);
	server_tls_close(&w->server.tls);
	conf_free(&w->conf);
	nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void close_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(worlds); i++)
		close_world(&worlds[i]);
}

static void make_folder(struct world *w)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	FILE *file;

	snprintf(w->dir, sizeof(w->dir), "%s/postern-fuzz.XXXXXX", base);
	if (!mkdtemp(w->dir) || chdir(w->dir) < 0)
		abort();
	for (size_t i = 0; i < queue_dir_count; i++)
		mkdir(queue_dirs[i].name, 0700);
	file = fopen("cert.pem", "w");
	if (!file || fputs(world_certificate(), file) < 0 || fclose(file) != 0)
		abort();
	chmod("cert.pem", 0600);
}

static void fill(struct world *w)
{
	const struct {
		const struct conf_table *table;
		void *out;
	} parts[] = {
	    {&core_params, &w->core},
	    {&smtpd_params, &w->config.smtpd},
	    {&smtpd_tls_params, &w->config.tls},
	    {&smtpd_auth_params, &w->config.auth},
	    {&secure_params, &w->secure},
	    {&shape_params, &w->config.shape},
	    {&map_params, &w->config.map},
	    {&route_params, &w->config.route},
	    {&queue_params, &w->config.queue},
	};
	struct conf_report report = {0};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		conf_fill(w->conf, parts[i].table, parts[i].out, &report);
	if (report.problems) {
		fprintf(stderr, "%s\n", str_text(&report.text));
		abort();
	}
	conf_report_fini(&report);
	w->config.core = &w->core;
}

static void open_world(struct world *w)
{
	struct str text = {0};
	struct err err;

	memset(w, 0, sizeof(*w));
	make_folder(w);
	str_printf(&text, "%squeue_directory = %s\n%s", common, w->dir, profiles[w - worlds]);
	if (conf_load_text(w->dir, "main.cf", str_text(&text), text.len, &w->conf, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	str_fini(&text);
	fill(w);
	w->server.tls = server_tls_open(&w->config.tls, &w->secure, &w->core, NULL);
	w->server.tls_level = server_tls_level(w->server.tls);
	w->server.generation = 1;
	if (server_init(&w->server, &w->config, w->conf, &err) < 0)
		abort();
	if (w->config.smtpd.client_message_rate_limit > 0) {
		w->server.clients = anvil_new(ANVIL_CLIENTS);
		w->server.accounts = anvil_new(ANVIL_ACCOUNTS);
	}
}

struct smtpd *world_enter(unsigned profile)
{
	struct world *w = &worlds[profile];

	if (!before[0]) {
		if (!getcwd(before, sizeof(before)))
			abort();
		atexit(close_all);
	}
	if (w->runs++ % RUNS_PER_QUEUE == 0) {
		close_world(w);
		open_world(w);
		w->runs = 1;
	} else if (chdir(w->dir) < 0) {
		abort();
	}
	return &w->server;
}

void world_leave(void)
{
	if (chdir(before) < 0)
		abort();
}
