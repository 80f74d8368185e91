/* SPDX-License-Identifier: ISC */
#include "lib/tls/context.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/sys/clock.h"
#include "lib/tls/internal.h"

static const char separators[] = ", \t\r\n:";

/* ---- algorithms ------------------------------------------------------------------------------ */

/* A group that this OpenSSL has not is left out: one list serves all versions of it. */
static void add_groups(SSL_CTX *ssl, const char *names, bool warn, struct str *list)
{
	for (names += strspn(names, separators); *names; names += strspn(names, separators)) {
		size_t len = strcspn(names, separators);
		char name[64];

		if (len < sizeof(name)) {
			memcpy(name, names, len);
			name[len] = '\0';
			if (SSL_CTX_set1_groups_list(ssl, name) == 1)
				str_printf(list, "%s%s", list->len ? ":" : "", name);
			else if (warn)
				log_warn("ignoring unknown ECDHE curve \"%s\"", name);
		}
		names += len;
	}
	ERR_clear_error();
}

static int set_groups(struct tls_context *c, struct err *err)
{
	struct str list = {0};
	int rc = 0;

	/* no curves at all would be nobody's wish: the library has its own */
	add_groups(c->ssl, c->common.eecdh_auto_curves, true, &list);
	if (list.len > 0)
		add_groups(c->ssl, c->common.ffdhe_auto_groups, false, &list);
	if (list.len && SSL_CTX_set1_groups_list(c->ssl, list.data) != 1)
		rc = tls_err(err, "tls_eecdh_auto_curves: %s", str_text(&list));
	str_fini(&list);
	return rc;
}

/* A file that is of no use is said in the log: the library's choice is as good, or better. */
static EVP_PKEY *read_dh(struct tls_context *c, const char *path)
{
	BIO *bio = BIO_new_file(path, "r");
	EVP_PKEY *params;

	tls_context_stamp(c, path);
	if (!bio) {
		log_warn("error opening DH parameter file \"%s\": %s -- using compiled-in defaults",
		    path, strerror(errno));
		ERR_clear_error();
		return NULL;
	}
	params = PEM_read_bio_Parameters(bio, NULL);
	BIO_free(bio);
	if (!params || EVP_PKEY_get_base_id(params) != EVP_PKEY_DH) {
		log_warn("error decoding DH parameters from file \"%s\" -- using compiled-in "
		         "defaults",
		    path);
		ERR_clear_error();
		EVP_PKEY_free(params);
		return NULL;
	}
	return params;
}

static void set_dh(struct tls_context *c)
{
	const char *path = c->config.dh_file;
	int level = SSL_CTX_get_security_level(c->ssl);
	EVP_PKEY *params = NULL;

	if (path && *path && !text_eq_nocase(path, "auto"))
		params = read_dh(c, path);
	if (!params) {
		SSL_CTX_set_dh_auto(c->ssl, 1);
		return;
	}
	/* small ones are the administrator's wish; sessions are made at this level, too */
	SSL_CTX_set_security_level(c->ssl, 0);
	if (SSL_CTX_set0_tmp_dh_pkey(c->ssl, params) != 1) {
		EVP_PKEY_free(params);
		log_warn("DH parameters of file \"%s\" cannot be used", path);
		tls_library_warn();
		SSL_CTX_set_dh_auto(c->ssl, 1);
	}
	SSL_CTX_set_security_level(c->ssl, level);
}

/* A name that this OpenSSL has not is no reason to do without TLS. */
static void set_options(struct tls_context *c)
{
	uint64_t disabled, wanted, options = SSL_OP_ALL;
	struct err err;

	if (tls_workarounds_parse(c->common.disable_workarounds, &disabled, &err) < 0)
		log_warn("tls_disable_workarounds: %s", err.text);
	if (tls_ssl_options_parse(c->common.ssl_options, &wanted, &err) < 0)
		log_warn("tls_ssl_options: %s", err.text);
	options = (options & ~disabled) | wanted;
	options |= SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION;
	if (c->common.preempt_cipherlist)
		options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
	if (tls_kernel_available(NULL))
		options |= SSL_OP_ENABLE_KTLS;
	else
		SSL_CTX_set_read_ahead(c->ssl, 1); /* a record is then one system call, not two */
	SSL_CTX_set_options(c->ssl, options);
	SSL_CTX_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
	                             SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                             SSL_MODE_RELEASE_BUFFERS);
}

