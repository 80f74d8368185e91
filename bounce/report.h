/* SPDX-License-Identifier: ISC */
#ifndef BOUNCE_REPORT_H
#define BOUNCE_REPORT_H

#include "lib/base/str.h"
#include "lib/conf/template.h"
#include "lib/peer/bounce.h"

/*
 * The text of a notice: RFC 3462 multipart/report with a part for people, one for programs
 * (RFC 3464), and the original message or its headers. Pure: values in, CRLF lines out. What came
 * from outside is made safe for a header line here.
 */
enum report_kind {
	REPORT_FAILURE = TEMPLATE_FAILURE,
	REPORT_DELAY = TEMPLATE_DELAY,
	REPORT_SUCCESS = TEMPLATE_SUCCESS,
	REPORT_VERIFY = TEMPLATE_VERIFY
};
enum report_original { REPORT_NO_ORIGINAL, REPORT_HEADERS, REPORT_FULL };

struct report {
	enum report_kind kind;
	bool copy; /* for the postmaster, not for the sender */
	const struct template *template;
	const char *hostname, *origin, *mail_name;
	const char *new_id; /* of the notice */
	const char *to;
	int64_t now_us;
	/* the message it is about */
	const char *id, *sender, *envid;
	int64_t arrival_us;
	bool smtputf8, eight_bit; /* eight_bit: the original part has bytes above 127 */
	enum report_original original;
	/* what became of it */
	const struct bounce_record *records;
	size_t count;
	bool with_orig; /* enable_original_recipient */
	bool threaded;  /* enable_threaded_bounces: the notice answers the message */
	const char *message_id;
	int lifetime; /* seconds, for the delay warning */
};

/* All up to the original's first byte. */
void report_put_head(struct str *out, const struct report *r);
/* All behind it. A line end must have been written before. */
void report_put_tail(struct str *out, const struct report *r);
/* "<20261122065856.ID@host>" as the notice has it. */
void report_message_id(struct str *out, const struct report *r);

/*
 * Appends text broken at blanks into CRLF lines of at most `width` columns; lines after the first
 * begin with `indent`. Control characters become '?'. Words longer than a line are broken at 900.
 */
void report_put_folded(
    struct str *out, const char *text, size_t column, size_t width, const char *indent);

#endif
