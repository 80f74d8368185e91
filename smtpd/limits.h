/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_LIMITS_H
#define SMTPD_LIMITS_H

#include "lib/base/err.h"
#include "lib/peer/anvil.h"
#include "smtpd/smtpd.h"

/*
 * How much a client, a login or a sender may do in a time. The counting is shared with all other
 * smtpd processes (lib/peer/anvil.h) and costs no conversation; without anvil(8) nobody is limited.
 */

/* The limits of an account in smtpd_login_limit_maps or smtpd_sender_limit_maps. 0: none. */
struct quota {
	uint32_t messages_hour, messages_day, recipients_hour, recipients_day;
	enum quota_action { QUOTA_DEFER, QUOTA_REJECT, QUOTA_HOLD } action;
};
/*
 * "messages=100/h,500/d recipients=1000/d action=hold". -1 with err, which quotes what is wrong
 * and says what was expected. Pure.
 */
int quota_parse(const char *text, struct quota *out, struct err *err);

/* One per process; what each opens must outlive the sessions. */
void limits_open(struct smtpd *srv);
void limits_close(struct smtpd *srv);

/*
 * Each counts one event of the session's client and answers whether that is too much: then it is
 * logged, and the reply to give is in s->reject. limits_leave ends what limits_connect began.
 */
bool limits_connect(struct session *s);
void limits_leave(struct session *s);
bool limits_message(struct session *s);
bool limits_recipient(struct session *s);
bool limits_new_tls(struct session *s);
bool limits_new_tls_reached(struct session *s); /* without counting: is it too much already? */
bool limits_auth(struct session *s);

/*
 * Likewise for the account: a message, and with it a recipient at a time. The action "hold" refuses
 * nothing: it sets s->tx.hold.
 */
bool quota_message(struct session *s);
bool quota_recipient(struct session *s);

#endif
