/* SPDX-License-Identifier: ISC */
/* Restrictions about who the client has proved to be: a login, a certificate. */
#include "smtpd/restrict.h"

#include <string.h>

#include "lib/base/log.h"

enum verdict check_sasl_authenticated(struct check *check)
{
	return *session_login(check->s) ? check_permit(check) : VERDICT_DUNNO;
}

enum verdict check_tls_all_clientcerts(struct check *check)
{
	struct tls_facts tls;

	session_tls_facts(check->s, &tls);
	return tls.trusted ? check_permit(check) : VERDICT_DUNNO;
}

enum verdict check_tls_clientcerts(struct check *check)
{
	struct table_chain *certs = check->s->srv->access->relay_clientcerts;
	struct str value = {0};
	struct tls_facts tls;
	struct err err = {0};
	enum table_answer answer = TABLE_NOT_FOUND;

	session_tls_facts(check->s, &tls);
	if (!*tls.fingerprint || table_chain_empty(certs))
		return VERDICT_DUNNO;
	answer = table_chain_get(certs, tls.fingerprint, &value, &err);
	if (answer == TABLE_NOT_FOUND && *tls.pubkey_fingerprint)
		answer = table_chain_get(certs, tls.pubkey_fingerprint, &value, &err);
	str_fini(&value);
	if (answer == TABLE_FOUND)
		return check_permit(check);
	if (answer == TABLE_NOT_FOUND)
		return VERDICT_DUNNO;
	/* nobody knows whether a later refusal would be right */
	log_warn("relay_clientcerts: lookup error for fingerprint '%s', pkey fingerprint %s",
	    tls.fingerprint, tls.pubkey_fingerprint);
	return check_broken(check, "4.3.0", "<%s>: Temporary lookup failure", check->name);
}
