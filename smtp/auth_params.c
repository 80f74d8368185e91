/* SPDX-License-Identifier: ISC */
#include "smtp/auth_params.h"

#include "lib/base/attr.h"
#include "lib/sasl/mechanism.h"
#include "smtp/params.h"

#define P struct smtp_auth_params

/* clang-format off */
#define ROWS(x) \
	CONF_BOOL(P, enable, x "_sasl_auth_enable", "no", "Log in to servers for which smtp_sasl_password_maps has a login."), \
	CONF_TEXT(P, type, x "_sasl_type", "cyrus", "Accepted; the one client there is is built in."), \
	CONF_TEXT(P, path, x "_sasl_path", "", "Accepted; the client that is built in needs none."), \
	CONF_TEXT(P, password_maps, x "_sasl_password_maps", "", "Tables from sender, server or next hop to login name and password."), \
	CONF_TEXT(P, password_delimiter, x "_sasl_password_result_delimiter", ":", "What stands between login name and password."), \
	CONF_BOOL(P, sender_dependent, x "_sender_dependent_authentication", "no", "Look for a login by the sender first."), \
	CONF_TEXT(P, mechanism_filter, x "_sasl_mechanism_filter", "", "Mechanisms that may be used; empty: all."), \
	CONF_SET(P, security, x "_sasl_security_options", "noplaintext, noanonymous", sasl_security_names, "What a mechanism must give on a connection in plain text."), \
	CONF_SET(P, tls_security, x "_sasl_tls_security_options", "$" x "_sasl_security_options", sasl_security_names, "What a mechanism must give on a connection with TLS."), \
	CONF_SET(P, tls_verified_security, x "_sasl_tls_verified_security_options", "$" x "_sasl_tls_security_options", sasl_security_names, "What a mechanism must give where TLS proved who the server is."), \
	CONF_BOOL(P, soft_bounce, x "_sasl_auth_soft_bounce", "yes", "Defer mail, not return it, when a server refuses the login."), \
	CONF_TEXT(P, cache_name, x "_sasl_auth_cache_name", "", "Table in which refused logins are remembered, under data_directory."), \
	CONF_SECS(P, cache_time, x "_sasl_auth_cache_time", "90d", 0, 0, "How long a refused login is remembered."), \
	CONF_BOOL(P, send_dummy_mail_auth, x "_send_dummy_mail_auth", "no", "Say AUTH=<> with MAIL FROM behind a login."), \
	CONF_TEXT(P, token_maps, x "_sasl_token_maps", "", "Tables from login name to where its token comes from: file:/path or command:/path words."), \
	CONF_SECS(P, token_time_limit, x "_sasl_token_time_limit", "30s", 1, 0, "How long a program that gives a token may run."), \
	CONF_SECS(P, token_lifetime, x "_sasl_token_lifetime", "300s", 1, 0, "How long a program's token is used when it does not say."), \
	CONF_SECS(P, token_margin, x "_sasl_token_margin", "60s", 0, 0, "How long before its end a token is replaced.")

static const struct conf_param smtp_rows[] = {ROWS("smtp")};
static const struct conf_param lmtp_rows[] = {ROWS("lmtp")};
/* clang-format on */

const struct conf_table smtp_auth_params = {smtp_rows, ARRAY_LEN(smtp_rows)};
const struct conf_table lmtp_auth_params = {lmtp_rows, ARRAY_LEN(lmtp_rows)};
