/* SPDX-License-Identifier: ISC */
#include "lib/tls/settings.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/tls/context.h"

static const char separators[] = ", \t\r\n:";

int tls_cipher_list(const struct tls_common *common, const char *grade, const char *const *excludes,
    size_t exclude_count, struct str *out, struct err *err)
{
	const struct {
		const char *name, *list;
	} grades[] = {
	    {"null", common->null_cipherlist},
	    {"export", common->export_cipherlist},
	    {"low", common->low_cipherlist},
	    {"medium", common->medium_cipherlist},
	    {"high", common->high_cipherlist},
	};
	const char *list = NULL;

	for (size_t i = 0; i < ARRAY_LEN(grades); i++)
		if (text_eq_nocase(grade, grades[i].name))
			list = grades[i].list;
	if (!list)
		return err_set(err, 0,
		    "\"%.100s\": expected a cipher grade: null, export, low, medium or high",
		    grade);
	str_put_text(out, list);
	for (size_t i = 0; i < exclude_count; i++) {
		const char *text = excludes[i] ? excludes[i] : "";

		for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
			size_t len = strcspn(text, separators);

			if (memchr("!+-@", text[0], 4))
				return err_set(err, 0,
				    "\"%.*s\": expected the name of a cipher or of a kind of "
				    "ciphers",
				    (int)len, text);
			str_printf(out, ":!%.*s", (int)len, text);
			text += len;
		}
	}
	return 0;
}

bool tls_digest_known(const char *name)
{
	EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);

	EVP_MD_free(md);
	return md != NULL;
}

bool tls_ticket_cipher_usable(const char *name)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	bool usable = cipher && EVP_CIPHER_get_key_length(cipher) <= TLS_TICKET_SECRET &&
	              EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CBC_MODE;

	EVP_CIPHER_free(cipher);
	ERR_clear_error();
	return usable;
}

struct option {
	const char *name;
	uint64_t bits;
};

static int parse_options(const char *text, const struct option *options, size_t count,
    const char *expected, uint64_t *out, struct err *err)
{
	int rc = 0;

	*out = 0;
	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		struct slice word = slice_of(text, strcspn(text, separators));
		size_t i = 0;

		text += word.len;
		if (word.len > 2 && word.data[0] == '0' && (word.data[1] | 32) == 'x') {
			char *end;

			*out |= strtoull(word.data, &end, 16);
			if (end == word.data + word.len)
				continue;
		} else {
			while (i < count && !slice_eq_nocase(word, options[i].name))
				i++;
			if (i < count) {
				*out |= options[i].bits;
				continue;
			}
		}
		rc = err_set(err, 0, "\"%.*s\": expected %s", SLICE_ARG(word), expected);
	}
	return rc;
}

int tls_ssl_options_parse(const char *text, uint64_t *out, struct err *err)
{
	static const struct option options[] = {
	    {"ENABLE_MIDDLEBOX_COMPAT", SSL_OP_ENABLE_MIDDLEBOX_COMPAT},
	    {"LEGACY_SERVER_CONNECT", SSL_OP_LEGACY_SERVER_CONNECT},
	    {"NO_TICKET", SSL_OP_NO_TICKET},
	    {"NO_COMPRESSION", SSL_OP_NO_COMPRESSION},
	    {"NO_RENEGOTIATION", SSL_OP_NO_RENEGOTIATION},
	    {"NO_SESSION_RESUMPTION_ON_RENEGOTIATION",
	        SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION},
	    {"PRIORITIZE_CHACHA", SSL_OP_PRIORITIZE_CHACHA},
	};

	return parse_options(text, options, ARRAY_LEN(options),
	    "an OpenSSL option such as NO_TICKET, NO_RENEGOTIATION, PRIORITIZE_CHACHA, or a "
	    "hexadecimal mask",
	    out, err);
}

int tls_workarounds_parse(const char *text, uint64_t *out, struct err *err)
{
	static const struct option options[] = {
	    {"CRYPTOPRO_TLSEXT_BUG", SSL_OP_CRYPTOPRO_TLSEXT_BUG},
	    {"DONT_INSERT_EMPTY_FRAGMENTS", SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS},
	    {"LEGACY_SERVER_CONNECT", SSL_OP_LEGACY_SERVER_CONNECT},
	    {"TLSEXT_PADDING", SSL_OP_TLSEXT_PADDING},
	    {"SAFARI_ECDHE_ECDSA_BUG", SSL_OP_SAFARI_ECDHE_ECDSA_BUG},
	    /* what OpenSSL has no longer */
	    {"MICROSOFT_SESS_ID_BUG", 0},
	    {"NETSCAPE_CHALLENGE_BUG", 0},
	    {"NETSCAPE_REUSE_CIPHER_CHANGE_BUG", 0},
	    {"SSLREF2_REUSE_CERT_TYPE_BUG", 0},
	    {"MICROSOFT_BIG_SSLV3_BUFFER", 0},
	    {"MSIE_SSLV2_RSA_PADDING", 0},
	    {"SSLEAY_080_CLIENT_DH_BUG", 0},
	    {"TLS_D5_BUG", 0},
	    {"TLS_BLOCK_PADDING_BUG", 0},
	    {"TLS_ROLLBACK_BUG", SSL_OP_TLS_ROLLBACK_BUG},
	    {"CVE-2005-2969", 0},
	    {"CVE-2010-4180", 0},
	};

	return parse_options(text, options, ARRAY_LEN(options),
	    "the name of a bug work-around of OpenSSL, or a hexadecimal mask", out, err);
}
