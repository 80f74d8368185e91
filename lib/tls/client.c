/* SPDX-License-Identifier: ISC */
#include "lib/tls/internal.h"

#include <openssl/err.h>
#include <string.h>

/* What is behind a tls_saved is the library's session. */
static SSL_SESSION *session_of(const struct tls_saved *saved)
{
	union {
		const struct tls_saved *in;
		SSL_SESSION *out;
	} cast = {saved};

	return cast.out;
}

/*
 * A server gives out tickets whenever it likes (TLS 1.3: behind the handshake). The last one is
 * kept for tls_session_save.
 */
int tls_client_new_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_session *s = SSL_get_app_data(ssl);

	if (!s || !SSL_SESSION_is_resumable(session))
		return 0;
	SSL_SESSION_free(s->fresh);
	s->fresh = session;
	return 1;
}

bool tls_session_save(struct tls_session *s, struct tls_saved **out)
{
	*out = NULL;
	if (!s->fresh)
		return false;
	*out = (struct tls_saved *)s->fresh;
	s->fresh = NULL;
	return true;
}

void tls_saved_free(struct tls_saved **saved)
{
	SSL_SESSION_free(session_of(*saved));
	*saved = NULL;
}

bool tls_saved_put(const struct tls_saved *saved, struct str *out)
{
	unsigned char *der = NULL;
	int len = i2d_SSL_SESSION(session_of(saved), &der);

	if (len <= 0)
		return false;
	str_put(out, der, (size_t)len);
	OPENSSL_clear_free(der, (size_t)len);
	return true;
}

struct tls_saved *tls_saved_get(struct slice bytes)
{
	const unsigned char *der = (const unsigned char *)bytes.data;
	SSL_SESSION *session =
	    bytes.len <= TLS_SAVED_MAX ? d2i_SSL_SESSION(NULL, &der, (long)bytes.len) : NULL;

	ERR_clear_error();
	return (struct tls_saved *)session;
}

int64_t tls_saved_expires(const struct tls_saved *saved)
{
	const SSL_SESSION *session = session_of(saved);

	return (int64_t)SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session);
}

/* The library's macro takes the const off, and copies the name. */
static bool set_server_name(SSL *ssl, const char *name)
{
	union {
		const char *in;
		void *out;
	} cast = {name};

	return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, cast.out) ==
	       1;
}

static int set_up(struct tls_session *s, const struct tls_client_config *config, struct err *err)
{
	struct tls_protocols p = config->protocols;
	SSL *ssl = s->ssl;

	SSL_set_options(ssl, tls_protocol_options(&p));
	if (!SSL_set_min_proto_version(ssl, p.min) || !SSL_set_max_proto_version(ssl, p.max))
		return tls_err(err, "protocols");
	if (config->cipherlist && *config->cipherlist &&
	    (!s->context->config.cipherlist ||
	        strcmp(config->cipherlist, s->context->config.cipherlist) != 0) &&
	    SSL_set_cipher_list(ssl, config->cipherlist) != 1)
		return tls_err(err, "cipher list \"%.150s\"", config->cipherlist);
	if (config->verify == TLS_VERIFY_NONE) {
		/* an anonymous cipher, or a weak key, is better than no encryption at all */
		SSL_set_security_level(ssl, 0);
		SSL_set_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT);
	}
	if (config->name && *config->name && !set_server_name(ssl, config->name))
		return tls_err(err, "server name %.200s", config->name);
	if (config->resume)
		SSL_set_session(ssl, session_of(config->resume));
	return tls_judge_prepare(&s->judge, s->context, ssl, config, err);
}

static const char *const *copy_texts(struct arena *arena, const char *const *texts, size_t count)
{
	const char **copy = arena_zero(arena, count + 1, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = arena_strdup(arena, texts[i]);
	return copy;
}

struct tls_session *tls_client_begin(struct tls_context *context, struct stream *stream,
    const struct tls_client_config *config, struct err *err)
{
	struct tls_session *s = tls_session_new(context, stream, config->peer, config->log_level);

	if (!s) {
		tls_err(err, "a TLS session");
		return NULL;
	}
	s->digest = arena_strdup(&s->arena, config->digest ? config->digest : "sha256");
	s->server_name = arena_strdup(&s->arena, config->name ? config->name : "");
	s->judge.digest = s->digest;
	s->judge.names = copy_texts(&s->arena, config->names, config->name_count);
	s->judge.name_count = config->name_count;
	s->judge.fingerprints =
	    copy_texts(&s->arena, config->fingerprints, config->fingerprint_count);
	s->judge.fingerprint_count = config->fingerprint_count;
	if (set_up(s, config, err) < 0)
		tls_session_free(&s);
	else
		SSL_set_connect_state(s->ssl);
	return s;
}

enum tls_start tls_client_start(struct tls_context *context, struct stream *stream,
    const struct tls_client_config *config, struct tls_session **out, struct err *err)
{
	*out = tls_client_begin(context, stream, config, err);
	return *out ? tls_session_handshake(out, err) : TLS_LOCAL;
}
