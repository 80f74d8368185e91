/* SPDX-License-Identifier: ISC */
#include "lib/tls/internal.h"

#include <openssl/conf.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"

const struct tls_common tls_common_defaults = {
    .export_cipherlist = "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH",
    .low_cipherlist = "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH",
    .medium_cipherlist = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH",
    .high_cipherlist = "aNULL:-aNULL:HIGH:@STRENGTH",
    .null_cipherlist = "eNULL:!aNULL",
    .eecdh_strong_curve = "prime256v1",
    .eecdh_ultra_curve = "secp384r1",
    .eecdh_auto_curves = "X25519 X448 prime256v1 secp521r1 secp384r1",
    .ffdhe_auto_groups = "ffdhe2048 ffdhe3072",
    .ssl_options = "",
    .disable_workarounds = "",
    .dane_digests = "sha512 sha256",
    .session_ticket_cipher = "aes-256-cbc",
    .config_file = "default",
    .config_name = "",
    .wildcard_matches_multiple_labels = true,
    .fast_shutdown = true,
};

int tls_library_init(const struct tls_common *common, struct err *err)
{
	OPENSSL_INIT_SETTINGS *settings;
	uint64_t options = OPENSSL_INIT_LOAD_CONFIG;
	bool named = *common->config_file && strcmp(common->config_file, "default") != 0;
	int ok;

	if (tls_lazy_open(err) < 0)
		return -1;
	settings = OPENSSL_INIT_new();
	if (strcmp(common->config_file, "none") == 0)
		options = OPENSSL_INIT_NO_LOAD_CONFIG;
	else if (named)
		OPENSSL_INIT_set_config_filename(settings, common->config_file);
	if (*common->config_name)
		OPENSSL_INIT_set_config_appname(settings, common->config_name);
	ok = OPENSSL_init_ssl(options, settings);
	OPENSSL_INIT_free(settings);
	if (!ok)
		return tls_err(err, "tls_config_file: %s", common->config_file);
	ERR_clear_error();
	return 0;
}

void tls_library_errors(char *out, size_t size)
{
	unsigned long code;
	const char *data, *reason;
	int flags;
	size_t used = 0;

	out[0] = '\0';
	while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
		bool has_data = data && (flags & ERR_TXT_STRING) && *data;

		reason = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
		                                : ERR_reason_error_string(code);
		if (used >= size)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s%s%s", used ? ": " : "",
		    reason ? reason : "unknown error", has_data ? ": " : "", has_data ? data : "");
	}
}

void tls_library_warn(void)
{
	const char *file, *data;
	char text[256];
	int line, flags;
	unsigned long code;

	while ((code = ERR_get_error_all(&file, &line, NULL, &data, &flags)) != 0) {
		bool has_data = data && (flags & ERR_TXT_STRING);

		ERR_error_string_n(code, text, sizeof(text));
		log_warn("TLS library problem: %s:%s:%d:%s%s", text, file, line,
		    has_data ? data : "", has_data ? ":" : "");
	}
}

int tls_err(struct err *err, const char *fmt, ...)
{
	char text[256], why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tls_library_errors(why, sizeof(why));
	return err_set(err, 0, "%s%s%s", text, *why ? ": " : "", why);
}
