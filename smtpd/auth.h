/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_AUTH_H
#define SMTPD_AUTH_H

#include "lib/auth/auth.h"
#include "smtpd/smtpd.h"

/* Logins of clients (RFC 4954): who may be told of AUTH, the command, and what it leads to. */
struct conf_report;

struct server_auth {
	struct auth *auth;
	const struct smtpd_auth_params *params;
	struct match_list *exceptions, *filter;
};

/* Problems that no single parameter shows, for "smtpd -C". */
void auth_check(const struct smtpd_config *config, const char *etc, struct conf_report *report);

/*
 * srv->auth: NULL when it is not enabled, or cannot be. Reads what only root may read, and maps
 * libraries that a chroot would hide: to be called before privileges are dropped. A second call
 * does nothing. etc is the folder of main.cf.
 */
void auth_open(struct smtpd *srv, const struct smtpd_config *config, const char *etc);
enum table_age auth_age(const struct smtpd *srv);
void auth_close(struct smtpd *srv);

/* For the row of EHLO: is there a mechanism for this client, now? And the names of them. */
bool auth_offered(struct session *s);
void auth_say(struct session *s, struct str *out);

/* The client is another one, or nobody has heard what it said before: the login is gone. */
void auth_forget(struct session *s);

/* MAIL AUTH=: NULL, or the reply. */
const char *auth_mail_option(struct session *s, struct slice value);

/* The line "(Authenticated sender: joe)" of Received:, when it is wanted, after its line break. */
void auth_received(const struct session *s, struct str *out);
/* ", sasl_method=..., sasl_username=..." of the line with client=. */
void auth_log(const struct session *s, struct str *out);

#endif
