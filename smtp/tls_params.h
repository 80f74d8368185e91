/* SPDX-License-Identifier: ISC */
#ifndef SMTP_TLS_PARAMS_H
#define SMTP_TLS_PARAMS_H

#include "lib/conf/conf.h"

/* The levels of safety, in the order of what they ask for. */
enum tls_level {
	LEVEL_INVALID = -1, /* the configuration makes no sense, or nobody knows now */
	LEVEL_NONE,
	LEVEL_MAY,
	LEVEL_ENCRYPT,
	LEVEL_FINGERPRINT,
	LEVEL_HALF_DANE, /* TLSA records of a host that an insecure MX named */
	LEVEL_DANE,
	LEVEL_DANE_ONLY,
	LEVEL_VERIFY,
	LEVEL_SECURE,
	LEVEL_UNSET, /* of a parameter */
};

/* What smtp(8) and lmtp(8) read from main.cf for TLS; the tables are in smtp/params.h. */
struct smtp_tls_params {
	int security_level; /* enum tls_level */
	bool use_tls, enforce_tls, enforce_peername, wrappermode;
	const char *policy_maps, *per_site;
	const char *protocols, *mandatory_protocols, *ciphers, *mandatory_ciphers;
	const char *exclude_ciphers, *mandatory_exclude_ciphers;
	const char *ca_file, *ca_path;
	struct conf_list chain_files, trust_anchor_file;
	const char *cert_file, *key_file, *dcert_file, *dkey_file, *eccert_file, *eckey_file;
	int verify_depth, loglevel;
	struct conf_list verify_cert_match, secure_cert_match, fingerprint_cert_match;
	const char *fingerprint_digest, *servername;
	int dane_insecure_mx_policy; /* enum tls_level */
	bool force_insecure_host_tlsa_lookup, note_starttls_offer;
	const char *tlsproxy_service_name;
	bool connection_reuse, enable_rpk, block_early_mail_reply;
	bool tls_required_enable;
	bool requiretls_enable;
	const char *requiretls_policy; /* NULL or "": enforce */
	int starttls_timeout;          /* seconds */
	int plain_text_after;          /* seconds: minimal_backoff_time */
};

#endif
