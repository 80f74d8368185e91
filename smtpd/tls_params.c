/* SPDX-License-Identifier: ISC */
#include "smtpd/tls_params.h"

#include "lib/base/attr.h"
#include "lib/secure/secure.h"
#include "smtpd/params.h"

#define P struct smtpd_tls_params

static const struct conf_enum levels[] = {{"", SERVER_TLS_UNSET}, {"none", SERVER_TLS_NONE},
    {"may", SERVER_TLS_MAY}, {"encrypt", SERVER_TLS_ENCRYPT},
    {"fingerprint", SERVER_TLS_FINGERPRINT}, {"verify", SERVER_TLS_VERIFY},
    {"secure", SERVER_TLS_SECURE}, {NULL, 0}};

/* clang-format off */
static const struct conf_param rows[] = {
	CONF_ENUM(P, security_level, "smtpd_tls_security_level", "", levels, "TLS for clients: none, may (STARTTLS is offered), encrypt (and required)."),
	CONF_BOOL(P, use_tls, "smtpd_use_tls", "no", "Obsolete: smtpd_tls_security_level = may."),
	CONF_BOOL(P, enforce_tls, "smtpd_enforce_tls", "no", "Obsolete: smtpd_tls_security_level = encrypt."),
	CONF_BOOL(P, wrappermode, "smtpd_tls_wrappermode", "no", "Clients talk TLS from the first byte on, as on port 465."),
	CONF_BOOL(P, auth_only, "smtpd_tls_auth_only", "no", "Offer and take AUTH under TLS alone."),
	CONF_SECS(P, starttls_timeout, "smtpd_starttls_timeout", "${stress?{10}:{300}}s", 1, 0, "Time limit of the handshake."),
	CONF_INT(P, loglevel, "smtpd_tls_loglevel", "0", 0, 4, "0: nothing of TLS in the log but what fails; 1: a line for each session; 2: its steps."),
	CONF_BOOL(P, received_header, "smtpd_tls_received_header", "no", "Say protocol, cipher and certificate of the client in Received: headers."),
	CONF_BOOL(P, always_issue_session_ids, "smtpd_tls_always_issue_session_ids", "yes", "Give out session ids also when no session is kept: some clients cannot do without."),
	CONF_BOOL(P, enable_rpk, "smtpd_tls_enable_rpk", "no", "Accepted: raw public keys, where the TLS library has them."),
	CONF_LIST(P, chain_files, "smtpd_tls_chain_files", "", "Own keys, each with its certificate and those of its issuers behind it; what is renewed is taken up by itself."),
	CONF_TEXT(P, cert_file, "smtpd_tls_cert_file", "", "Own RSA certificate and those of its issuers."),
	CONF_TEXT(P, key_file, "smtpd_tls_key_file", "$smtpd_tls_cert_file", "Key of the RSA certificate."),
	CONF_TEXT(P, dcert_file, "smtpd_tls_dcert_file", "", "Own DSA certificate."),
	CONF_TEXT(P, dkey_file, "smtpd_tls_dkey_file", "$smtpd_tls_dcert_file", "Key of the DSA certificate."),
	CONF_TEXT(P, eccert_file, "smtpd_tls_eccert_file", "", "Own ECDSA certificate and those of its issuers."),
	CONF_TEXT(P, eckey_file, "smtpd_tls_eckey_file", "$smtpd_tls_eccert_file", "Key of the ECDSA certificate."),
	CONF_TEXT(P, sni_maps, "tls_server_sni_maps", "", "Tables from the name that a client asks for to key and certificates (postmap -F)."),
	CONF_INT(P, expiry_warning_days, "smtpd_tls_expiry_warning_days", "14", 0, 0, "Warn of an own certificate that is not good for more days than this; 0: never."),
	CONF_TEXT(P, ca_file, "smtpd_tls_CAfile", "", "Certificates of those who are trusted to vouch for clients."),
	CONF_TEXT(P, ca_path, "smtpd_tls_CApath", "", "Folder of such certificates, as c_rehash leaves it."),
	CONF_BOOL(P, ask_ccert, "smtpd_tls_ask_ccert", "no", "Ask clients for a certificate."),
	CONF_BOOL(P, req_ccert, "smtpd_tls_req_ccert", "no", "Require a trusted certificate of clients, where TLS is required."),
	CONF_INT(P, ccert_verifydepth, "smtpd_tls_ccert_verifydepth", "9", 0, 0, "Longest chain of a client's certificates."),
	CONF_TEXT(P, fingerprint_digest, "smtpd_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", "Digest of clients' fingerprints."),
	CONF_TEXT(P, relay_clientcerts, "relay_clientcerts", "", "Tables of the fingerprints of clients' certificates or keys for permit_tls_clientcerts."),
	SECURE_PROTOCOLS(P, protocols, "smtpd_tls_protocols", ">=TLSv1", "Protocols at the level may."),
	SECURE_PROTOCOLS(P, mandatory_protocols, "smtpd_tls_mandatory_protocols", ">=TLSv1", "Protocols at the level encrypt."),
	SECURE_GRADE(P, ciphers, "smtpd_tls_ciphers", "medium", "Cipher grade at the level may."),
	SECURE_GRADE(P, mandatory_ciphers, "smtpd_tls_mandatory_ciphers", "medium", "Cipher grade at the level encrypt."),
	CONF_TEXT(P, exclude_ciphers, "smtpd_tls_exclude_ciphers", "", "Ciphers that are never used."),
	CONF_TEXT(P, mandatory_exclude_ciphers, "smtpd_tls_mandatory_exclude_ciphers", "", "Ciphers that are not used at the level encrypt, besides."),
	CONF_TEXT(P, cipherlist, "smtpd_tls_cipherlist", "", "Obsolete, without effect: smtpd_tls_mandatory_ciphers."),
	CONF_TEXT(P, dh1024_param_file, "smtpd_tls_dh1024_param_file", "", "Parameters for key exchange by finite-field Diffie-Hellman; empty, auto, or a file that cannot be used: by the key's size."),
	CONF_TEXT(P, dh512_param_file, "smtpd_tls_dh512_param_file", "", "Obsolete, without effect: export ciphers are gone."),
	CONF_TEXT(P, eecdh_grade, "smtpd_tls_eecdh_grade", "auto", "Ignored, as Postfix does since 3.6: the curves are those of tls_eecdh_auto_curves."),
	CONF_BOOL(P, requiretls_enable, "requiretls_enable", "yes", "Offer REQUIRETLS under TLS, and keep to it."),
	CONF_BOOL(P, requiretls_header, "requiretls_esmtp_header", "yes", "Add Require-TLS-ESMTP: yes to messages whose client asks for REQUIRETLS."),
};
/* clang-format on */

const struct conf_table smtpd_tls_params = {rows, ARRAY_LEN(rows)};
