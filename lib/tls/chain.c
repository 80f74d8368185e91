/* SPDX-License-Identifier: ISC */
/*
 * Own keys and certificates. A PEM text is read block by block: a private key begins a chain, the
 * first certificate behind it is its own, the others are its issuers'.
 */
#include "lib/tls/internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/sys/fd.h"

enum { PEM_FILE_MAX = 4 * 1024 * 1024, CHAINS_MAX = 16, ISSUERS_MAX = 32 };

void tls_chains_free(struct tls_chains *chains)
{
	for (size_t i = 0; i < chains->count; i++) {
		EVP_PKEY_free(chains->items[i].key);
		X509_free(chains->items[i].leaf);
		sk_X509_pop_free(chains->items[i].issuers, X509_free);
	}
	free(chains->items);
	*chains = (struct tls_chains){NULL, 0};
}

static struct tls_chain *add_chain(struct tls_chains *chains, EVP_PKEY *key)
{
	struct tls_chain *chain;

	chains->items = alloc_array(chains->items, chains->count + 1, sizeof(*chains->items));
	chain = &chains->items[chains->count++];
	*chain = (struct tls_chain){.key = key, .issuers = sk_X509_new_null()};
	return chain;
}

static int add_cert(struct tls_chain *chain, X509 *cert, const char *name, struct err *err)
{
	if (!chain->leaf) {
		chain->leaf = cert;
		if (chain->key && X509_check_private_key(cert, chain->key) != 1)
			return tls_err(err, "%s: the certificate does not belong to the key", name);
		return 0;
	}
	if (sk_X509_num(chain->issuers) >= ISSUERS_MAX || !sk_X509_push(chain->issuers, cert)) {
		X509_free(cert);
		return err_set(err, 0, "%s: too many certificates in one chain", name);
	}
	return 0;
}

/* Which blocks of a text count: of a pair, the key of one file and the certificates of the other.
 */
enum { TAKE_KEYS = 1 << 0, TAKE_CERTS = 1 << 1 };

static bool is_key_block(const char *type)
{
	size_t len = strlen(type), suffix = strlen("PRIVATE KEY");

	return len >= suffix && strcmp(type + len - suffix, "PRIVATE KEY") == 0;
}

static int take_key(struct tls_chains *chains, const char *type, const unsigned char *der, long len,
    const char *name, struct err *err)
{
	EVP_PKEY *key;

	if (strncmp(type, "ENCRYPTED", 9) == 0)
		return err_set(
		    err, 0, "%s: the key has a pass phrase: nobody is there to say it", name);
	if (chains->count && !chains->items[chains->count - 1].leaf)
		return err_set(err, 0, "%s: a key without a certificate behind it", name);
	if (chains->count >= CHAINS_MAX)
		return err_set(err, 0, "%s: too many keys", name);
	key = d2i_AutoPrivateKey(NULL, &der, len);
	if (!key)
		return tls_err(err, "%s: cannot read the key", name);
	add_chain(chains, key);
	return 0;
}

static int take_cert(struct tls_chains *chains, bool aux, const unsigned char *der, long len,
    const char *name, struct err *err)
{
	X509 *cert;

	if (chains->count == 0)
		return err_set(err, 0,
		    "%s: a certificate comes before its key; expected the private key first, then "
		    "its certificate, then those of its issuers",
		    name);
	cert = aux ? d2i_X509_AUX(NULL, &der, len) : d2i_X509(NULL, &der, len);
	if (!cert)
		return tls_err(err, "%s: cannot read the certificate", name);
	return add_cert(&chains->items[chains->count - 1], cert, name, err);
}

static int take_block(struct tls_chains *chains, int take, const char *type,
    const unsigned char *der, long len, const char *name, struct err *err)
{
	if (is_key_block(type))
		return take & TAKE_KEYS ? take_key(chains, type, der, len, name, err) : 0;
	if (!(take & TAKE_CERTS))
		return 0;
	if (strcmp(type, PEM_STRING_X509) == 0 || strcmp(type, PEM_STRING_X509_OLD) == 0)
		return take_cert(chains, false, der, len, name, err);
	if (strcmp(type, PEM_STRING_X509_TRUSTED) == 0)
		return take_cert(chains, true, der, len, name, err);
	return 0; /* EC PARAMETERS, DH PARAMETERS */
}

