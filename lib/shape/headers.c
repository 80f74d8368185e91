/* SPDX-License-Identifier: ISC */
#include "lib/shape/internal.h"

#include <string.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"

enum { IDS_LOGGED_MAX = 10 }; /* of one message, which may have any number of them */

static const struct known {
	const char *name;
	unsigned what;
} known[] = {
    {"Apparently-To", SEEN_RECIPIENT | HAS_ADDRESSES},
    {"Bcc", SEEN_RECIPIENT | HAS_ADDRESSES},
    {"Cc", SEEN_RECIPIENT | HAS_ADDRESSES},
    {"Date", SEEN_DATE},
    {"Disposition-Notification-To", HAS_ADDRESSES},
    {"Errors-To", HAS_ADDRESSES},
    {"From", SEEN_FROM | HAS_ADDRESSES},
    {"Mail-Followup-To", HAS_ADDRESSES},
    {"Message-ID", SEEN_MESSAGE_ID},
    {"Received", SEEN_RECEIVED},
    {"Reply-To", HAS_ADDRESSES},
    {"Resent-Bcc", SEEN_RECIPIENT | SEEN_RESENT | HAS_ADDRESSES},
    {"Resent-Cc", SEEN_RECIPIENT | SEEN_RESENT | HAS_ADDRESSES},
    {"Resent-Date", SEEN_RESENT_DATE | SEEN_RESENT},
    {"Resent-From", SEEN_RESENT_FROM | SEEN_RESENT | HAS_ADDRESSES},
    {"Resent-Message-ID", SEEN_RESENT_MESSAGE_ID | SEEN_RESENT},
    {"Resent-Reply-To", SEEN_RESENT | HAS_ADDRESSES},
    {"Resent-Sender", SEEN_RESENT | HAS_ADDRESSES},
    {"Resent-To", SEEN_RECIPIENT | SEEN_RESENT | HAS_ADDRESSES},
    {"Return-Receipt-To", HAS_ADDRESSES},
    {"Sender", HAS_ADDRESSES},
    {"TLS-Required", IS_TLS_REQUIRED},
    {"To", SEEN_RECIPIENT | HAS_ADDRESSES},
};

static unsigned lookup(const struct header *header)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++) {
		if (header_is(header, known[i].name))
			return known[i].what;
	}
	return 0;
}

static bool is_dropped(const struct shaper *s, const struct header *header)
{
	const struct conf_list *list = &s->ctx.params->message_drop_headers;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (header_is(header, list->items[i]))
			return true;
	}
	return false;
}

static void note_message_id(struct shaper *s, const struct header *header, unsigned what)
{
	str_clear(&s->scratch);
	header_unfold(&s->scratch, header->value);
	if (s->ids_logged++ < IDS_LOGGED_MAX)
		log_info_as("cleanup", "%s: %smessage-id=%s", s->id,
		    what & SEEN_RESENT_MESSAGE_ID ? "resent-" : "", str_text(&s->scratch));
	if (what & SEEN_MESSAGE_ID && !(s->seen & SEEN_MESSAGE_ID))
		str_put_text(&s->message_id, str_text(&s->scratch));
}

static void note_hop(struct shaper *s)
{
	if (++s->hops < (uint32_t)s->ctx.params->hopcount_limit || s->result != SHAPE_OK)
		return;
	log_info_as("cleanup", "warning: %s: message rejected: hopcount exceeded", s->id);
	shape_fail(s, SHAPE_TOO_MANY_HOPS, "too many hops");
}

/* RFC 8689 section 3: "no" is the one word that means something. */
static unsigned tls_required(struct shaper *s, const struct header *header)
{
	str_clear(&s->scratch);
	header_unfold(&s->scratch, header->value);
	return text_eq_nocase(str_text(&s->scratch), "no") ? SEEN_TLS_OPTIONAL : 0;
}

/* As it came, but for the obsolete blanks before the colon. */
static void put_field(struct shaper *s, const struct header *header)
{
	const char *colon = memchr(header->whole.data, ':', header->whole.len);
	const char *end = header->whole.data + header->whole.len;

	str_put(&s->out, header->name.data, header->name.len);
	str_put(&s->out, colon, (size_t)(end - colon));
}

