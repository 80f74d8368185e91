/* SPDX-License-Identifier: ISC */
#include "bounce/report.h"

#include <string.h>
#include <time.h>

#include "lib/base/attr.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"

enum { WIDTH = 76, LINE_HARD = 900 };

/* ---- small pieces -----------------------------------------------------------------------------
 */

static void put_safe(struct str *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		str_put_char(out, c < ' ' || c == 127 ? '?' : text[i]);
	}
}

void report_put_folded(
    struct str *out, const char *text, size_t column, size_t width, const char *indent)
{
	bool first = true;

	while (*text) {
		size_t word, take;

		text += strspn(text, " ");
		word = strcspn(text, " ");
		if (word == 0)
			break;
		take = MIN(word, (size_t)LINE_HARD);
		if (!first && column + 1 + take > width) {
			str_put_text(out, "\r\n");
			str_put_text(out, indent);
			column = strlen(indent);
		} else if (!first) {
			str_put_char(out, ' ');
			column++;
		}
		put_safe(out, text, take);
		column += take;
		first = false;
		text += take;
	}
	str_put_text(out, "\r\n");
}

static void put_line(struct str *out, const char *text)
{
	str_put_text(out, text);
	str_put_text(out, "\r\n");
}

static void put_address(struct str *out, const char *address)
{
	struct str quoted = {0};

	address_quote(&quoted, address);
	put_safe(out, str_text(&quoted), quoted.len);
	str_fini(&quoted);
}

static void put_boundary(struct str *out, const struct report *r)
{
	str_printf(out, "%s.%lld/%s", r->id, (long long)(r->now_us / 1000000), r->hostname);
}

static void put_separator(struct str *out, const struct report *r, const char *end)
{
	str_put_text(out, "\r\n--");
	put_boundary(out, r);
	str_printf(out, "%s\r\n", end);
}

/* Does what we write ourselves hold bytes above 127 (SMTPUTF8 addresses, remote texts)? */
static bool own_text_is_8bit(const struct report *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct bounce_record *b = &r->records[i];

		if (text_has_high(b->address) || text_has_high(b->orig) ||
		    text_has_high(b->orcpt) || text_has_high(b->reason) || text_has_high(b->diag) ||
		    text_has_high(b->mta))
			return true;
	}
	if (!r->copy && text_has_high(r->template->text))
		return true;
	return text_has_high(r->to) || text_has_high(r->sender) || text_has_high(r->envid);
}

/* ---- header -------------------------------------------------------------------------------------
 */

void report_message_id(struct str *out, const struct report *r)
{
	time_t now = (time_t)(r->now_us / 1000000);
	char stamp[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	str_printf(out, "<%s.%s@%s>", stamp, r->new_id, r->hostname);
}

/* The template's From, its address completed. */
static void put_from(struct str *out, const struct report *r)
{
	const char *from = r->template->from;
	struct str address = {0};
	struct slice span = {0};
	size_t at = 0;

	if (address_next(slice_text(from), &at, &address, &span) == 1 && span.len &&
	    !memchr(span.data, '@', span.len)) {
		size_t before = (size_t)(span.data + span.len - from);

		str_printf(out, "From: %.*s@%s%s\r\n", (int)before, from, r->origin, from + before);
	} else {
		str_printf(out, "From: %s\r\n", from);
	}
	str_fini(&address);
}

static void put_message_header(struct str *out, const struct report *r)
{
	char date[MAIL_DATE_MAX];

	mail_date(date, (time_t)(r->now_us / 1000000));
	str_printf(out, "Received: by %s (%s)\r\n\tid %s; %s\r\n", r->hostname, r->mail_name,
	    r->new_id, date);
	str_printf(out, "Date: %s\r\n", date);
	put_from(out, r);
	str_printf(out, "Subject: %s\r\n",
	    r->copy && r->template->postmaster_subject ? r->template->postmaster_subject
	                                               : r->template->subject);
	str_put_text(out, "To: ");
	put_address(out, r->to);
	str_put_text(out, "\r\nAuto-Submitted: ");
	str_put_text(out, r->copy ? "auto-generated" : "auto-replied");
	str_put_text(out, "\r\nMIME-Version: 1.0\r\n");
	str_put_text(out, "Content-Type: multipart/report; report-type=");
	str_put_text(out, r->smtputf8 ? "global-delivery-status" : "delivery-status");
	str_put_text(out, ";\r\n\tboundary=\"");
	put_boundary(out, r);
	str_put_text(out, "\"\r\n");
	if (r->eight_bit || r->smtputf8 || own_text_is_8bit(r))
		put_line(out, "Content-Transfer-Encoding: 8bit");
	str_put_text(out, "Message-Id: ");
	report_message_id(out, r);
	if (r->threaded && *r->message_id && strlen(r->message_id) < LINE_HARD &&
	    !strpbrk(r->message_id, " \t\r\n"))
		str_printf(
		    out, "\r\nReferences: %s\r\nIn-Reply-To: %s", r->message_id, r->message_id);
	str_put_text(out, "\r\n\r\nThis is a message in several parts (MIME).\r\n");
}

/* ---- for people
 * ---------------------------------------------------------------------------------- */

/* The template's text, with CRLF line ends. */
static void put_template_text(struct str *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n"), end = len;

		if (end && text[end - 1] == '\r')
			end--;
		str_put(out, text, end);
		str_put_text(out, "\r\n");
		text += len + (text[len] == '\n');
	}
}

