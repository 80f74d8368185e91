/* SPDX-License-Identifier: ISC */
/* What restrictions ask of a session's encryption and login. */
#include "smtpd/restrict.h"

void session_tls_facts(const struct session *s, struct tls_facts *out)
{
	(void)s;
	*out = (struct tls_facts){.protocol = "",
	    .cipher = "",
	    .subject = "",
	    .issuer = "",
	    .fingerprint = "",
	    .pubkey_fingerprint = ""};
}

const char *session_sasl_method(const struct session *s)
{
	return s->login ? s->login_method : "";
}

const char *session_sasl_sender(const struct session *s)
{
	(void)s;
	return "";
}
