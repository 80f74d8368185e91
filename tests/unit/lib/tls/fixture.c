/* SPDX-License-Identifier: ISC */
#include "fixture.h"

#include <check.h>
#include <dirent.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- certificates --------------------------------------------------------------------------- */

static EVP_PKEY *make_key(const char *kind)
{
	if (kind && strcmp(kind, "rsa") == 0)
		return EVP_RSA_gen(2048);
	if (kind && strcmp(kind, "ed25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_EC_gen("P-256");
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ck_assert_ptr_nonnull(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static void put_pem(struct str *out, EVP_PKEY *key, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	if (key)
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_X509(bio, cert);
	len = BIO_get_mem_data(bio, &data);
	str_put(out, data, (size_t)len);
	BIO_free(bio);
}

void cert_make(const struct cert_spec *spec, struct made_cert *out)
{
	static long serial = 1;
	EVP_PKEY *key = make_key(spec->key);
	X509 *cert = X509_new(), *issuer = spec->issuer ? spec->issuer->x509 : cert;
	EVP_PKEY *signer = spec->issuer ? spec->issuer->key : key;
	X509_NAME *name = X509_get_subject_name(cert);
	bool no_digest = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), (long)spec->from_days * 86400);
	X509_gmtime_adj(X509_getm_notAfter(cert), (long)spec->to_days * 86400);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)spec->cn, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	X509_set_pubkey(cert, key);
	add_extension(cert, issuer, NID_basic_constraints,
	    spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_extension(cert, issuer, NID_subject_key_identifier, "hash");
	if (spec->names)
		add_extension(cert, issuer, NID_subject_alt_name, spec->names);
	ck_assert_int_gt(X509_sign(cert, signer, no_digest ? NULL : EVP_sha256()), 0);
	*out = (struct made_cert){.key = key, .x509 = cert};
	put_pem(&out->pem, key, cert);
	put_pem(&out->cert, NULL, cert);
	if (spec->issuer)
		put_pem(&out->pem, NULL, issuer);
}

void cert_free(struct made_cert *cert)
{
	EVP_PKEY_free(cert->key);
	X509_free(cert->x509);
	str_fini(&cert->pem);
	str_fini(&cert->cert);
}

void cert_tlsa(const struct made_cert *cert, unsigned usage, unsigned selector, unsigned matching,
    unsigned char digest[64], struct tls_tlsa *out)
{
	unsigned char *der = NULL;
	int len = selector ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &der)
	                   : i2d_X509(cert->x509, &der);
	unsigned n = 0;

	EVP_Digest(der, (size_t)len, digest, &n, matching == 2 ? EVP_sha512() : EVP_sha256(), NULL);
	OPENSSL_free(der);
	*out = (struct tls_tlsa){usage, selector, matching, digest, n};
}

static char folder[64];

const char *scratch_folder(void)
{
	if (!folder[0]) {
		strcpy(folder, "/tmp/postern-tls-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(folder));
	}
	return folder;
}

void scratch_remove(void)
{
	struct dirent *entry;
	DIR *dir = folder[0] ? opendir(folder) : NULL;

	while (dir && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(folder);
	folder[0] = '\0';
}

const char *cert_file(const char *name, const struct str *pem)
{
	static char paths[64][128];
	static unsigned next;
	char *path = paths[next++ % 64];
	FILE *file;

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch_folder(), name);
	file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fwrite(pem->data, 1, pem->len, file);
	fclose(file);
	return path;
}

/* ---- contexts ------------------------------------------------------------------------------- */

static struct tls_context *make_context(
    struct tls_context_config *config, const char *chain, const char *ca)
{
	struct tls_context *context;
	struct err err = {.text = ""};
	const char *chains[1] = {chain};

	config->common = &tls_common_defaults;
	config->verify_depth = 9;
	config->cipherlist = tls_common_defaults.medium_cipherlist;
	config->ca_file = ca;
	config->chain_files = chains;
	config->chain_file_count = chain ? 1 : 0;
	ck_assert_msg(tls_context_new(config, &context, &err) == 0, "%s", err.text);
	return context;
}

struct tls_context *server_context(
    const char *chain, const char *ca, const struct tls_server_hooks *hooks)
{
	struct tls_context_config config = {
	    .server = true, .session_timeout = 3600, .ask_certificate = ca != NULL};

	if (hooks)
		config.hooks = *hooks;
	return make_context(&config, chain, ca);
}

struct tls_context *client_context(const char *chain, const char *ca)
{
	struct tls_context_config config = {0};

	return make_context(&config, chain, ca);
}

/* ---- two ends ------------------------------------------------------------------------------- */

static void *serve(void *arg)
{
	struct pair *p = arg;
	struct str line = {0};

	p->server_started = tls_server_start(
	    p->server_context, &p->server, &p->server_config, &p->server_session, &p->server_err);
	while (p->server_started == TLS_STARTED &&
	       stream_read_line(&p->server, &line, 1000, false) == IO_OK) {
		if (strcmp(str_text(&line), "drop") == 0) {
			shutdown(p->server.fd, SHUT_RDWR);
			break;
		}
		if (strcmp(str_text(&line), "quit") == 0) {
			tls_session_close(&p->server_session);
			shutdown(p->server.fd, SHUT_WR);
			break;
		}
		stream_printf(&p->server, "%s\n", str_text(&line));
		stream_flush(&p->server);
	}
	str_fini(&line);
	return NULL;
}

void pair_start(struct pair *p, struct tls_context *server, struct tls_context *client,
    const struct tls_client_config *config)
{
	pthread_t thread;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p->server_config = (struct tls_server_config){.peer = "client[192.0.2.1]"};
	p->server_context = server;
	stream_init(&p->client, fds[0], 5000);
	stream_init(&p->server, fds[1], 5000);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, p), 0);
	p->thread = thread;
	p->started = tls_client_start(client, &p->client, config, &p->session, &p->err);
	if (p->started != TLS_STARTED)
		shutdown(p->client.fd, SHUT_RDWR);
}

void pair_say(struct pair *p, const char *line)
{
	struct str answer = {0};

	stream_printf(&p->client, "%s\n", line);
	if (stream_read_line(&p->client, &answer, 1000, false) == IO_OK)
		ck_assert_str_eq(str_text(&answer), line);
	str_fini(&answer);
}

void pair_end(struct pair *p)
{
	tls_session_close(&p->session);
	shutdown(p->client.fd, SHUT_RDWR);
	pthread_join((pthread_t)p->thread, NULL);
	tls_session_free(&p->server_session);
	stream_fini(&p->client);
	stream_fini(&p->server);
}
