/* SPDX-License-Identifier: ISC */
/* Commands that move no mail, and those of extensions that are not offered. */
#include "smtpd/smtpd.h"

#include "lib/mail/address.h"

int cmd_rset(struct session *s, struct slice args)
{
	if (args.len > 0) {
		chat_reply(s, "501 5.5.4 Syntax: RSET");
		return -1;
	}
	transaction_end(s);
	chat_reply(s, "250 2.0.0 Ok");
	return 0;
}

int cmd_noop(struct session *s, struct slice args)
{
	(void)args;
	chat_reply(s, "250 2.0.0 Ok");
	return 0;
}

int cmd_quit(struct session *s, struct slice args)
{
	(void)args;
	chat_reply(s, "221 2.0.0 Bye");
	if (s->end == END_NONE)
		s->end = END_ORDERLY;
	return 0;
}