static void put_human_record(struct str *out, const struct report *r, const struct bounce_record *b)
{
	str_put_text(out, "\r\n<");
	put_address(out, b->address);
	str_put_char(out, '>');
	if (r->with_orig && *b->orig && !text_eq_nocase(b->orig, b->address)) {
		str_put_text(out, " (from <");
		put_address(out, b->orig);
		str_put_text(out, ">)");
	}
	str_put_text(out, ":\r\n    ");
	report_put_folded(out, b->reason, 4, WIDTH, "    ");
}

static void put_human_part(struct str *out, const struct report *r)
{
	put_separator(out, r, "");
	put_line(out, "Content-Description: Notification");
	if (own_text_is_8bit(r)) {
		const bool plain = text_eq_nocase(r->template->charset, "us-ascii");

		str_printf(out, "Content-Type: text/plain; charset=%s\r\n",
		    plain ? "utf-8" : r->template->charset);
		put_line(out, "Content-Transfer-Encoding: 8bit");
	} else {
		str_printf(out, "Content-Type: text/plain; charset=%s\r\n", r->template->charset);
	}
	str_put_text(out, "\r\n");
	if (!r->copy)
		put_template_text(out, r->template->text);
	for (size_t i = 0; i < r->count; i++)
		put_human_record(out, r, &r->records[i]);
}

/* ---- for programs (RFC 3464)
 * ---------------------------------------------------------------------- */

/* "X-Postfix" after mail_name, as far as that can be part of a field name. */
static void put_mail_name(struct str *out, const struct report *r)
{
	str_put_text(out, "X-");
	for (const char *c = r->mail_name; *c; c++)
		str_put_char(out, *c > ' ' && *c < 127 && *c != ':' && *c != ';' ? *c : '-');
}

static void put_folded_field(struct str *out, const char *name, const char *type, const char *value)
{
	str_printf(out, "%s: %s", name, type);
	report_put_folded(out, value, strlen(name) + 2 + strlen(type), WIDTH, "    ");
}

static void put_address_field(
    struct str *out, const char *name, const char *type, const char *address)
{
	str_printf(out, "%s: %s; ", name, type);
	put_address(out, address);
	str_put_text(out, "\r\n");
}

static const char *action_of(const struct report *r, const struct bounce_record *b)
{
	switch (r->kind) {
	case REPORT_FAILURE:
		return "failed"; /* mail that is too old fails with its last temporary reason */
	case REPORT_DELAY:
		return "delayed";
	case REPORT_SUCCESS:
	case REPORT_VERIFY:
		break;
	}
	return *b->action ? b->action : "delivered";
}

/* RFC 3464 2.3.6 leaves X- types to us; Postfix's is its name. */
static void put_own_diagnosis(
    struct str *out, const struct report *r, const struct bounce_record *b)
{
	struct str type = {0};

	put_mail_name(&type, r);
	str_put_text(&type, "; ");
	put_folded_field(out, "Diagnostic-Code", str_text(&type), b->reason);
	str_fini(&type);
}

/* Who was not named by the client is the one that he named (RFC 3461 4.2). */
static void put_original_recipient(
    struct str *out, const struct report *r, const struct bounce_record *b)
{
	const char *address = *b->orig ? b->orig : b->address;

