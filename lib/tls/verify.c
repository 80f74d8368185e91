/* SPDX-License-Identifier: ISC */
/*
 * Is the peer who it should be? The handshake itself is never ended for it: the callback notes the
 * first thing that is wrong, and after the handshake it is decided what that means.
 */
#include "lib/tls/internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

enum { TRUST_ANCHORS_MAX = 1024 * 1024 };

/* ---- fingerprints
 * ---------------------------------------------------------------------------------- */

static bool put_digest(const void *data, size_t len, const char *name, struct str *out)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
	unsigned n = 0;
	bool ok = md && EVP_Digest(data, len, bytes, &n, md, NULL) == 1;

	EVP_MD_free(md);
	for (unsigned i = 0; ok && i < n; i++)
		str_printf(out, "%s%02X", i ? ":" : "", bytes[i]);
	return ok;
}

bool tls_fingerprint_cert(X509 *cert, const char *digest, struct str *out)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	bool ok = len > 0 && put_digest(der, (size_t)len, digest, out);

	OPENSSL_free(der);
	return ok;
}

bool tls_fingerprint_key(X509 *cert, const char *digest, bool legacy, struct str *out)
{
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(cert);
	unsigned char *der = NULL;
	int len;
	bool ok;

	if (legacy)
		return bits && put_digest(bits->data, (size_t)bits->length, digest, out);
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	ok = len > 0 && put_digest(der, (size_t)len, digest, out);
	OPENSSL_free(der);
	return ok;
}

/* ---- before the handshake
 * -------------------------------------------------------------------------- */

static int add_anchor(SSL *ssl, unsigned selector, unsigned char *der, int len)
{
	int ok = len > 0 ? SSL_dane_tlsa_add(ssl, 2, (uint8_t)selector, 0, der, (size_t)len) : 0;

	OPENSSL_free(der);
	return ok == 1;
}

/*
 * A file of trust anchors holds certificates and bare public keys; both are what TLSA records of
 * usage 2 can say, so they are given to the library as such, with no domain and no names.
 */
static int use_anchors(SSL *ssl, const char *pem, struct err *err)
{
	size_t size = strlen(pem);
	BIO *bio = size <= TRUST_ANCHORS_MAX ? BIO_new_mem_buf(pem, (int)size) : NULL;
	char *type, *header;
	unsigned char *der;
	int found = 0;
	long len;

	if (!bio || SSL_dane_enable(ssl, NULL) <= 0) {
		BIO_free(bio);
		return tls_err(err, "trust anchors");
	}
	while (PEM_read_bio(bio, &type, &header, &der, &len)) {
		bool key = strcmp(type, PEM_STRING_PUBLIC) == 0;

		OPENSSL_free(header);
		if (key || strstr(type, "CERTIFICATE"))
			found += add_anchor(ssl, key ? 1 : 0, der, (int)len);
		else
			OPENSSL_free(der);
		OPENSSL_free(type);
	}
	BIO_free(bio);
	if (!found)
		return tls_err(err, "no usable trust anchor");
	return 0;
}

static int use_tlsa(SSL *ssl, const struct tls_client_config *config, struct err *err)
{
	int usable = 0;

	if (SSL_dane_enable(ssl, config->tlsa_base) <= 0)
		return tls_err(err, "DANE");
	for (size_t i = 0; i < config->name_count; i++)
		SSL_add1_host(ssl, config->names[i]);
	for (size_t i = 0; i < config->tlsa_count; i++) {
		const struct tls_tlsa *r = &config->tlsa[i];

		/* RFC 7672 3.1.3: 0 and 1 do not apply to mail */
		if (r->usage != 2 && r->usage != 3)
			continue;
		if (SSL_dane_tlsa_add(ssl, (uint8_t)r->usage, (uint8_t)r->selector,
		        (uint8_t)r->matching, r->data, r->len) > 0)
			usable++;
	}
	ERR_clear_error();
	if (!usable)
		return err_set(err, 0, "no usable TLSA records");
	return 0;
}

int tls_judge_prepare(struct tls_judge *judge, struct tls_context *context, SSL *ssl,
    const struct tls_client_config *config, struct err *err)
{
	judge->verify = config->verify;
	judge->judged = context->has_anchors;
	if (config->verify == TLS_VERIFY_DANE) {
		if (use_tlsa(ssl, config, err) < 0)
			return -1;
		judge->judged = true;
	} else if (config->verify == TLS_VERIFY_NAME && config->trust_anchors &&
	           *config->trust_anchors) {
		if (use_anchors(ssl, config->trust_anchors, err) < 0)
			return -1;
		judge->judged = true;
	}
	SSL_set_verify(ssl, SSL_VERIFY_PEER, tls_judge_callback);
	return 0;
}

