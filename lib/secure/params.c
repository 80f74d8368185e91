/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "lib/secure/secure.h"

#define P struct secure_params

/* clang-format off */
static const struct conf_param rows[] = {
	CONF_TEXT(P, common.export_cipherlist, "tls_export_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH", "OpenSSL ciphers of the grade export."),
	CONF_TEXT(P, common.low_cipherlist, "tls_low_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH", "OpenSSL ciphers of the grade low."),
	CONF_TEXT(P, common.medium_cipherlist, "tls_medium_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH", "OpenSSL ciphers of the grade medium."),
	CONF_TEXT(P, common.high_cipherlist, "tls_high_cipherlist", "aNULL:-aNULL:HIGH:@STRENGTH", "OpenSSL ciphers of the grade high."),
	CONF_TEXT(P, common.null_cipherlist, "tls_null_cipherlist", "eNULL:!aNULL", "OpenSSL ciphers of the grade null: authentication without encryption."),
	CONF_TEXT(P, common.eecdh_auto_curves, "tls_eecdh_auto_curves", "X25519 X448 prime256v1 secp521r1 secp384r1", "Curves for key exchange, in the order of preference; those that OpenSSL has not are left out; empty: its own groups, whatever tls_ffdhe_auto_groups says."),
	CONF_TEXT(P, common.eecdh_strong_curve, "tls_eecdh_strong_curve", "prime256v1", "Accepted without effect: see tls_eecdh_auto_curves."),
	CONF_TEXT(P, common.eecdh_ultra_curve, "tls_eecdh_ultra_curve", "secp384r1", "Accepted without effect: see tls_eecdh_auto_curves."),
	CONF_TEXT(P, common.ffdhe_auto_groups, "tls_ffdhe_auto_groups", "ffdhe2048 ffdhe3072", "Finite-field groups for key exchange, behind the curves."),
	CONF_TEXT(P, common.ssl_options, "tls_ssl_options", "", "Further OpenSSL options: names such as NO_TICKET, or a hexadecimal mask."),
	CONF_TEXT(P, common.disable_workarounds, "tls_disable_workarounds", "", "OpenSSL's bug work-arounds that are not used."),
	CONF_TEXT(P, common.dane_digests, "tls_dane_digests", "sha512 sha256", "Digests that count in TLSA records, the best first."),
	CONF_TEXT(P, common.session_ticket_cipher, "tls_session_ticket_cipher", "aes-256-cbc", "Cipher of session tickets; empty: none are given out."),
	CONF_TEXT(P, common.config_file, "tls_config_file", "default", "OpenSSL's configuration: default, none, or a file."),
	CONF_TEXT(P, common.config_name, "tls_config_name", "", "Name of the application's section in OpenSSL's configuration."),
	CONF_BOOL(P, common.append_default_ca, "tls_append_default_CA", "no", "Trust the system's certificate authorities beside those configured."),
	CONF_BOOL(P, common.preempt_cipherlist, "tls_preempt_cipherlist", "no", "The server's order of ciphers decides, not the client's."),
	CONF_BOOL(P, common.wildcard_matches_multiple_labels, "tls_wildcard_matches_multiple_labels", "yes", "*.example.com in a certificate stands for a.b.example.com too."),
	CONF_BOOL(P, common.fast_shutdown, "tls_fast_shutdown_enable", "yes", "Do not wait for the peer's goodbye at the end of a session."),
	CONF_BOOL(P, common.legacy_public_key_fingerprints, "tls_legacy_public_key_fingerprints", "no", "Fingerprints of public keys as they were before Postfix 2.9.6."),
	CONF_TEXT(P, tlsmgr_service_name, "tlsmgr_service_name", "tlsmgr", "The service that keeps TLS sessions and ticket keys."),
	CONF_TEXT(P, sessions[TLSMGR_SMTP].database, "smtp_tls_session_cache_database", "", "Where the sessions of the SMTP client are kept for resumption; empty: in each process alone."),
	CONF_SECS(P, sessions[TLSMGR_SMTP].timeout, "smtp_tls_session_cache_timeout", "3600s", 1, 0, "How long a session of the SMTP client may be resumed."),
	CONF_TEXT(P, sessions[TLSMGR_LMTP].database, "lmtp_tls_session_cache_database", "", "Where the sessions of the LMTP client are kept for resumption; empty: in each process alone."),
	CONF_SECS(P, sessions[TLSMGR_LMTP].timeout, "lmtp_tls_session_cache_timeout", "3600s", 1, 0, "How long a session of the LMTP client may be resumed."),
	CONF_TEXT(P, sessions[TLSMGR_SMTPD].database, "smtpd_tls_session_cache_database", "", "Where the sessions of clients without tickets are kept for resumption."),
	CONF_SECS(P, sessions[TLSMGR_SMTPD].timeout, "smtpd_tls_session_cache_timeout", "3600s", 0, 0, "How long clients may resume a session; 0: never."),
};
/* clang-format on */

const struct conf_table secure_params = {rows, ARRAY_LEN(rows)};