	str_put_text(out, "Original-Recipient: ");
	if (*b->orcpt) {
		put_safe(out, b->orcpt, strlen(b->orcpt));
	} else {
		str_put_text(out, r->smtputf8 && text_has_high(address) ? "utf-8;" : "rfc822;");
		put_address(out, address);
		if (!strchr(address, '@'))
			str_printf(out, "@%s", r->origin);
	}
	str_put_text(out, "\r\n");
}

static void put_status_record(
    struct str *out, const struct report *r, const struct bounce_record *b)
{
	const char *type = r->smtputf8 && text_has_high(b->address) ? "utf-8" : "rfc822";
	char date[MAIL_DATE_MAX];

	str_put_text(out, "\r\n");
	put_address_field(out, "Final-Recipient", type, b->address);
	put_original_recipient(out, r, b);
	str_printf(out, "Action: %s\r\n", action_of(r, b));
	str_printf(out, "Status: %s\r\n", *b->dsn ? b->dsn : "5.0.0");
	if (*b->mta)
		put_folded_field(out, "Remote-MTA", "dns; ", b->mta);
	if (*b->diag)
		put_folded_field(out, "Diagnostic-Code", "", b->diag);
	else
		put_own_diagnosis(out, r, b);
	if (r->kind == REPORT_DELAY) {
		mail_date(date, (time_t)(r->arrival_us / 1000000) + r->lifetime);
		str_printf(out, "Will-Retry-Until: %s\r\n", date);
	}
}

static void put_sender(struct str *out, const char *name, const struct report *r)
{
	if (*r->sender)
		put_address_field(out, name,
		    r->smtputf8 && text_has_high(r->sender) ? "utf-8" : "rfc822", r->sender);
	else
		str_printf(out, "%s: rfc822; MAILER-DAEMON@%s\r\n", name, r->hostname);
}

static void put_status_part(struct str *out, const struct report *r)
{
	struct str name = {0};
	char date[MAIL_DATE_MAX];

	put_separator(out, r, "");
	put_line(out, "Content-Description: Delivery report");
	str_printf(out, "Content-Type: message/%s\r\n",
	    r->smtputf8 ? "global-delivery-status" : "delivery-status");
	if (own_text_is_8bit(r))
		put_line(out, "Content-Transfer-Encoding: 8bit");
	str_printf(out, "\r\nReporting-MTA: dns; %s\r\n", r->hostname);
	if (*r->envid) {
		str_put_text(out, "Original-Envelope-Id: ");
		put_safe(out, r->envid, strlen(r->envid));
		str_put_text(out, "\r\n");
	}
	put_mail_name(&name, r);
	str_printf(out, "%s-Queue-ID: %s\r\n", str_text(&name), r->id);
	str_put_text(&name, "-Sender");
	put_sender(out, str_text(&name), r);
	mail_date(date, (time_t)(r->arrival_us / 1000000));
	str_printf(out, "Arrival-Date: %s\r\n", date);
	str_fini(&name);
	for (size_t i = 0; i < r->count; i++)
		put_status_record(out, r, &r->records[i]);
}

/* ---- the original -------------------------------------------------------------------------------
 */

static void put_original_header(struct str *out, const struct report *r)
{
	const bool full = r->original == REPORT_FULL;
	const char *what = r->kind == REPORT_FAILURE ? "Undelivered " : "";

	put_separator(out, r, "");
	str_printf(
	    out, "Content-Description: %s%s\r\n", what, full ? "Message" : "Message Headers");
	if (r->smtputf8)
		str_printf(out, "Content-Type: message/global%s\r\n", full ? "" : "-headers");
	else
		str_printf(
		    out, "Content-Type: %s\r\n", full ? "message/rfc822" : "text/rfc822-headers");
	if (r->eight_bit || r->smtputf8)
		put_line(out, "Content-Transfer-Encoding: 8bit");
	str_put_text(out, "\r\n");
}

void report_put_head(struct str *out, const struct report *r)
{
	put_message_header(out, r);
	put_human_part(out, r);
	put_status_part(out, r);
	if (r->original != REPORT_NO_ORIGINAL)
		put_original_header(out, r);
}

void report_put_tail(struct str *out, const struct report *r)
{
	put_separator(out, r, "--");
}
