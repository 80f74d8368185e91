/* SPDX-License-Identifier: ISC */
/*
 * The server's side: chains by name (RFC 6066 section 3), session tickets under keys that all
 * processes share (RFC 5077), sessions kept elsewhere for clients without tickets.
 */
#include "lib/tls/internal.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"

enum { NAMED_MAX = 500, SERVER_NAME_MAX = 255, SESSION_ID_MAX = 64 };

/* ---- names --------------------------------------------------------------------------------------
 */

static bool name_is_plain(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > SERVER_NAME_MAX)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

struct named_chain {
	unsigned char digest[EVP_MAX_MD_SIZE]; /* of the text that was looked at last */
	struct tls_chains chains;
};

static void free_named(struct named_chain *named)
{
	tls_chains_free(&named->chains);
	free(named);
}

void tls_server_forget_names(struct tls_context *c)
{
	size_t cursor = 0;
	const char *name;
	void *named;

	while (c->named && map_next(c->named, &cursor, &name, &named))
		free_named(named);
	map_free(&c->named, NULL);
}

/* A text that cannot be used is said once; the one before it serves on. */
static struct named_chain *take_text(
    struct tls_context *c, const char *name, struct named_chain *named, struct slice pem)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	struct tls_chains fresh;
	struct err err;

	EVP_Digest(pem.data, pem.len, digest, NULL, EVP_sha256(), NULL);
	if (named && memcmp(digest, named->digest, sizeof(digest)) == 0)
		return named;
	if (!named && map_count(c->named) >= NAMED_MAX)
		return NULL; /* more names than anybody has: the default serves */
	if (!named) {
		named = alloc_zero(1, sizeof(*named));
		map_put(c->named, name, named);
	}
	memcpy(named->digest, digest, sizeof(digest));
	if (tls_chains_parse(name, pem, &fresh, &err) < 0) {
		log_warn("chain for the server name %s: %s%s", name, err.text,
		    named->chains.count ? ": the one of before is used" : "");
		return named;
	}
	tls_chains_free(&named->chains);
	named->chains = fresh;
	return named;
}

/* The chains of a name; NULL: none, or they cannot be used. */
static const struct tls_chains *chains_for_name(struct tls_context *c, const char *name)
{
	struct named_chain *named = map_get(c->named, name);
	struct str pem = {0};

	switch (c->config.hooks.chain_for_name(c->config.hooks.name_arg, name, &pem)) {
	case TLS_NAMED:
		named = take_text(c, name, named, slice_of(str_text(&pem), pem.len));
		break;
	case TLS_NAMED_NONE:
		if (named) {
			map_remove(c->named, name);
			free_named(named);
		}
		named = NULL;
		break;
	case TLS_NAMED_TROUBLE:
		break;
	}
	if (pem.data)
		OPENSSL_cleanse(pem.data, pem.cap);
	str_fini(&pem);
	return named && named->chains.count ? &named->chains : NULL;
}

static int on_server_name(SSL *ssl, int *alert UNUSED, void *arg)
{
	struct tls_context *c = arg;
	struct tls_session *s = SSL_get_app_data(ssl);
	const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct tls_chains *chains;
	struct err err;

	if (!asked || !s || s->server_name)
		return SSL_TLSEXT_ERR_OK;
	s->server_name = arena_strdup(&s->arena, asked);
	text_lower(s->server_name);
	if (!name_is_plain(s->server_name)) {
		s->server_name = NULL;
		return SSL_TLSEXT_ERR_NOACK;
	}
	if (!c->config.hooks.chain_for_name)
		return SSL_TLSEXT_ERR_OK;
	chains = chains_for_name(c, s->server_name);
	if (!chains) {
		log_info(
		    "TLS SNI %s from %s not matched, using default chain", s->server_name, s->peer);
		return SSL_TLSEXT_ERR_OK;
	}
	s->named = tls_chains_use(chains, NULL, ssl, true, s->server_name, &err) == 0;
	if (!s->named)
		log_warn("%s: server name %s", s->peer, err.text);
	return SSL_TLSEXT_ERR_OK;
}

/* ---- tickets ------------------------------------------------------------------------------------
 */