static int set_ciphers(struct tls_context *c, struct err *err)
{
	const char *list = c->config.cipherlist;

	if (list && *list && SSL_CTX_set_cipher_list(c->ssl, list) != 1)
		return tls_err(err, "cipher list \"%.150s\"", list);
	SSL_CTX_set_options(c->ssl, tls_protocol_options(&c->config.protocols));
	if (!SSL_CTX_set_min_proto_version(c->ssl, c->config.protocols.min) ||
	    !SSL_CTX_set_max_proto_version(c->ssl, c->config.protocols.max))
		return tls_err(err, "protocols");
	return 0;
}

/* ---- trust ------------------------------------------------------------------------------------
 */

static int set_trust(struct tls_context *c, struct err *err)
{
	const char *file = c->config.ca_file && *c->config.ca_file ? c->config.ca_file : NULL;
	const char *path = c->config.ca_path && *c->config.ca_path ? c->config.ca_path : NULL;

	SSL_CTX_set_verify_depth(c->ssl, c->config.verify_depth);
	if (!file && !path)
		return 0;
	if (file) {
		tls_context_stamp(c, file);
		if (SSL_CTX_load_verify_file(c->ssl, file) != 1)
			return tls_err(err, "%s: cannot read the CA certificates", file);
	}
	if (path && SSL_CTX_load_verify_dir(c->ssl, path) != 1)
		return tls_err(err, "%s: cannot use the folder of CA certificates", path);
	if (c->common.append_default_ca && SSL_CTX_set_default_verify_paths(c->ssl) != 1)
		return tls_err(err, "the system's CA certificates");
	c->has_anchors = true;
	return 0;
}

/* The order of the names is the order of preference; a digest not named does not count. */
static void set_dane_digests(struct tls_context *c)
{
	static const struct {
		const char *name;
		uint8_t matching;
	} known[] = {{"sha256", 1}, {"sha512", 2}};
	const char *names = c->common.dane_digests;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		SSL_CTX_dane_mtype_set(c->ssl, NULL, known[i].matching, 0);
	for (uint8_t rank = 100; *(names += strspn(names, separators)) && rank > 0; rank--) {
		struct slice name = slice_of(names, strcspn(names, separators));

		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			if (slice_eq_nocase(name, known[i].name))
				SSL_CTX_dane_mtype_set(c->ssl, EVP_get_digestbyname(known[i].name),
				    known[i].matching, rank);
		names += name.len;
	}
}

/* What a client needs beside the rest. */
static int prepare_client(struct tls_context *c, struct err *err)
{
	if (SSL_CTX_dane_enable(c->ssl) != 1)
		return tls_err(err, "DANE");
	set_dane_digests(c);
	SSL_CTX_dane_set_flags(c->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ssl, tls_client_new_session);
	return 0;
}

/* ---- identity -----------------------------------------------------------------------------------
 */

static void make_identity(struct tls_context *c)
{
	const X509 *own = SSL_CTX_get0_certificate(c->ssl);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct str text = {0};

	str_printf(&text, "%s %s %d %d %d ", c->config.ca_file ? c->config.ca_file : "",
	    c->config.ca_path ? c->config.ca_path : "", c->common.append_default_ca,
	    c->config.verify_depth, c->common.wildcard_matches_multiple_labels);
	for (size_t i = 0; i < c->stamp_count; i++)
		str_printf(&text, "%lld %lld %llu ", (long long)c->stamps[i].mtime_ns,
		    (long long)c->stamps[i].size, (unsigned long long)c->stamps[i].inode);
	if (own && X509_digest(own, EVP_sha256(), digest, &len))
		str_put(&text, digest, len);
	EVP_Digest(text.data, text.len, digest, &len, EVP_sha256(), NULL);
	str_clear(&text);
	for (unsigned i = 0; i < 12 && i < len; i++)
		str_printf(&text, "%02x", digest[i]);
	c->identity = str_steal(&text);
}

