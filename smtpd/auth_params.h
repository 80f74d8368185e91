/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_AUTH_PARAMS_H
#define SMTPD_AUTH_PARAMS_H

#include "lib/conf/conf.h"

/* What smtpd(8) reads from main.cf about logins of clients; the table is in smtpd/params.h. */
enum auth_type { AUTH_CYRUS, AUTH_DOVECOT, AUTH_TABLE };

struct smtpd_auth_params {
	bool enable, authenticated_header, broken_clients;
	int type; /* enum auth_type */
	const char *path, *cyrus_config_path, *local_domain, *service, *mechanism_filter,
	    *exceptions_networks;
	int security, tls_security; /* enum sasl_security */
	int response_limit;
	int time_limit; /* seconds that the server may take */
	const char *token_maps, *token_scope;
};

#endif