void shape_field(struct shaper *s)
{
	struct header header;
	size_t at = 0;
	unsigned what;

	if (s->header.len == 0)
		return;
	if (!shape_inspect_header(s)) {
		s->seen |= SEEN_ANY;
		str_clear(&s->header);
		s->header_cut = false;
		return;
	}
	if (!header_next(slice_of(s->header.data, s->header.len), &at, &header)) {
		/* The name alone exceeded header_size_limit: nothing of the field is left. */
		str_clear(&s->header);
		s->header_cut = false;
		return;
	}
	what = lookup(&header);
	if (what & (SEEN_MESSAGE_ID | SEEN_RESENT_MESSAGE_ID))
		note_message_id(s, &header, what);
	if (what & SEEN_RECEIVED)
		note_hop(s);
	if (what & IS_TLS_REQUIRED)
		what |= tls_required(s, &header);
	s->seen |= what | SEEN_ANY;
	if (!is_dropped(s, &header)) {
		if (!(s->seen & SEEN_UTF8) && !shape_is_ascii(header.whole.data, header.whole.len))
			s->seen |= SEEN_UTF8;
		if (what & HAS_ADDRESSES && s->ctx.router &&
		    (s->ctx.rewrite_headers || *s->ctx.params->remote_header_rewrite_domain))
			shape_complete(s, &header,
			    what & SEEN_RECIPIENT ? MAP_HEADER_RECIPIENT : MAP_HEADER_SENDER);
		else
			put_field(s, &header);
	}
	str_clear(&s->header);
	s->header_cut = false;
	if (s->out.len > 32768) {
		shape_write(s, s->out.data, s->out.len);
		str_clear(&s->out);
	}
}

static void add_message_id(struct shaper *s, const char *prefix, time_t now)
{
	size_t from;
	char stamp[20];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	str_printf(&s->out, "%sMessage-Id: ", prefix);
	from = s->out.len;
	str_printf(&s->out, "<%s.%s@%s>", stamp, s->id, s->ctx.core->myhostname);
	log_info_as("cleanup", "%s: %smessage-id=%s", s->id, prefix[0] ? "resent-" : "",
	    s->out.data + from);
	if (!prefix[0])
		str_put_text(&s->message_id, s->out.data + from);
	str_put_text(&s->out, "\r\n");
}

/* phrase = 1*word (RFC 5322 3.2.5): atoms and blanks as they are, anything else in quotes. */
static void put_phrase(struct str *out, const char *name)
{
	bool plain = true;
	const char *p;

	for (p = name; *p; p++) {
		if (strchr("()<>[]:;@\\,.\"", *p) || (unsigned char)*p < 32 || *p == 127)
			plain = false;
	}
	if (plain) {
		str_put_text(out, name);
		return;
	}
	str_put_char(out, '"');
	for (p = name; *p; p++) {
		if (*p == '"' || *p == '\\')
			str_put_char(out, '\\');
		str_put_char(out, (unsigned char)*p < 32 || *p == 127 ? ' ' : *p);
	}
	str_put_char(out, '"');
}

/* comment (RFC 5322 3.2.2), for the obsolete form of From:. */
static void put_comment(struct str *out, const char *name)
{
	str_put_text(out, " (");
	for (; *name; name++) {
		if (strchr("()\\", *name))
			str_put_char(out, '\\');
		str_put_char(out, (unsigned char)*name < 32 || *name == 127 ? ' ' : *name);
	}
	str_put_char(out, ')');
}

static void add_from(struct shaper *s, const char *prefix)
{
	const char *name = s->ctx.full_name;

	str_printf(&s->out, "%sFrom: ", prefix);
	if (!s->sender[0]) {
		str_put_text(&s->out, s->ctx.core->empty_address_recipient);
	} else if (!name || !name[0]) {
		address_quote(&s->out, s->sender);
	} else if (s->ctx.params->header_from_format == SHAPE_FROM_OBSOLETE) {
		address_quote(&s->out, s->sender);
		put_comment(&s->out, name);
	} else {
		put_phrase(&s->out, name);
		str_put_text(&s->out, " <");
		address_quote(&s->out, s->sender);
		str_put_char(&s->out, '>');
	}
	str_put_text(&s->out, "\r\n");
}

/* A resent message gets the fields of the resender; those of the author are not ours to make. */
static void add_missing(struct shaper *s)
{
	bool resent = (s->seen & SEEN_RESENT) != 0;
	const char *prefix = resent ? "Resent-" : "";
	time_t now = time(NULL);
	char date[MAIL_DATE_MAX];

	if (!(s->seen & (resent ? SEEN_RESENT_MESSAGE_ID : SEEN_MESSAGE_ID)))
		add_message_id(s, prefix, now);
	if (!(s->seen & (resent ? SEEN_RESENT_DATE : SEEN_DATE))) {
		mail_date(date, now);
		str_printf(&s->out, "%sDate: %s\r\n", prefix, date);
	}
	if (!(s->seen & (resent ? SEEN_RESENT_FROM : SEEN_FROM)))
		add_from(s, prefix);
	if (!(s->seen & SEEN_RECIPIENT) && s->ctx.params->undisclosed_recipients_header[0])
		str_printf(&s->out, "%s\r\n", s->ctx.params->undisclosed_recipients_header);
}

void shape_end_headers(struct shaper *s)
{
	shape_field(s);
	if (s->ctx.add_missing_headers || s->ctx.params->always_add_missing_headers ||
	    *s->ctx.params->remote_header_rewrite_domain)
		add_missing(s);
	if (!(s->seen & SEEN_MESSAGE_ID) && s->message_id.len == 0)
		log_info_as("cleanup", "%s: message-id=<>", s->id);
	shape_write(s, s->out.data, s->out.len);
	str_clear(&s->out);
	s->in_body = true;
	s->last = '\n';
}