static int init_ticket(const struct tls_context *c, struct tls_ticket_key *key, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(
	        OSSL_MAC_PARAM_KEY, key->mac_key, sizeof(key->mac_key)),
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};

	return EVP_CipherInit_ex2(cipher, c->ticket_cipher, key->cipher_key, iv, encrypt, NULL) &&
	       EVP_MAC_CTX_set_params(mac, params);
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int encrypt)
{
	struct tls_context *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct tls_server_hooks *hooks = &c->config.hooks;
	struct tls_ticket_key key;
	const struct tls_session *s = SSL_get_app_data(ssl);
	int found = hooks->ticket_key(hooks->arg, encrypt ? NULL : name, &key);

	if (found <= 0)
		return 0;
	if (encrypt) {
		int iv_len = EVP_CIPHER_get_iv_length(c->ticket_cipher);

		memcpy(name, key.name, TLS_TICKET_NAME);
		if (RAND_bytes(iv, iv_len) != 1)
			found = -1;
	}
	if (found > 0 && !init_ticket(c, &key, iv, cipher, mac, encrypt))
		found = -1;
	if (s && s->log_level >= 2)
		log_info("%s: %s session ticket, key expiration: %lld", s->peer,
		    encrypt ? "Issuing" : "Decrypting", (long long)key.current_until_s);
	OPENSSL_cleanse(&key, sizeof(key));
	/* TLS 1.3 gives out a new ticket anyway */
	if (!encrypt && found > 0 && SSL_version(ssl) == TLS1_3_VERSION)
		return 2;
	return found;
}

/* ---- sessions kept elsewhere
 * ---------------------------------------------------------------------- */

static void id_text(const unsigned char *id, size_t len, char out[2 * SESSION_ID_MAX + 1])
{
	static const char hex[] = "0123456789ABCDEF";

	len = MIN(len, SESSION_ID_MAX);
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex[id[i] >> 4];
		out[2 * i + 1] = hex[id[i] & 15];
	}
	out[2 * len] = '\0';
}

/* The cache is smtpd's, as far as a log's reader is concerned. */
static void log_cache(SSL *ssl, const char *done, const char *id, const char *where)
{
	const struct tls_session *s = SSL_get_app_data(ssl);

	if (s && s->log_level >= 2)
		log_info("%s: %s session %s %s smtpd cache", s->peer, done, id, where);
}

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_context *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	char id[2 * SESSION_ID_MAX + 1];
	unsigned char *der = NULL;
	unsigned id_len;
	const unsigned char *id_bytes = SSL_SESSION_get_id(session, &id_len);
	int len;

	id_text(id_bytes, id_len, id);
	len = id_len ? i2d_SSL_SESSION(session, &der) : 0;
	if (len > 0) {
		log_cache(ssl, "save", id, "to");
		c->config.hooks.session_put(
		    c->config.hooks.arg, id, slice_of((const char *)der, (size_t)len));
	}
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
	return 0;
}

static SSL_SESSION *on_get_session(SSL *ssl, const unsigned char *id_bytes, int len, int *copy)
{
	struct tls_context *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	char id[2 * SESSION_ID_MAX + 1];
	SSL_SESSION *session = NULL;
	struct str bytes = {0};

	*copy = 0;
	id_text(id_bytes, (size_t)len, id);
	log_cache(ssl, "looking up", id, "in");
	if (c->config.hooks.session_get(c->config.hooks.arg, id, &bytes)) {
		const unsigned char *der = (const unsigned char *)str_text(&bytes);

		session = d2i_SSL_SESSION(NULL, &der, (long)bytes.len);
		if (session)
			log_cache(ssl, "reloaded", id, "from");
	}
	str_fini(&bytes);
	return session;
}

static void on_drop_session(SSL_CTX *ctx, SSL_SESSION *session)
{
	struct tls_context *c = SSL_CTX_get_app_data(ctx);
	char id[2 * SESSION_ID_MAX + 1];
	unsigned id_len;
	const unsigned char *id_bytes = SSL_SESSION_get_id(session, &id_len);

	id_text(id_bytes, id_len, id);
	if (id_len && c->config.hooks.session_drop)
		c->config.hooks.session_drop(c->config.hooks.arg, id);
}

