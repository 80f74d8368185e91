/* SPDX-License-Identifier: ISC */
#include "lib/tls/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <limits.h>
#include <string.h>

#include "lib/tls/internal.h"

static const EVP_MD *algorithm(enum digest_kind kind)
{
	switch (kind) {
	case DIGEST_MD5:
		return EVP_md5();
	case DIGEST_SHA1:
		return EVP_sha1();
	default:
		return EVP_sha256();
	}
}

int digest_load(struct err *err)
{
	return tls_lazy_open(err);
}

size_t digest_len(enum digest_kind kind)
{
	return kind == DIGEST_MD5 ? 16 : kind == DIGEST_SHA1 ? 20 : 32;
}

/* libcrypto does not take NULL for an empty text everywhere */
static const void *bytes(struct slice text)
{
	return text.len ? text.data : "";
}

int digest_hash(enum digest_kind kind, struct slice data, unsigned char *out)
{
	return EVP_Digest(bytes(data), data.len, out, NULL, algorithm(kind), NULL) == 1 ? 0 : -1;
}

int digest_hmac(enum digest_kind kind, struct slice key, struct slice data, unsigned char *out)
{
	if (key.len > INT_MAX)
		return -1;
	return HMAC(algorithm(kind), bytes(key), (int)key.len, bytes(data), data.len, out, NULL)
	           ? 0
	           : -1;
}

int digest_pbkdf2(enum digest_kind kind, struct slice password, struct slice salt, int iterations,
    unsigned char *out)
{
	if (password.len > INT_MAX || salt.len > INT_MAX || iterations < 1)
		return -1;
	return PKCS5_PBKDF2_HMAC(bytes(password), (int)password.len, bytes(salt), (int)salt.len,
	           iterations, algorithm(kind), (int)digest_len(kind), out) == 1
	           ? 0
	           : -1;
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a, *y = b;
	volatile unsigned char differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= x[i] ^ y[i];
	return differ == 0;
}

void digest_wipe(void *data, size_t len)
{
	if (len)
		explicit_bzero(data, len);
}
