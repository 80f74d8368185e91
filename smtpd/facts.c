/* SPDX-License-Identifier: ISC */
/* What policy services are told of a session's login. */
#include "smtpd/restrict.h"

const char *session_sasl_method(const struct session *s)
{
	return s->login ? s->login_method : "";
}

const char *session_sasl_sender(const struct session *s)
{
	(void)s;
	return "";
}
