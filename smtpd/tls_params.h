/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_TLS_PARAMS_H
#define SMTPD_TLS_PARAMS_H

#include "lib/conf/conf.h"

/* smtpd_tls_security_level; UNSET: the obsolete parameters decide. */
enum server_tls_level {
	SERVER_TLS_NONE,
	SERVER_TLS_MAY,
	SERVER_TLS_ENCRYPT,
	SERVER_TLS_UNSET,
	/* what a server cannot promise for its clients: counts for encrypt */
	SERVER_TLS_FINGERPRINT,
	SERVER_TLS_VERIFY,
	SERVER_TLS_SECURE,
};

/* What smtpd(8) reads from main.cf for TLS; the table is in smtpd/params.h. */
struct smtpd_tls_params {
	int security_level; /* enum server_tls_level */
	bool use_tls, enforce_tls, wrappermode, auth_only;
	int starttls_timeout, loglevel;
	bool received_header, always_issue_session_ids, enable_rpk;
	struct conf_list chain_files;
	const char *cert_file, *key_file, *dcert_file, *dkey_file, *eccert_file, *eckey_file;
	const char *sni_maps;
	int expiry_warning_days;
	const char *ca_file, *ca_path;
	bool ask_ccert, req_ccert;
	int ccert_verifydepth;
	const char *fingerprint_digest, *relay_clientcerts;
	const char *protocols, *mandatory_protocols, *ciphers, *mandatory_ciphers;
	const char *exclude_ciphers, *mandatory_exclude_ciphers, *cipherlist;
	const char *dh1024_param_file, *dh512_param_file, *eecdh_grade;
	bool requiretls_enable, requiretls_header;
};

#endif
