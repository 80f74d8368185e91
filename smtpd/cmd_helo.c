/* SPDX-License-Identifier: ISC */
/* HELO and EHLO (RFC 5321 4.1.1.1). */
#include "smtpd/ehlo.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

/*
 * The name goes into log lines and into our Received: header: what could be mistaken for their
 * punctuation is replaced.
 */
static char *safe_name(struct slice args)
{
	char *name = alloc_strndup(args.data, args.len);

	for (char *p = name; *p; p++)
		if ((unsigned char)*p <= 32 || *p == 127 || strchr("<>()\\\";@", *p))
			*p = '?';
	return name;
}

static int greet(struct session *s, struct slice args, const char *verb, const char *protocol)
{
	char *before = s->helo;

	args = slice_trim(args);
	if (args.len == 0) {
		chat_reply(s, "501 Syntax: %s hostname", verb);
		return -1;
	}
	s->helo = safe_name(args);
	transaction_end(s);
	if (!s->params->delay_reject && access_helo(s)) {
		free(s->helo);
		s->helo = before;
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	free(before);
	if (protocol) /* HELO behind EHLO takes nothing away */
		s->protocol = protocol;
	return 0;
}

int cmd_helo(struct session *s, struct slice args)
{
	if (greet(s, args, "HELO", NULL) < 0)
		return -1;
	chat_reply(s, "250 %s", s->srv->config->core->myhostname);
	return 0;
}

int cmd_ehlo(struct session *s, struct slice args)
{
	if (greet(s, args, "EHLO", "ESMTP") < 0)
		return -1;
	ehlo_announce(s);
	return 0;
}
