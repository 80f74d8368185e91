/* SPDX-License-Identifier: ISC */
#include "smtp/tls_params.h"

#include "lib/base/attr.h"
#include "lib/secure/secure.h"
#include "smtp/params.h"

#define P struct smtp_tls_params

static const struct conf_enum levels[] = {{"", LEVEL_UNSET}, {"none", LEVEL_NONE},
    {"may", LEVEL_MAY}, {"encrypt", LEVEL_ENCRYPT}, {"fingerprint", LEVEL_FINGERPRINT},
    {"dane", LEVEL_DANE}, {"dane-only", LEVEL_DANE_ONLY}, {"verify", LEVEL_VERIFY},
    {"secure", LEVEL_SECURE}, {NULL, 0}};
static const struct conf_enum insecure_mx_levels[] = {
    {"may", LEVEL_MAY}, {"encrypt", LEVEL_ENCRYPT}, {"dane", LEVEL_HALF_DANE}, {NULL, 0}};

/* clang-format off */
#define ROWS(x, dflt_level, secure_match, requiretls) \
	CONF_ENUM(P, security_level, x "_tls_security_level", dflt_level, levels, "How safe mail must be on its way, where smtp_tls_policy_maps says nothing: none, may, encrypt, fingerprint, dane, dane-only, verify, secure."), \
	CONF_BOOL(P, use_tls, x "_use_tls", "no", "Obsolete: security level may."), \
	CONF_BOOL(P, enforce_tls, x "_enforce_tls", "no", "Obsolete: security level encrypt, or verify."), \
	CONF_BOOL(P, enforce_peername, x "_tls_enforce_peername", "yes", "Obsolete: security level verify, with enforce_tls."), \
	CONF_BOOL(P, wrappermode, x "_tls_wrappermode", "no", "Servers talk TLS from the first byte on, as on port 465."), \
	CONF_TEXT(P, policy_maps, x "_tls_policy_maps", "", "Tables from next hop to security level and attributes."), \
	CONF_TEXT(P, per_site, x "_tls_per_site", "", "Obsolete: tables from next hop or host to NONE, MAY, MUST, MUST_NOPEERMATCH."), \
	SECURE_PROTOCOLS(P, protocols, x "_tls_protocols", ">=TLSv1", "Protocols at the level may."), \
	SECURE_PROTOCOLS(P, mandatory_protocols, x "_tls_mandatory_protocols", ">=TLSv1", "Protocols at the levels from encrypt on."), \
	SECURE_GRADE(P, ciphers, x "_tls_ciphers", "medium", "Cipher grade at the level may."), \
	SECURE_GRADE(P, mandatory_ciphers, x "_tls_mandatory_ciphers", "medium", "Cipher grade at the levels from encrypt on."), \
	CONF_TEXT(P, exclude_ciphers, x "_tls_exclude_ciphers", "", "Ciphers that are never used."), \
	CONF_TEXT(P, mandatory_exclude_ciphers, x "_tls_mandatory_exclude_ciphers", "", "Ciphers that are not used at the levels from encrypt on, besides."), \
	CONF_TEXT(P, ca_file, x "_tls_CAfile", "", "Certificates of those who are trusted to vouch for servers."), \
	CONF_TEXT(P, ca_path, x "_tls_CApath", "", "Folder of such certificates, as c_rehash leaves it."), \
	CONF_LIST(P, chain_files, x "_tls_chain_files", "", "Own keys, each with its certificate and those of its issuers behind it."), \
	CONF_LIST(P, trust_anchor_file, x "_tls_trust_anchor_file", "", "Certificates and public keys of those alone who are trusted at the levels verify and secure."), \
	CONF_TEXT(P, cert_file, x "_tls_cert_file", "", "Own RSA certificate and those of its issuers."), \
	CONF_TEXT(P, key_file, x "_tls_key_file", "$" x "_tls_cert_file", "Key of the RSA certificate."), \
	CONF_TEXT(P, dcert_file, x "_tls_dcert_file", "", "Own DSA certificate."), \
	CONF_TEXT(P, dkey_file, x "_tls_dkey_file", "$" x "_tls_dcert_file", "Key of the DSA certificate."), \
	CONF_TEXT(P, eccert_file, x "_tls_eccert_file", "", "Own ECDSA certificate and those of its issuers."), \
	CONF_TEXT(P, eckey_file, x "_tls_eckey_file", "$" x "_tls_eccert_file", "Key of the ECDSA certificate."), \
	CONF_INT(P, verify_depth, x "_tls_scert_verifydepth", "9", 0, 0, "Longest chain of certificates."), \
	CONF_INT(P, loglevel, x "_tls_loglevel", "0", 0, 4, "0: nothing of TLS in the log; 1: a line for each session; 2: its steps."), \
	CONF_LIST(P, verify_cert_match, x "_tls_verify_cert_match", "hostname", "Names of which a certificate must have one at the level verify."), \
	CONF_LIST(P, secure_cert_match, x "_tls_secure_cert_match", secure_match, "Names of which a certificate must have one at the level secure."), \
	CONF_LIST(P, fingerprint_cert_match, x "_tls_fingerprint_cert_match", "", "Fingerprints of which a certificate or its key must have one at the level fingerprint."), \
	CONF_TEXT(P, fingerprint_digest, x "_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", "Digest of fingerprints."), \
	CONF_TEXT(P, servername, x "_tls_servername", "", "Name to ask servers for (SNI): hostname, nexthop, or a name."), \
	CONF_BOOL(P, force_insecure_host_tlsa_lookup, x "_tls_force_insecure_host_tlsa_lookup", "no", "Look for TLSA records of hosts whose address is not secured by DNSSEC."), \
	CONF_BOOL(P, note_starttls_offer, x "_tls_note_starttls_offer", "no", "Log servers that offer TLS where it is not used."), \
	CONF_BOOL(P, connection_reuse, x "_tls_connection_reuse", "no", "Share TLS sessions among processes by way of tlsproxy."), \
	CONF_BOOL(P, enable_rpk, x "_tls_enable_rpk", "no", "Accepted: raw public keys, where the TLS library has them."), \
	CONF_BOOL(P, block_early_mail_reply, x "_tls_block_early_mail_reply", "no", "Put mail off when a TLS server has answered before MAIL FROM was said."), \
	CONF_TEXT(P, requiretls_policy, x "_requiretls_policy", requiretls, "What a sender's REQUIRETLS is worth, by destination: words (enforce, opportunistic+starttls, opportunistic, disable) and tables with such."), \
	CONF_SECS(P, starttls_timeout, x "_starttls_timeout", "300s", 1, 0, "Time limit for STARTTLS and for the handshake.")

