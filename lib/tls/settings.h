/* SPDX-License-Identifier: ISC */
#ifndef LIB_TLS_SETTINGS_H
#define LIB_TLS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * What administrators write about TLS, read: protocols, cipher grades, digests. Pure.
 */

/* The tls_* parameters, for all TLS of a process. Texts outlive whatever is made from them. */
struct tls_common {
	const char *export_cipherlist, *low_cipherlist, *medium_cipherlist, *high_cipherlist;
	const char *null_cipherlist;
	const char *eecdh_strong_curve, *eecdh_ultra_curve, *eecdh_auto_curves, *ffdhe_auto_groups;
	const char *ssl_options, *disable_workarounds;
	const char *dane_digests;
	const char *session_ticket_cipher; /* "" : no tickets are given out */
	const char *config_file, *config_name;
	bool append_default_ca, preempt_cipherlist, wildcard_matches_multiple_labels;
	bool fast_shutdown, legacy_public_key_fingerprints;
};

/* What main.cf says when it says nothing: for programs without one. */
extern const struct tls_common tls_common_defaults;

/*
 * "!SSLv2, !SSLv3" (all others), "TLSv1.2 TLSv1.3" (these alone), ">=TLSv1.2, <=TLSv1.3" (bounds;
 * also as 0x0303). Protocol numbers are those of the wire; 0: no bound.
 */
struct tls_protocols {
	int min, max;
	unsigned excluded; /* bits TLS_PROTO_* */
};
enum {
	TLS_PROTO_SSLV3 = 1 << 0,
	TLS_PROTO_TLSV1 = 1 << 1,
	TLS_PROTO_TLSV1_1 = 1 << 2,
	TLS_PROTO_TLSV1_2 = 1 << 3,
	TLS_PROTO_TLSV1_3 = 1 << 4,
	TLS_PROTO_ALL = (1 << 5) - 1,
};
int tls_protocols_parse(const char *text, struct tls_protocols *out, struct err *err);

/*
 * OpenSSL's cipher list for a grade ("null", "export", "low", "medium", "high") without what the
 * exclude texts name ("aNULL, DES"; NULL and "" allowed). Appended to out. It does not rule
 * TLS 1.3.
 */
int tls_cipher_list(const struct tls_common *common, const char *grade, const char *const *excludes,
    size_t exclude_count, struct str *out, struct err *err);

/* Does OpenSSL know a digest of that name ("sha256", "md5")? */
bool tls_digest_known(const char *name);
/* Can session tickets be encrypted by it? A cipher of CBC mode, with a key of 256 bits at most. */
bool tls_ticket_cipher_usable(const char *name);

/*
 * The number of a name of SSL_OP_... that tls_ssl_options may say; texts "0x..." too. A word that
 * is not known gives -1; the others are in *out nevertheless.
 */
int tls_ssl_options_parse(const char *text, uint64_t *out, struct err *err);
/* tls_disable_workarounds: the bug work-arounds that are not to be used. */
int tls_workarounds_parse(const char *text, uint64_t *out, struct err *err);

#endif
