/* SPDX-License-Identifier: ISC */
/* Who knows the users: which server or table that is, and that it is there. */
#include "smtpd/auth.h"

#include <stdlib.h>
#include <string.h>

#include "lib/auth/cyrus.h"
#include "lib/auth/dovecot.h"
#include "lib/auth/users.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/sys/clock.h"
#include "lib/tls/digest.h"

/* Who is to be asked. NULL with err: the settings are bad, or it is not to be had. */
static struct auth *new_backend(const struct smtpd_config *config, const char *etc, struct err *err)
{
	const struct smtpd_auth_params *p = &config->auth;
	const struct auth_users_config users = {.maps = p->path,
	    .token_maps = p->token_maps,
	    .token_scope = p->token_scope,
	    .domain = p->local_domain};
	struct auth_cyrus_config cyrus = {.application = p->path,
	    .hostname = config->core->myhostname,
	    .realm = p->local_domain,
	    .service = p->service,
	    .time_limit = p->time_limit};
	char *folders;
	struct auth *auth;

	switch ((enum auth_type)p->type) {
	case AUTH_TABLE:
		return auth_users_new(&users);
	case AUTH_DOVECOT:
		return auth_dovecot_new(p->path, clock_ms_of(p->time_limit));
	case AUTH_CYRUS:
		break;
	}
	folders = *p->cyrus_config_path ? alloc_strdup(p->cyrus_config_path)
	                                : alloc_printf("%s/sasl:/usr/lib/sasl2", etc);
	cyrus.config_path = folders;
	auth = auth_cyrus_new(&cyrus, err);
	free(folders);
	return auth;
}

/* What keeps logins from working, as far as the settings show it. */
static bool is_usable(const struct smtpd_auth_params *p, struct str *why)
{
	struct err err;

	if (p->type == AUTH_TABLE && !strchr(p->path, ':'))
		str_printf(why,
		    "smtpd_sasl_path = %s: expected tables of smtpd_users(5), such as "
		    "lmdb:/etc/postfix/smtpd_users, with smtpd_sasl_type = table",
		    p->path);
	else if (p->type == AUTH_DOVECOT && auth_dovecot_check(p->path, &err) < 0)
		str_printf(why, "smtpd_sasl_path = %s: %s", p->path, err.text);
	else if (p->type == AUTH_CYRUS && (!*p->path || strchr(p->path, '/')))
		str_printf(why,
		    "smtpd_sasl_path = %s: expected the name of a file, such as smtpd (for "
		    "smtpd.conf), with smtpd_sasl_type = cyrus",
		    p->path);
	return why->len == 0;
}

static void count_one(void *arg, const char *name, unsigned security)
{
	(void)name;
	(void)security;
	++*(size_t *)arg;
}

static void check_cyrus(
    const struct smtpd_config *config, const char *etc, struct conf_report *report)
{
	size_t count = 0;
	struct err err;
	struct auth *auth = new_backend(config, etc, &err);

	if (!auth) {
		conf_report_problem(report, "smtpd_sasl_type = cyrus: %s", err.text);
		return;
	}
	auth_mechanisms(auth, count_one, &count, &err);
	if (count == 0)
		conf_report_warning(report,
		    "smtpd_sasl_type = cyrus: no mechanisms: is the package "
		    "libsasl2-modules there, and what does mech_list say?");
	auth_free(&auth);
}

void auth_check(const struct smtpd_config *config, const char *etc, struct conf_report *report)
{
	struct str why = {0};

	if (config->auth.enable && !is_usable(&config->auth, &why))
		conf_report_problem(report, "%s", str_text(&why));
	else if (config->auth.enable && config->auth.type == AUTH_CYRUS)
		check_cyrus(config, etc, report);
	str_fini(&why);
}

void auth_open(struct smtpd *srv, const struct smtpd_config *config, const char *etc)
{
	const struct smtpd_auth_params *p = &config->auth;
	struct str why = {0};
	struct err err;
	struct auth *auth = NULL;

	if (srv->auth || !p->enable)
		return;
	/* a chroot would hide the library of the digests */
	if (p->type == AUTH_TABLE && digest_load(&err) < 0)
		log_warn("%s", err.text);
	if (is_usable(p, &why)) {
		auth = new_backend(config, etc, &err);
		if (!auth)
			str_put_text(&why, err.text);
	}
	if (auth) {
		srv->auth = alloc_zero(1, sizeof(*srv->auth));
		srv->auth->params = p;
		srv->auth->auth = auth;
		srv->auth->filter =
		    match_list_open("smtpd_sasl_mechanism_filter", p->mechanism_filter, 0);
		srv->auth->exceptions =
		    match_list_open("smtpd_sasl_exceptions_networks", p->exceptions_networks, 0);
	} else {
		log_warn("%s; nobody can log in", str_text(&why));
	}
	str_fini(&why);
}

enum table_age auth_age(const struct smtpd *srv)
{
	const struct server_auth *a = srv->auth;

	if (!a)
		return TABLE_FRESH;
	return MAX(auth_tables_age(a->auth),
	    MAX(match_list_age(a->filter), match_list_age(a->exceptions)));
}

void auth_close(struct smtpd *srv)
{
	if (!srv->auth)
		return;
	auth_free(&srv->auth->auth);
	match_list_close(&srv->auth->filter);
	match_list_close(&srv->auth->exceptions);
	free(srv->auth);
	srv->auth = NULL;
}