/*
 * A session says whether the client's certificate was found good: it is resumed only by who asks
 * the same of clients.
 */
static void set_session_context(struct tls_context *c)
{
	const struct tls_context_config *config = &c->config;
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct str text = {0};
	unsigned len = 0;

	str_printf(&text, "%s\n%s\n%d %d %d %d", config->ca_file ? config->ca_file : "",
	    config->ca_path ? config->ca_path : "", config->verify_depth,
	    c->common.append_default_ca, config->ask_certificate, config->strong);
	if (EVP_Digest(text.data, text.len, digest, &len, EVP_sha256(), NULL) == 1)
		SSL_CTX_set_session_id_context(
		    c->ssl, digest, MIN(len, (unsigned)SSL_MAX_SID_CTX_LENGTH));
	str_fini(&text);
}

static void prepare_resumption(struct tls_context *c)
{
	const struct tls_server_hooks *hooks = &c->config.hooks;
	const char *cipher = c->common.session_ticket_cipher;
	bool tickets = c->config.session_timeout > 0 && *cipher;

	if (tickets && !tls_ticket_cipher_usable(cipher)) {
		log_warn("tls_session_ticket_cipher: invalid value: %s; session tickets disabled",
		    cipher);
		tickets = false;
	}

	set_session_context(c);
	SSL_CTX_set_timeout(c->ssl, c->config.session_timeout);
	SSL_CTX_set_num_tickets(c->ssl, tickets ? 1 : 0);
	if (!tickets)
		SSL_CTX_set_options(c->ssl, SSL_OP_NO_TICKET);
	if (tickets && hooks->ticket_key) {
		c->ticket_cipher = EVP_CIPHER_fetch(NULL, cipher, NULL);
		SSL_CTX_set_tlsext_ticket_key_evp_cb(c->ssl, on_ticket);
	}
	SSL_CTX_set_session_cache_mode(
	    c->ssl, c->config.always_session_ids && c->config.session_timeout > 0
	                ? SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL
	                : SSL_SESS_CACHE_OFF);
	if (c->config.session_timeout > 0 && hooks->session_put && hooks->session_get) {
		SSL_CTX_set_session_cache_mode(
		    c->ssl, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(c->ssl, on_new_session);
		SSL_CTX_sess_set_get_cb(c->ssl, on_get_session);
		SSL_CTX_sess_set_remove_cb(c->ssl, on_drop_session);
	}
}

void tls_server_prepare(struct tls_context *c)
{
	const char *file = c->config.ca_file;
	int ask = SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE;

	c->named = map_new();
	SSL_CTX_set_tlsext_servername_callback(c->ssl, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(c->ssl, c);
	if (c->config.require_certificate)
		ask |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	if (c->config.ask_certificate || c->config.require_certificate) {
		SSL_CTX_set_verify(c->ssl, ask, tls_judge_callback);
		if (file && *file)
			SSL_CTX_set_client_CA_list(c->ssl, SSL_load_client_CA_file(file));
	}
	/* TLS 1.3 has no anonymous ciphers */
	if (!SSL_CTX_get0_certificate(c->ssl))
		SSL_CTX_set_options(c->ssl, SSL_OP_NO_TLSv1_3);
	prepare_resumption(c);
}

struct tls_session *tls_server_begin(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct err *err)
{
	struct tls_session *s = tls_session_new(context, stream, config->peer, config->log_level);

	if (!s) {
		tls_err(err, "a TLS session");
		return NULL;
	}
	s->server = true;
	s->digest = arena_strdup(&s->arena, config->digest ? config->digest : "sha256");
	if (!context->config.strong && !context->config.require_certificate)
		SSL_set_security_level(s->ssl, 0);
	if (s->log_level >= 2)
		log_info("%s: TLS cipher list \"%s\"", s->peer, context->config.cipherlist);
	SSL_set_accept_state(s->ssl);
	return s;
}

enum tls_start tls_server_start(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct tls_session **out, struct err *err)
{
	*out = tls_server_begin(context, stream, config, err);
	return *out ? tls_session_handshake(out, err) : TLS_LOCAL;
}
