/* SPDX-License-Identifier: ISC */
/* HELO and EHLO (RFC 5321 4.1.1.1), and what EHLO announces. */
#include "smtpd/smtpd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
		if ((unsigned char)*p <= 32 || (unsigned char)*p >= 127 || strchr("<>()\\\";@", *p))
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
	s->protocol = protocol;
	return 0;
}

int cmd_helo(struct session *s, struct slice args)
{
	if (greet(s, args, "HELO", "SMTP") < 0)
		return -1;
	chat_reply(s, "250 %s", s->srv->config->core->myhostname);
	return 0;
}

static bool discarded(const struct session *s, const char *keyword)
{
	const struct conf_list *list = &s->params->discard_ehlo_keywords;

	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->items[i], keyword) == 0)
			return true;
	return false;
}

static void log_discards(const struct session *s)
{
	struct str text = {0};
	const struct conf_list *list = &s->params->discard_ehlo_keywords;

	if (list->count > 0 && !discarded(s, "silent-discard")) {
		for (size_t i = 0; i < list->count; i++)
			str_printf(&text, " %s", list->items[i]);
		log_info("discarding EHLO keywords:%s", str_text(&text));
	}
	str_fini(&text);
}

int cmd_ehlo(struct session *s, struct slice args)
{
	static const struct {
		const char *keyword;
		enum { ALWAYS, IF_VRFY, IF_VERP, WITH_SIZE } when;
	} offers[] = {
	    {"PIPELINING", ALWAYS},
	    {"SIZE", WITH_SIZE},
	    {"VRFY", IF_VRFY},
	    {"ETRN", ALWAYS},
	    {"ENHANCEDSTATUSCODES", ALWAYS},
	    {"8BITMIME", ALWAYS},
	    {"DSN", ALWAYS},
	    {"XVERP", IF_VERP},
	};
	int64_t limit = s->srv->config->core->message_size_limit;
	char lines[ARRAY_LEN(offers) + 1][80];
	size_t count = 0;

	if (greet(s, args, "EHLO", "ESMTP") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		if (discarded(s, offers[i].keyword) ||
		    (offers[i].when == IF_VRFY && s->params->disable_vrfy) ||
		    (offers[i].when == IF_VERP && !session_may_verp(s)))
			continue;
		if (offers[i].when == WITH_SIZE && limit > 0)
			snprintf(lines[count++], sizeof(lines[0]), "SIZE %lld", (long long)limit);
		else
			snprintf(lines[count++], sizeof(lines[0]), "%s", offers[i].keyword);
	}
	log_discards(s);
	chat_reply(s, "250%c%s", count ? '-' : ' ', s->srv->config->core->myhostname);
	for (size_t i = 0; i < count; i++)
		chat_reply(s, "250%c%s", i + 1 < count ? '-' : ' ', lines[i]);
	return 0;
}