static int parse_bio(
    struct tls_chains *chains, int take, BIO *bio, const char *name, struct err *err)
{
	for (;;) {
		char *type = NULL, *header = NULL;
		unsigned char *der = NULL;
		long len;
		int rc;

		if (!PEM_read_bio(bio, &type, &header, &der, &len)) {
			if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
				ERR_clear_error();
				return 0;
			}
			return tls_err(err, "%s: not PEM", name);
		}
		rc = take_block(chains, take, type, der, len, name, err);
		OPENSSL_free(type);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len);
		if (rc < 0)
			return -1;
	}
}

static int parse_blocks(
    struct tls_chains *chains, int take, const char *name, struct slice pem, struct err *err)
{
	BIO *bio = pem.len <= PEM_FILE_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
	int rc;

	if (!bio)
		return err_set(err, 0, "%s: too large", name);
	rc = parse_bio(chains, take, bio, name, err);
	BIO_free(bio);
	return rc;
}

static int check_whole(const struct tls_chains *chains, const char *name, struct err *err)
{
	if (chains->count == 0)
		return err_set(err, 0, "%s: no private key in it", name);
	if (!chains->items[chains->count - 1].leaf)
		return err_set(err, 0, "%s: no certificate in it for its key", name);
	return 0;
}

int tls_chains_parse(const char *name, struct slice pem, struct tls_chains *out, struct err *err)
{
	int rc;

	*out = (struct tls_chains){NULL, 0};
	rc = parse_blocks(out, TAKE_KEYS | TAKE_CERTS, name, pem, err);
	if (rc == 0)
		rc = check_whole(out, name, err);
	if (rc < 0)
		tls_chains_free(out);
	return rc;
}

int tls_chains_use(const struct tls_chains *chains, SSL_CTX *ctx, SSL *ssl, bool over,
    const char *name, struct err *err)
{
	for (size_t i = 0; i < chains->count; i++) {
		const struct tls_chain *c = &chains->items[i];
		int ok = ctx ? SSL_CTX_use_cert_and_key(ctx, c->leaf, c->key, c->issuers, over)
		             : SSL_use_cert_and_key(ssl, c->leaf, c->key, c->issuers, over);

		if (ok != 1 &&
		    ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_NOT_REPLACING_CERTIFICATE)
			return tls_err(err,
			    "%s: a second key of one kind (%s): expected one each of RSA, ECDSA, "
			    "Ed25519, Ed448",
			    name, EVP_PKEY_get0_type_name(c->key));
		if (ok != 1)
			return tls_err(err, "%s: cannot be used", name);
	}
	return 0;
}

struct tls_file_stamp tls_stamp_of(const char *path)
{
	struct tls_file_stamp stamp = {.path = path};
	struct stat st;

	if (stat(path, &st) == 0) {
		stamp.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
		stamp.size = st.st_size;
		stamp.inode = st.st_ino;
	}
	return stamp;
}

void tls_context_stamp(struct tls_context *context, const char *path)
{
	context->stamps =
	    alloc_array(context->stamps, context->stamp_count + 1, sizeof(*context->stamps));
	context->stamps[context->stamp_count++] = tls_stamp_of(path);
}

static int read_pem(struct tls_context *context, const char *path, struct str *out, struct err *err)
{
	tls_context_stamp(context, path);
	str_clear(out);
	return fd_read_file(path, PEM_FILE_MAX, out, err);
}

static void wipe(struct str *pem)
{
	if (pem->data)
		OPENSSL_cleanse(pem->data, pem->cap);
	str_fini(pem);
}

static void note_expiry(struct tls_context *context, const X509 *cert)
{
	int days, secs;
	int64_t at;

	if (!ASN1_TIME_diff(&days, &secs, NULL, X509_get0_notAfter(cert)))
		return;
	at = (int64_t)time(NULL) + (int64_t)days * 86400 + secs;
	if (!context->first_expiry || at < context->first_expiry)
		context->first_expiry = at;
}

/* The chain as chain files have it. */
static bool put_chain(const struct tls_chain *chain, struct str *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;
	bool ok = bio && PEM_write_bio_PrivateKey(bio, chain->key, NULL, NULL, 0, NULL, NULL) &&
	          PEM_write_bio_X509(bio, chain->leaf);

	for (int i = 0; ok && i < sk_X509_num(chain->issuers); i++)
		ok = PEM_write_bio_X509(bio, sk_X509_value(chain->issuers, i));
	len = ok ? BIO_get_mem_data(bio, &text) : 0;
	if (len > 0) {
		str_put(out, text, (size_t)len);
		OPENSSL_cleanse(text, (size_t)len);
	}
	BIO_free(bio);
	return ok;
}