/* With nobody to trust, to build chains is work for nothing. */
int tls_judge_chain(X509_STORE_CTX *store, void *arg UNUSED)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_session *s = ssl ? SSL_get_app_data(ssl) : NULL;

	if (s && !s->judge.judged)
		return 1;
	return X509_verify_cert(store);
}

int tls_judge_callback(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_session *s = ssl ? SSL_get_app_data(ssl) : NULL;
	X509 *cert = X509_STORE_CTX_get_current_cert(store);
	const X509_NAME *name;
	char *text;

	if (!s)
		return 1;
	if (s->log_level >= 2 && cert) {
		text = X509_NAME_oneline(X509_get_subject_name(cert), NULL, 0);
		log_info("%s: depth=%d verify=%d subject=%s", s->peer,
		    X509_STORE_CTX_get_error_depth(store), ok, text ? text : "");
		OPENSSL_free(text);
	}
	if (ok || s->judge.first_error)
		return 1;
	s->judge.first_error = X509_STORE_CTX_get_error(store);
	s->judge.first_depth = X509_STORE_CTX_get_error_depth(store);
	if (!cert)
		return 1;
	name = s->judge.first_error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	               s->judge.first_error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	               s->judge.first_error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
	           ? X509_get_issuer_name(cert)
	           : X509_get_subject_name(cert);
	text = X509_NAME_oneline(name, NULL, 0);
	s->judge.first_subject = text ? alloc_strdup(text) : NULL;
	OPENSSL_free(text);
	return 1;
}

/* ---- after the handshake
 * ----------------------------------------------------------------------------- */

static bool same_fingerprint(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == ':')
			a++;
		while (*b == ':')
			b++;
		if ((*a | (*a >= 'A' && *a <= 'Z' ? 32 : 0)) !=
		    (*b | (*b >= 'A' && *b <= 'Z' ? 32 : 0)))
			return false;
		if (!*a)
			return true;
	}
}

static bool fingerprint_matches(const struct tls_judge *judge, X509 *cert)
{
	struct str own = {0}, key = {0};
	bool found = false;

	if (tls_fingerprint_cert(cert, judge->digest, &own) &&
	    tls_fingerprint_key(cert, judge->digest, judge->legacy_fingerprints, &key)) {
		for (size_t i = 0; i < judge->fingerprint_count && !found; i++)
			found = same_fingerprint(judge->fingerprints[i], str_text(&own)) ||
			        same_fingerprint(judge->fingerprints[i], str_text(&key));
	}
	str_fini(&own);
	str_fini(&key);
	return found;
}

static bool name_matches(const struct tls_judge *judge, X509 *cert)
{
	unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

	if (judge->multi_label)
		flags |= X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS;
	for (size_t i = 0; i < judge->name_count; i++)
		if (X509_check_host(cert, judge->names[i], 0, flags, NULL) == 1)
			return true;
	return false;
}

/* In the words of the log: what is missing is more telling than that something is. */
static void put_problem(struct tls_judge *judge, long error)
{
	const char *subject = judge->first_subject ? judge->first_subject : "";

	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		snprintf(
		    judge->problem, sizeof(judge->problem), "untrusted issuer %.250s", subject);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		snprintf(judge->problem, sizeof(judge->problem), "self-signed certificate");
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
		snprintf(judge->problem, sizeof(judge->problem), "certificate not yet valid");
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
		snprintf(judge->problem, sizeof(judge->problem), "certificate has expired");
		break;
	default:
		snprintf(judge->problem, sizeof(judge->problem), "num=%ld:%s", error,
		    X509_verify_cert_error_string(error));
	}
}

void tls_judge_decide(struct tls_judge *judge, SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	long error = judge->first_error ? judge->first_error : SSL_get_verify_result(ssl);

	if (!cert) {
		judge->matched = judge->verify == TLS_VERIFY_NONE;
		if (!judge->matched)
			snprintf(judge->problem, sizeof(judge->problem), "no certificate");
		return;
	}
	judge->trusted = judge->judged && error == X509_V_OK;
	if (judge->judged && error != X509_V_OK)
		put_problem(judge, error);
	switch (judge->verify) {
	case TLS_VERIFY_NONE:
		judge->matched = true;
		return;
	case TLS_VERIFY_DANE:
		judge->matched = judge->trusted;
		return;
	case TLS_VERIFY_FINGERPRINT:
		judge->matched = fingerprint_matches(judge, cert);
		if (judge->matched)
			judge->problem[0] = '\0';
		else
			snprintf(judge->problem, sizeof(judge->problem), "fingerprint mismatch");
		return;
	case TLS_VERIFY_NAME:
		judge->matched = judge->trusted && name_matches(judge, cert);
		if (judge->trusted && !judge->matched)
			put_problem(judge, X509_V_ERR_HOSTNAME_MISMATCH);
		else if (!judge->judged)
			snprintf(judge->problem, sizeof(judge->problem),
			    "no CA certificates are configured");
	}
}
