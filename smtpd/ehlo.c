/* SPDX-License-Identifier: ISC */
/* What EHLO announces, and to whom. A new extension is a row. */
#include "smtpd/ehlo.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "smtpd/auth.h"
#include "smtpd/tls.h"
#include "smtpd/xclient.h"

/* Of ehlo_discards, beside the keywords: discard them without a word in the log. */
enum { SILENT = EHLO_KEYWORDS };
_Static_assert(SILENT < 32, "bits of ehlo_discards");

typedef bool offer_fn(struct session *s);

static bool offers_vrfy(struct session *s)
{
	return !s->params->disable_vrfy;
}

static bool offers_utf8(struct session *s)
{
	return s->srv->shape->smtputf8_enable;
}

/* RFC 8689 section 2: only inside TLS. */
static bool offers_requiretls(struct session *s)
{
	return s->encrypted && s->srv->config->tls.requiretls_enable;
}

static void say_size(struct session *s, struct str *out)
{
	int64_t limit = s->srv->config->core->message_size_limit;

	if (limit > 0)
		str_printf(out, " %lld", (long long)limit);
}

static void say_xclient(struct session *s, struct str *out)
{
	(void)s;
	xclient_names(false, out);
}

static void say_xforward(struct session *s, struct str *out)
{
	(void)s;
	xclient_names(true, out);
}

/* RFC 9422 */
static void say_limits(struct session *s, struct str *out)
{
	str_printf(out, " RCPTMAX=%d", s->params->recipient_limit);
}

static const struct {
	const char *keyword;
	offer_fn *offered; /* NULL: always */
	void (*say)(struct session *s, struct str *out);
} offers[] = {
    [EHLO_PIPELINING] = {"PIPELINING", NULL, NULL},
    [EHLO_SIZE] = {"SIZE", NULL, say_size},
    [EHLO_VRFY] = {"VRFY", offers_vrfy, NULL},
    [EHLO_ETRN] = {"ETRN", NULL, NULL},
    [EHLO_STARTTLS] = {"STARTTLS", session_tls_offered, NULL},
    [EHLO_AUTH] = {"AUTH", auth_offered, auth_say},
    [EHLO_XVERP] = {"XVERP", session_may_verp, NULL},
    [EHLO_XCLIENT] = {"XCLIENT", xclient_allowed, say_xclient},
    [EHLO_XFORWARD] = {"XFORWARD", xforward_allowed, say_xforward},
    [EHLO_ENHANCEDSTATUSCODES] = {"ENHANCEDSTATUSCODES", NULL, NULL},
    [EHLO_8BITMIME] = {"8BITMIME", NULL, NULL},
    [EHLO_DSN] = {"DSN", NULL, NULL},
    [EHLO_SMTPUTF8] = {"SMTPUTF8", offers_utf8, NULL},
    [EHLO_CHUNKING] = {"CHUNKING", NULL, NULL},
    [EHLO_REQUIRETLS] = {"REQUIRETLS", offers_requiretls, NULL},
    [EHLO_LIMITS] = {"LIMITS", NULL, say_limits},
};
_Static_assert(ARRAY_LEN(offers) == EHLO_KEYWORDS, "a row for each");

static void discard(struct session *s, struct slice word)
{
	for (size_t i = 0; i < EHLO_KEYWORDS; i++) {
		if (slice_eq_nocase(word, offers[i].keyword)) {
			s->ehlo_discards |= 1U << i;
			return;
		}
	}
	if (slice_eq_nocase(word, "silent-discard"))
		s->ehlo_discards |= 1U << SILENT;
	else
		log_warn("unknown EHLO keyword to discard: \"%.*s\"", SLICE_ARG(word));
}

void ehlo_begin(struct session *s)
{
	const struct conf_list *list = &s->params->discard_ehlo_keywords;
	struct str value = {0};
	const char *cursor;
	struct slice word;
	struct err err;

	s->ehlo_discards = 0;
	switch (table_chain_get(s->srv->discard_maps, s->peer.addr, &value, &err)) {
	case TABLE_FOUND:
		for (cursor = str_text(&value); table_list_next(&cursor, &word);)
			discard(s, word);
		break;
	case TABLE_ERROR:
		log_warn("%s", err.text);
		FALLTHROUGH; /* what is meant for everybody holds */
	case TABLE_NOT_FOUND:
		for (size_t i = 0; i < list->count; i++)
			discard(s, slice_text(list->items[i]));
	}
	str_fini(&value);
}

bool ehlo_discarded(const struct session *s, enum ehlo_keyword keyword)
{
	return (s->ehlo_discards & 1U << keyword) != 0;
}

bool ehlo_offered(struct session *s, enum ehlo_keyword keyword)
{
	return !ehlo_discarded(s, keyword) &&
	       (!offers[keyword].offered || offers[keyword].offered(s));
}

static void log_discards(const struct session *s)
{
	struct str text = {0};

	if (s->ehlo_discards && !(s->ehlo_discards & 1U << SILENT)) {
		for (size_t i = 0; i < EHLO_KEYWORDS; i++)
			if (ehlo_discarded(s, (enum ehlo_keyword)i))
				str_printf(&text, " %s", offers[i].keyword);
		log_info("discarding EHLO keywords:%s", str_text(&text));
	}
	str_fini(&text);
}

void ehlo_announce(struct session *s)
{
	const char *host = s->srv->config->core->myhostname;
	struct str line = {0};

	log_discards(s);
	str_put_text(&line, host);
	for (size_t i = 0; i < EHLO_KEYWORDS; i++) {
		if (!ehlo_offered(s, (enum ehlo_keyword)i))
			continue;
		chat_reply(s, "250-%s", str_text(&line));
		str_clear(&line);
		str_put_text(&line, offers[i].keyword);
		if (offers[i].say)
			offers[i].say(s, &line);
	}
	chat_reply(s, "250 %s", str_text(&line));
	str_fini(&line);
}
