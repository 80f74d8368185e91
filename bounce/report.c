/* SPDX-License-Identifier: ISC */
#include "bounce/report.h"

#include <string.h>
#include <time.h>

#include "lib/base/attr.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"

enum { WIDTH = 76, LINE_HARD = 900 };

static const char *const subjects[][2] = {
    [REPORT_FAILURE] = {"Undelivered Mail Returned to Sender", "Postmaster Copy: Undelivered Mail"},
    [REPORT_DELAY] = {"Delayed Mail (still being retried)", "Postmaster Warning: Delayed Mail"},
    [REPORT_SUCCESS] = {"Successful Mail Delivery Report", "Postmaster Copy: Mail Delivery Report"},
};

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

static bool has_high(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text > 127)
			return true;
	return false;
}

/* Does what we write ourselves hold bytes above 127 (SMTPUTF8 addresses, remote texts)? */
static bool own_text_is_8bit(const struct report *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct bounce_record *b = &r->records[i];

		if (has_high(b->address) || has_high(b->orig) || has_high(b->orcpt) ||
		    has_high(b->reason) || has_high(b->diag) || has_high(b->mta))
			return true;
	}
	return has_high(r->to) || has_high(r->sender) || has_high(r->envid);
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

static void put_message_header(struct str *out, const struct report *r)
{
	char date[MAIL_DATE_MAX];

	mail_date(date, (time_t)(r->now_us / 1000000));
	str_printf(out, "Received: by %s (%s)\r\n\tid %s; %s\r\n", r->hostname, r->mail_name,
	    r->new_id, date);
	str_printf(out, "Date: %s\r\n", date);
	str_printf(out, "From: MAILER-DAEMON@%s (Mail Delivery System)\r\n", r->origin);
	str_printf(out, "Subject: %s\r\n", subjects[r->kind][r->copy]);
	str_put_text(out, "To: ");
	put_address(out, r->to);
	str_put_text(out, "\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
	str_put_text(out, "Content-Type: multipart/report; report-type=");
	str_put_text(out, r->smtputf8 ? "global-delivery-status" : "delivery-status");
	str_put_text(out, ";\r\n\tboundary=\"");
	put_boundary(out, r);
	str_put_text(out, "\"\r\n");
	if (r->eight_bit || r->smtputf8 || own_text_is_8bit(r))
		put_line(out, "Content-Transfer-Encoding: 8bit");
	str_put_text(out, "Message-Id: ");
	report_message_id(out, r);
	str_put_text(out, "\r\n\r\nThis is a message in several parts (MIME).\r\n");
}

/* ---- for people
 * ---------------------------------------------------------------------------------- */

static const char *const failure_text[] = {
    "Your message could not be delivered to the recipients named below.",
    "What each of their mail systems said, or what went wrong here, stands",
    "behind the address. No further attempt will be made.",
    "",
    "The original message, or its header lines, is attached. If you cannot",
    "tell from this report what to do, ask the postmaster, and include the",
    "report.",
    NULL,
};
static const char *const success_text[] = {
    "You asked to be told when your message is delivered. It has reached the",
    "recipients named below, or has been handed on to a mail system that",
    "gives no such reports.",
    NULL,
};

static void put_lines(struct str *out, const char *const *lines)
{
	for (; *lines; lines++)
		put_line(out, *lines);
}

static void put_span(struct str *out, int seconds)
{
	if (seconds >= 2 * 86400 && seconds % 86400 == 0)
		str_printf(out, "%d days", seconds / 86400);
	else if (seconds >= 3600)
		str_printf(out, "%d hours", (seconds + 1800) / 3600);
	else
		str_printf(out, "%d minutes", (seconds + 59) / 60);
}

static void put_delay_text(struct str *out, const struct report *r)
{
	int waited = (int)((r->now_us - r->arrival_us) / 1000000);

	put_line(out, "THIS IS ONLY A WARNING: YOU NEED NOT SEND YOUR MESSAGE AGAIN.");
	str_put_text(out, "\r\nYour message has been waiting for ");
	put_span(out, r->warned_after > 0 ? MAX(r->warned_after, 60) : MAX(waited, 60));
	str_put_text(
	    out, " now, for the recipients\r\nnamed below. It will be tried again until it is ");
	put_span(out, r->lifetime);
	str_put_text(out, " old.\r\n");
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
		put_line(out, "Content-Type: text/plain; charset=utf-8");
		put_line(out, "Content-Transfer-Encoding: 8bit");
	} else {
		put_line(out, "Content-Type: text/plain; charset=us-ascii");
	}
	str_printf(out, "\r\nThe mail system at host %s reports:\r\n\r\n", r->hostname);
	if (r->kind == REPORT_DELAY)
		put_delay_text(out, r);
	else
		put_lines(out, r->kind == REPORT_SUCCESS ? success_text : failure_text);
	for (size_t i = 0; i < r->count; i++)
		put_human_record(out, r, &r->records[i]);
}

/* ---- for programs (RFC 3464)
 * ---------------------------------------------------------------------- */

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
		break;
	}
	return *b->action ? b->action : "delivered";
}

static void put_status_record(
    struct str *out, const struct report *r, const struct bounce_record *b)
{
	const char *type = r->smtputf8 && has_high(b->address) ? "utf-8" : "rfc822";
	char date[MAIL_DATE_MAX];

	str_put_text(out, "\r\n");
	put_address_field(out, "Final-Recipient", type, b->address);
	if (*b->orcpt) {
		str_put_text(out, "Original-Recipient: ");
		put_safe(out, b->orcpt, strlen(b->orcpt));
		str_put_text(out, "\r\n");
	} else if (r->with_orig && *b->orig) {
		put_address_field(out, "Original-Recipient", type, b->orig);
	}
	str_printf(out, "Action: %s\r\n", action_of(r, b));
	str_printf(out, "Status: %s\r\n", *b->dsn ? b->dsn : "5.0.0");
	if (*b->mta)
		put_folded_field(out, "Remote-MTA", "dns; ", b->mta);
	if (*b->diag)
		put_folded_field(out, "Diagnostic-Code", "", b->diag);
	else if (r->kind != REPORT_SUCCESS)
		put_folded_field(out, "Diagnostic-Code", "X-Postfix; ", b->reason);
	if (r->kind == REPORT_DELAY) {
		mail_date(date, (time_t)(r->arrival_us / 1000000) + r->lifetime);
		str_printf(out, "Will-Retry-Until: %s\r\n", date);
	}
}

static void put_status_part(struct str *out, const struct report *r)
{
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
	str_printf(out, "X-Postfix-Queue-ID: %s\r\n", r->id);
	put_address_field(out, "X-Postfix-Sender",
	    r->smtputf8 && has_high(r->sender) ? "utf-8" : "rfc822", r->sender);
	mail_date(date, (time_t)(r->arrival_us / 1000000));
	str_printf(out, "Arrival-Date: %s\r\n", date);
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
