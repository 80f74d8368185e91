/* SPDX-License-Identifier: ISC */
#include "tlsproxy/params.h"

#include "lib/base/attr.h"

#define P struct tlsproxy_params

/* clang-format off */
static const struct conf_param rows[] = {
	CONF_TEXT(P, ca_file, "tlsproxy_client_CAfile", "$smtp_tls_CAfile", "Certificates of those who are trusted to vouch for servers, in tlsproxy."),
	CONF_TEXT(P, ca_path, "tlsproxy_client_CApath", "$smtp_tls_CApath", "Folder of such certificates."),
	CONF_LIST(P, chain_files, "tlsproxy_client_chain_files", "$smtp_tls_chain_files", "Keys of tlsproxy towards servers, each with its certificate and those of its issuers behind it."),
	CONF_TEXT(P, cert_file, "tlsproxy_client_cert_file", "$smtp_tls_cert_file", "RSA certificate of tlsproxy towards servers."),
	CONF_TEXT(P, key_file, "tlsproxy_client_key_file", "$smtp_tls_key_file", "Key of the RSA certificate."),
	CONF_TEXT(P, dcert_file, "tlsproxy_client_dcert_file", "$smtp_tls_dcert_file", "DSA certificate of tlsproxy towards servers."),
	CONF_TEXT(P, dkey_file, "tlsproxy_client_dkey_file", "$smtp_tls_dkey_file", "Key of the DSA certificate."),
	CONF_TEXT(P, eccert_file, "tlsproxy_client_eccert_file", "$smtp_tls_eccert_file", "ECDSA certificate of tlsproxy towards servers."),
	CONF_TEXT(P, eckey_file, "tlsproxy_client_eckey_file", "$smtp_tls_eckey_file", "Key of the ECDSA certificate."),
	CONF_INT(P, verify_depth, "tlsproxy_client_scert_verifydepth", "$smtp_tls_scert_verifydepth", 0, 0, "Longest chain of certificates."),
	CONF_INT(P, loglevel, "tlsproxy_client_loglevel", "$smtp_tls_loglevel", 0, 4, "From 2 on tlsproxy logs the steps of handshakes; it does so for a delivery agent that does, too."),
};
/* clang-format on */

const struct conf_table tlsproxy_params = {rows, ARRAY_LEN(rows)};
