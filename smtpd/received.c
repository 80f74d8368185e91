/* SPDX-License-Identifier: ISC */
/* The Received: header of a message (RFC 5321 4.4). */
#include <string.h>
#include <time.h>

#include "lib/mail/address.h"
#include "lib/mail/date.h"
#include "smtpd/auth.h"
#include "smtpd/tls.h"

/* RFC 3848, RFC 6531 4.3: ESMTPSA and the like. */
static void put_protocol(const struct session *s, struct str *out)
{
	bool extended = strcmp(s->protocol, "ESMTP") == 0;

	str_put_text(out, s->tx.utf8 ? "UTF8SMTP" : s->protocol);
	if (s->encrypted && extended)
		str_put_char(out, 'S');
	if (s->login && extended)
		str_put_char(out, 'A');
}

/* The recipient is named only when no other recipient learns of it by that. */
void received_put(struct session *s, struct str *out)
{
	const struct core_params *core = s->srv->config->core;
	const struct recipient *rcpt = &s->tx.rcpts[0];
	char date[MAIL_DATE_MAX];

	mail_date(date, (time_t)(s->tx.arrival_us / 1000000));
	str_put_text(out, "Received: ");
	if (!s->params->hide_client_session) {
		str_printf(out, "from %s (%s [%s])", s->helo ? s->helo : s->peer.name, s->peer.name,
		    s->peer.rfc_addr);
		session_tls_put_received(s, out);
		auth_received(s, out);
		str_put_text(out, "\r\n\t");
	}
	str_printf(out, "by %s (%s)", core->myhostname, core->mail_name);
	if (!s->params->hide_client_session) {
		str_put_text(out, " with ");
		put_protocol(s, out);
	}
	str_printf(out, " id %s", s->tx.id);
	if (s->tx.rcpt_count == 1) {
		str_put_text(out, "\r\n\tfor <");
		address_quote(out, rcpt->orig[0] ? rcpt->orig : rcpt->address);
		str_printf(out, ">; %s\r\n", date);
	} else {
		str_printf(out, ";\r\n\t%s\r\n", date);
	}
	if ((s->tx.env_flags & ENV_REQUIRETLS) && s->srv->config->tls.requiretls_header)
		str_put_text(out, "Require-TLS-ESMTP: yes\r\n");
}