const char *tls_context_identity(const struct tls_context *c)
{
	return c->identity;
}

bool tls_context_stale(struct tls_context *c, int every_ms)
{
	int64_t now = clock_mono_ms();

	if (now - c->looked_ms < every_ms)
		return false;
	c->looked_ms = now;
	for (size_t i = 0; i < c->stamp_count; i++) {
		const struct tls_file_stamp *old = &c->stamps[i];
		struct stat st;

		/* gone: whoever renews it is in the middle of it */
		if (stat(old->path, &st) == 0 &&
		    ((int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec !=
		            old->mtime_ns ||
		        st.st_size != old->size || st.st_ino != old->inode))
			return true;
	}
	return false;
}

void tls_context_restamp(struct tls_context *c)
{
	for (size_t i = 0; i < c->stamp_count; i++)
		c->stamps[i] = tls_stamp_of(c->stamps[i].path);
}

bool tls_context_sees(const struct tls_context *c)
{
	struct stat st;

	for (size_t i = 0; i < c->stamp_count; i++)
		if (stat(c->stamps[i].path, &st) < 0)
			return false;
	return true;
}

bool tls_context_days_left(const struct tls_context *c, int *days_out)
{
	int64_t left = c->first_expiry - clock_wall_us() / 1000000;

	if (!c->first_expiry)
		return false;
	*days_out = (int)(left >= 0 ? left / 86400 : -1 - (-1 - left) / 86400);
	return true;
}

/* ---- new and free
 * -------------------------------------------------------------------------------- */

static int build(struct tls_context *c, struct err *err)
{
	if (tls_library_init(&c->common, err) < 0)
		return -1;
	c->ssl = SSL_CTX_new(c->config.server ? TLS_server_method() : TLS_client_method());
	if (!c->ssl)
		return tls_err(err, "OpenSSL");
	SSL_CTX_set_app_data(c->ssl, c);
	SSL_CTX_set_cert_verify_callback(c->ssl, tls_judge_chain, NULL);
	set_options(c);
	if (set_groups(c, err) < 0 || set_ciphers(c, err) < 0 || set_trust(c, err) < 0 ||
	    tls_context_load_chains(c, err) < 0)
		return -1;
	if (!c->config.server)
		return prepare_client(c, err);
	set_dh(c);
	tls_server_prepare(c);
	return 0;
}

int tls_context_new(
    const struct tls_context_config *config, struct tls_context **out, struct err *err)
{
	struct tls_context *c = alloc_zero(1, sizeof(*c));

	*out = NULL;
	c->config = *config;
	c->common = *config->common;
	c->config.common = &c->common;
	c->looked_ms = clock_mono_ms();
	if (build(c, err) < 0) {
		tls_context_free(&c);
		return -1;
	}
	c->config.chain_text = NULL;
	c->config.chain_text_out = NULL;
	make_identity(c);
	*out = c;
	return 0;
}

void tls_context_free(struct tls_context **context)
{
	struct tls_context *c = *context;

	if (!c)
		return;
	SSL_CTX_free(c->ssl);
	EVP_CIPHER_free(c->ticket_cipher);
	tls_server_forget_names(c);
	free(c->stamps);
	free(c->identity);
	free(c);
	*context = NULL;
}

/* ---- the kernel's TLS
 * ------------------------------------------------------------------------------ */

/* Only a connected socket can be asked. */
static int ask_kernel(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result = -1;

	if (listening >= 0 && fd >= 0 && bind(listening, (struct sockaddr *)&at, len) == 0 &&
	    listen(listening, 1) == 0 &&
	    getsockname(listening, (struct sockaddr *)&at, &len) == 0 &&
	    connect(fd, (struct sockaddr *)&at, len) == 0)
		result = setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls"));
	result = result == 0 ? 0 : errno;
	if (fd >= 0)
		close(fd);
	if (listening >= 0)
		close(listening);
	return result;
}

bool tls_kernel_available(const char **why_out)
{
	int refused = ask_kernel();

	if (why_out)
		*why_out = refused == 0        ? "the kernel does TLS records"
		           : refused == ENOENT ? "the kernel has no TLS module"
		                               : strerror(refused);
	return refused == 0;
}
