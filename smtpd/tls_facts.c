/* SPDX-License-Identifier: ISC */
/* What others may know of a session's TLS. */
#include "smtpd/tls.h"

#include "lib/base/log.h"
#include "lib/tls/session.h"
#include "smtpd/smtpd.h"

bool session_tls_active(const struct session *s)
{
	return s->tls_info != NULL;
}

const char *session_tls_protocol(const struct session *s)
{
	return s->tls_info ? s->tls_info->protocol : "";
}

const char *session_tls_cipher(const struct session *s)
{
	return s->tls_info ? s->tls_info->cipher : "";
}

int session_tls_keysize(const struct session *s)
{
	return s->tls_info ? s->tls_info->bits_used : 0;
}

bool session_tls_ccert(const struct session *s)
{
	return s->tls_info && s->tls_info->peer_cert;
}

bool session_tls_ccert_trusted(const struct session *s)
{
	return session_tls_ccert(s) && s->tls_trusted;
}

const char *session_tls_ccert_subject(const struct session *s)
{
	return s->tls_info ? s->tls_info->peer_cn : "";
}

const char *session_tls_ccert_issuer(const struct session *s)
{
	return s->tls_info ? s->tls_info->issuer_cn : "";
}

const char *session_tls_ccert_fingerprint(const struct session *s)
{
	return s->tls_info ? s->tls_info->cert_fingerprint : "";
}

const char *session_tls_ccert_key_fingerprint(const struct session *s)
{
	return s->tls_info ? s->tls_info->key_fingerprint : "";
}

enum table_answer session_tls_ccert_listed(const struct session *s)
{
	const char *const prints[] = {
	    session_tls_ccert_fingerprint(s), session_tls_ccert_key_fingerprint(s)};
	enum table_answer answer = TABLE_NOT_FOUND;
	struct str value = {0};
	struct err err;

	if (!session_tls_ccert(s) || !s->srv->client_certs)
		return TABLE_NOT_FOUND;
	for (size_t i = 0; i < ARRAY_LEN(prints) && answer == TABLE_NOT_FOUND; i++)
		if (*prints[i])
			answer = table_chain_get(s->srv->client_certs, prints[i], &value, &err);
	if (answer == TABLE_ERROR)
		log_warn("relay_clientcerts: %s", err.text);
	str_fini(&value);
	return answer;
}

bool session_tls_allows_auth(const struct session *s)
{
	return session_tls_active(s) ||
	       (!s->srv->config->tls.auth_only && s->srv->tls_level != SERVER_TLS_ENCRYPT);
}

bool session_tls_missing(const struct session *s)
{
	return !session_tls_active(s) && s->srv->tls_level == SERVER_TLS_ENCRYPT;
}
