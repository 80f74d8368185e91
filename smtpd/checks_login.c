/* SPDX-License-Identifier: ISC */
/* Restrictions about who the client has proved to be: a login, a certificate. */
#include "smtpd/restrict.h"
#include "smtpd/tls.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"

enum verdict check_sasl_authenticated(struct check *check)
{
	const struct session *s = check->s;

	/* without logins that of XCLIENT counts for nothing */
	return s->srv->access->sasl_enabled && *session_login(s) ? check_permit_client(check)
	                                                         : VERDICT_DUNNO;
}

enum verdict check_tls_all_clientcerts(struct check *check)
{
	return session_tls_ccert_trusted(check->s) ? check_permit_client(check) : VERDICT_DUNNO;
}

enum verdict check_tls_clientcerts(struct check *check)
{
	switch (session_tls_ccert_listed(check->s)) {
	case TABLE_FOUND:
		return check_permit_client(check);
	case TABLE_ERROR: /* whom we would refuse is not known */
		return check_table_trouble(check, check->name);
	case TABLE_NOT_FOUND:
		break;
	}
	return VERDICT_DUNNO;
}

/* ---- senders and their owners --------------------------------------------------------------- */

/* Who may use the sender address, as a list of logins. */
static enum table_answer owners_of(struct session *s, struct str *out, struct err *err)
{
	struct target *sender = &s->tx.sender;
	struct table_chain *maps = s->srv->access->login_maps;
	const char *domain = NULL;
	struct slice local;
	bool is_local = transaction_resolve(s, sender) && sender->route.class_ == ROUTE_LOCAL;

	if (sender->state != TARGET_RESOLVED) {
		err_set(err, 0, "%s has no route", sender->given);
		return TABLE_ERROR;
	}
	address_split(sender->route.recipient, &local, &domain);
	is_local = is_local || (domain && text_eq_nocase(domain, s->srv->config->core->myorigin));
	return table_chain_get_address(maps, sender->route.recipient,
	    s->srv->config->core->recipient_delimiter, is_local, out, err);
}

static bool is_among(const char *owners, const char *login)
{
	struct slice item;

	while (table_list_next(&owners, &item))
		if (slice_eq_nocase(item, login))
			return true;
	return false;
}

enum verdict check_without_sasl(struct check *check)
{
	log_warn("restriction `%s' ignored: no SASL support", check->kind->name);
	return VERDICT_DUNNO;
}

enum verdict check_login_mismatch(struct check *check)
{
	struct session *s = check->s;
	const char *login = session_login(s), *sender = s->tx.sender.given;
	const int data = check->kind->data;
	struct str owners = {0};
	struct err err = {0};
	enum table_answer answer;
	enum verdict verdict = VERDICT_DUNNO;

	if (!s->srv->access->sasl_enabled)
		return check_without_sasl(check);
	if (!sender || !*sender || !(data & (*login ? LOGIN_MISMATCH_AUTH : LOGIN_MISMATCH_NONE)))
		return VERDICT_DUNNO;
	answer = owners_of(s, &owners, &err);
	if (answer == TABLE_ERROR) {
		log_warn("smtpd_sender_login_maps: %s", err.text);
		verdict = check_table_trouble(check, sender);
	} else if (!*login && answer == TABLE_FOUND) {
		verdict = check_refuse(
		    check, 553, "5.7.1", "<%s>: Sender address rejected: not logged in", sender);
	} else if (*login && !(answer == TABLE_FOUND && is_among(str_text(&owners), login)) &&
	           !(answer == TABLE_NOT_FOUND && data & LOGIN_MISMATCH_UNKNOWN_OK)) {
		verdict = check_refuse(check, 553, "5.7.1",
		    "<%s>: Sender address rejected: not owned by user %s", sender, login);
	}
	str_fini(&owners);
	return verdict;
}
