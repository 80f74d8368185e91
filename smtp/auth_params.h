/* SPDX-License-Identifier: ISC */
#ifndef SMTP_AUTH_PARAMS_H
#define SMTP_AUTH_PARAMS_H

#include "lib/conf/conf.h"

/* What smtp(8) and lmtp(8) read from main.cf to log in; the tables are in smtp/params.h. */
struct smtp_auth_params {
	bool enable, sender_dependent, soft_bounce, send_dummy_mail_auth;
	const char *type, *path;
	const char *password_maps, *password_delimiter, *mechanism_filter;
	/* enum sasl_security, by how safe the connection is */
	int security, tls_security, tls_verified_security;
	const char *cache_name; /* of logins that failed; "" : none */
	int cache_time;         /* seconds */
	const char *token_maps;
	int token_time_limit; /* seconds that a program may take */
	int token_lifetime;   /* seconds, when nothing is said of a token's */
	int token_margin;     /* seconds before its end in which a token is not used any more */
};

#endif
