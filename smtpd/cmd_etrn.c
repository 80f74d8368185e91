/* SPDX-License-Identifier: ISC */
/*
 * ETRN (RFC 1985): a client asks that the mail which waits for a domain be tried now. "@domain"
 * means the domain and those below it (RFC 1985 5.1); "#queue" is a name of ours, and our queues
 * are named by domain. The replies have no enhanced codes: the RFC is older than these.
 */
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/peer/flush.h"
#include "smtpd/smtpd.h"

enum { ASK_MS = 10000 };

static int answer(struct session *s, const char *asked, const char *domain)
{
	struct flush_request request = {.site = asked[0] == '@' ? asked : domain};
	enum flush_status status = FLUSH_FAILED;
	struct err err;

	if (flush_ask(s->params->flush_service_name, FLUSH_SEND_SITE, &request, ASK_MS, &status,
	        &err) < 0)
		log_warn("unable to talk to fast flush service: %s", err.text);
	switch (status) {
	case FLUSH_OK:
		chat_reply(s, "250 Queuing started");
		return 0;
	case FLUSH_DENIED:
		log_warn("reject: ETRN %.100s... from %s", domain, s->peer.namaddr);
		chat_reply(s, "459 <%s>: service unavailable", domain);
		return -1;
	default:
		if (status == FLUSH_BAD)
			log_warn("bad ETRN %.100s... from %s", domain, s->peer.namaddr);
		chat_reply(s, "458 Unable to queue messages");
		return -1;
	}
}

int cmd_etrn(struct session *s, struct slice args)
{
	char asked[FLUSH_SITE_MAX + 2];
	const char *domain;
	struct slice word;

	if (!args_word(&args, &word) || slice_trim(args).len > 0) {
		chat_reply(s, "500 Syntax: ETRN domain");
		return -1;
	}
	domain = asked + (word.data[0] == '@' || word.data[0] == '#');
	if (word.len < sizeof(asked)) {
		memcpy(asked, word.data, word.len);
		asked[word.len] = '\0';
	}
	if (word.len >= sizeof(asked) || !address_domain_valid(domain)) {
		chat_reply(s, "501 Error: invalid parameter syntax");
		return -1;
	}
	if (access_etrn(s, domain)) {
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	return answer(s, asked, domain);
}