#define SMTP_LEVEL "${{$compatibility_level} <level {3.11} ? {} : {may}}"
#define SMTP_REQUIRETLS "inline:{{${domain_to_ascii{$mydomain}} = opportunistic} {.${domain_to_ascii{$mydomain}} = opportunistic} {localhost = opportunistic}} cidr:{{0.0.0.0/0 opportunistic} {::/0 opportunistic}} enforce"

#define SHARED_ROWS \
	CONF_TEXT(P, tlsproxy_service_name, "tlsproxy_service_name", "tlsproxy", "The service that does TLS for connections which processes share."), \
	CONF_ENUM(P, dane_insecure_mx_policy, "smtp_tls_dane_insecure_mx_policy", "${{$smtp_tls_security_level} == {dane} ? {dane} : {may}}", insecure_mx_levels, "What TLSA records of a host count for when DNSSEC does not say that it is the exchanger: may, encrypt or dane."), \
	CONF_SECS(P, plain_text_after, "minimal_backoff_time", "300s", 1, 0, "Shortest pause between two tries of a message."), \
	CONF_BOOL(P, requiretls_enable, "requiretls_enable", "yes", "Offer REQUIRETLS under TLS, and keep to it."), \
	CONF_BOOL(P, tls_required_enable, "tls_required_enable", "yes", "A message whose header says TLS-Required: no asks for less than the policy.")

static const struct conf_param smtp_rows[] = {ROWS("smtp", SMTP_LEVEL, "nexthop, dot-nexthop", SMTP_REQUIRETLS), SHARED_ROWS};
static const struct conf_param lmtp_rows[] = {ROWS("lmtp", "", "nexthop", "opportunistic"), SHARED_ROWS};
/* clang-format on */

const struct conf_table smtp_tls_params = {smtp_rows, ARRAY_LEN(smtp_rows)};
const struct conf_table lmtp_tls_params = {lmtp_rows, ARRAY_LEN(lmtp_rows)};
