/* SPDX-License-Identifier: ISC */
/* What a session turned out to be, in the words of log lines. */
#include "lib/tls/internal.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

/* "X25519", "ECDHE (prime256v1)", "DHE (2048 bits)". */
static void put_key(struct str *out, EVP_PKEY *key, const char *ec_name, const char *dh_name)
{
	char group[80];
	size_t len;

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		if (!EVP_PKEY_get_utf8_string_param(
		        key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &len))
			strcpy(group, "unknown");
		str_printf(out, "%s (%s)", ec_name, group);
		break;
	case EVP_PKEY_DH:
		str_printf(out, "%s (%d bits)", dh_name, EVP_PKEY_get_bits(key));
		break;
	case EVP_PKEY_RSA:
	case EVP_PKEY_DSA:
		str_printf(
		    out, "%s (%d bits)", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
		break;
	default:
		str_put_text(out, EVP_PKEY_get0_type_name(key));
	}
}

/* " server-signature ECDSA (prime256v1) server-digest SHA256" */
static void put_signature(struct str *out, const char *who, EVP_PKEY *key, int type, int digest)
{
	str_printf(out, " %s-signature ", who);
	if (type == EVP_PKEY_RSA_PSS)
		str_printf(out, "RSA-PSS (%d bits)", EVP_PKEY_get_bits(key));
	else
		put_key(out, key, "ECDSA", "DH");
	if (digest != NID_undef)
		str_printf(out, " %s-digest %s", who, OBJ_nid2sn(digest));
}

static void put_name(struct str *out, const X509_NAME *name)
{
	unsigned char *utf8 = NULL;
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), len;

	if (at < 0)
		at = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);
	if (at < 0)
		return;
	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len > 0 && !memchr(utf8, '\0', (size_t)len)) {
		str_put(out, utf8, (size_t)len);
		text_make_printable(out->data, out->len);
	}
	OPENSSL_free(utf8);
}

static const char *keep(struct tls_session *s, struct str *text)
{
	const char *kept = arena_strndup(&s->arena, str_text(text), text->len);

	str_clear(text);
	return kept;
}

static void describe_peer(struct tls_session *s, struct tls_info *info)
{
	X509 *cert = SSL_get0_peer_certificate(s->ssl);
	struct str text = {0};

	info->peer_cn = info->issuer_cn = info->cert_fingerprint = info->key_fingerprint = "";
	info->peer_cert = cert != NULL;
	if (!cert)
		return;
	put_name(&text, X509_get_subject_name(cert));
	info->peer_cn = keep(s, &text);
	put_name(&text, X509_get_issuer_name(cert));
	info->issuer_cn = keep(s, &text);
	if (tls_fingerprint_cert(cert, s->digest, &text))
		info->cert_fingerprint = keep(s, &text);
	if (tls_fingerprint_key(
	        cert, s->digest, s->context->common.legacy_public_key_fingerprints, &text))
		info->key_fingerprint = keep(s, &text);
	str_fini(&text);
}

const struct tls_info *tls_session_info(struct tls_session *s)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(s->ssl);
	struct tls_info *info;

	if (s->info)
		return s->info;
	s->info = info = arena_zero(&s->arena, 1, sizeof(*info));
	info->protocol = SSL_get_version(s->ssl);
	info->cipher = SSL_CIPHER_get_name(cipher);
	info->bits_used = SSL_CIPHER_get_bits(cipher, &info->bits_algorithm);
	info->server_name = s->server_name ? s->server_name : "";
	info->served_name = s->named ? info->server_name : "";
	describe_peer(s, info);
	return info;
}

static void log_name(const char *what, const X509_NAME *name)
{
	char *text = X509_NAME_oneline(name, NULL, 0);

	if (text)
		log_info("%s=%s", what, text);
	OPENSSL_free(text);
}

void tls_session_log_names(const struct tls_session *s)
{
	const X509 *cert = SSL_get0_peer_certificate(s->ssl);

	if (!cert)
		return;
	log_name("subject", X509_get_subject_name(cert));
	log_name("issuer", X509_get_issuer_name(cert));
}

/* TLS 1.3 alone: before it the cipher's name says all of this. */
static void describe_exchange(struct tls_session *s, struct str *out)
{
	X509 *own = SSL_get_certificate(s->ssl), *peer = SSL_get0_peer_certificate(s->ssl);
	EVP_PKEY *key = NULL;
	int type, digest = NID_undef;

	if (SSL_get_peer_tmp_key(s->ssl, &key)) {
		str_put_text(out, " key-exchange ");
		put_key(out, key, "ECDHE", "DHE");
		EVP_PKEY_free(key);
	}
	if (SSL_session_reused(s->ssl))
		return;
	if (s->server && own && SSL_get_signature_type_nid(s->ssl, &type)) {
		SSL_get_signature_nid(s->ssl, &digest);
		put_signature(out, "server", X509_get0_pubkey(own), type, digest);
	}
	if (peer && SSL_get_peer_signature_type_nid(s->ssl, &type)) {
		digest = NID_undef;
		SSL_get_peer_signature_nid(s->ssl, &digest);
		put_signature(
		    out, s->server ? "client" : "server", X509_get0_pubkey(peer), type, digest);
	}
	digest = NID_undef;
	if (!s->server && own && SSL_get_signature_type_nid(s->ssl, &type)) {
		SSL_get_signature_nid(s->ssl, &digest);
		put_signature(out, "client", X509_get0_pubkey(own), type, digest);
	}
}

void tls_session_describe(struct tls_session *s, struct str *out)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(s->ssl);
	int used, algorithm = 0;

	used = SSL_CIPHER_get_bits(cipher, &algorithm);
	str_printf(out, "%s with cipher %s (%d/%d bits)", SSL_get_version(s->ssl),
	    SSL_CIPHER_get_name(cipher), used, algorithm);
	if (SSL_version(s->ssl) >= TLS1_3_VERSION)
		describe_exchange(s, out);
}

const char *tls_session_status(const struct tls_session *s)
{
	if (!SSL_get0_peer_certificate(s->ssl))
		return "Anonymous";
	if (s->judge.verify != TLS_VERIFY_NONE)
		return s->judge.matched ? "Verified" : "Untrusted";
	return s->judge.trusted ? "Trusted" : "Untrusted";
}