static int use_chains(
    struct tls_context *context, struct tls_chains *chains, const char *name, struct err *err)
{
	struct str *text_out = context->config.chain_text_out;
	int rc = check_whole(chains, name, err);

	if (rc == 0)
		rc = tls_chains_use(
		    chains, context->ssl, NULL, context->config.chain_file_count == 0, name, err);
	for (size_t i = 0; rc == 0 && i < chains->count; i++) {
		note_expiry(context, chains->items[i].leaf);
		if (text_out && !put_chain(&chains->items[i], text_out))
			rc = tls_err(err, "%s: cannot be written", name);
	}
	tls_chains_free(chains);
	context->has_chain = true;
	return rc;
}

static int load_pair(
    struct tls_context *context, const char *cert_file, const char *key_file, struct err *err)
{
	struct tls_chains chains = {NULL, 0};
	struct str pem = {0};
	int rc = read_pem(context, key_file, &pem, err);

	if (rc == 0)
		rc = parse_blocks(
		    &chains, TAKE_KEYS, key_file, slice_of(str_text(&pem), pem.len), err);
	if (rc == 0 && chains.count != 1)
		rc = err_set(err, 0, "%s: expected one private key in it", key_file);
	if (rc == 0)
		rc = read_pem(context, cert_file, &pem, err);
	if (rc == 0)
		rc = parse_blocks(
		    &chains, TAKE_CERTS, cert_file, slice_of(str_text(&pem), pem.len), err);
	wipe(&pem);
	if (rc == 0)
		return use_chains(context, &chains, cert_file, err);
	tls_chains_free(&chains);
	return rc;
}

/* A chain may go on in the next file: its key in one, its certificates in another. */
static int load_chain_files(struct tls_context *context, struct err *err)
{
	const struct tls_context_config *config = &context->config;
	struct tls_chains chains = {NULL, 0};
	struct str pem = {0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < config->chain_file_count; i++) {
		const char *path = config->chain_files[i];

		rc = read_pem(context, path, &pem, err);
		if (rc == 0)
			rc = parse_blocks(&chains, TAKE_KEYS | TAKE_CERTS, path,
			    slice_of(str_text(&pem), pem.len), err);
	}
	wipe(&pem);
	if (rc == 0)
		return use_chains(
		    context, &chains, config->chain_files[config->chain_file_count - 1], err);
	tls_chains_free(&chains);
	return rc;
}

static int use_text(struct tls_context *context, const struct str *text, struct err *err)
{
	const struct tls_context_config *config = &context->config;
	struct tls_chains chains = {NULL, 0};

	for (size_t i = 0; i < config->chain_file_count; i++)
		tls_context_stamp(context, config->chain_files[i]);
	for (size_t i = 0; !config->chain_file_count && i < TLS_PAIRS_MAX; i++) {
		if (config->pairs[i].key_file && *config->pairs[i].key_file)
			tls_context_stamp(context, config->pairs[i].key_file);
		if (config->pairs[i].cert_file && *config->pairs[i].cert_file)
			tls_context_stamp(context, config->pairs[i].cert_file);
	}
	if (parse_blocks(&chains, TAKE_KEYS | TAKE_CERTS, "kept chains",
	        slice_of(str_text(text), text->len), err) < 0) {
		tls_chains_free(&chains);
		return -1;
	}
	return use_chains(context, &chains, "kept chains", err);
}

int tls_context_load_chains(struct tls_context *context, struct err *err)
{
	const struct tls_context_config *config = &context->config;

	if (config->chain_text)
		return use_text(context, config->chain_text, err);
	if (config->chain_file_count)
		return load_chain_files(context, err);
	for (size_t i = 0; i < TLS_PAIRS_MAX; i++) {
		const char *cert = config->pairs[i].cert_file, *key = config->pairs[i].key_file;

		if (!cert || !*cert)
			continue;
		if (load_pair(context, cert, key && *key ? key : cert, err) < 0)
			return -1;
	}
	return 0;
}
