/* SPDX-License-Identifier: ISC */
#include "lib/tls/about.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>

const char *tls_about_build(void)
{
	return OPENSSL_VERSION_TEXT;
}

const char *tls_about_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

bool tls_about_has_key(const char *name)
{
	EVP_SIGNATURE *signature = EVP_SIGNATURE_fetch(NULL, name, NULL);

	EVP_SIGNATURE_free(signature);
	ERR_clear_error();
	return signature != NULL;
}
