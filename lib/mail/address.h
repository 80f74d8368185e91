/* SPDX-License-Identifier: ISC */
#ifndef LIB_MAIL_ADDRESS_H
#define LIB_MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

/*
 * The one address parser: pure functions for envelope paths (RFC 5321 4.1.2) and header address
 * lists (RFC 5322 3.4, obsolete forms included). Internal form: "local@domain" without quotes
 * around the local part ("a b"@x is held as: a b@x); the last '@' separates.
 */
enum { ADDRESS_MAX = 1000 };

/*
 * An SMTP path as of MAIL FROM / RCPT TO: "<user@domain>", "<>", with source route dropped;
 * when !strict also without angle brackets and with surrounding blanks or comments, as Postfix
 * accepts them. *used_out is the number of bytes taken, parameters follow behind. 0, or -1 when
 * it is no path.
 */
int address_parse_path(struct slice text, bool strict, struct str *address_out, size_t *used_out);

/* The external (quoted where needed) form of an internal address, for SMTP, headers and logs. */
void address_quote(struct str *out, const char *address);
/* The form for log lines that info_log_address_format asks for. */
void address_log(struct str *out, const char *address);

/* Splits at the last '@'; domain is NULL when there is none. */
void address_split(const char *address, struct slice *local_out, const char **domain_out);

/* Syntax of a domain: labels, or [literal]. */
bool address_domain_valid(const char *domain);

/*
 * All addresses of a header value (To:, Cc:, From:), groups flattened, display names and comments
 * dropped. Calls fn for each; returns the number, or -1 when malformed (what was found before was
 * given to fn).
 */
int address_each(struct slice header_value, void (*fn)(void *arg, const char *address), void *arg);

/*
 * One address at a time, for who has to put something in its place: span_out is the text of the
 * addr-spec in the value (without brackets, display name, comments around it). address_out is
 * cleared first. *at begins with 0. 1: one, 0: the end, -1: malformed.
 */
int address_next(struct slice value, size_t *at, struct str *address_out, struct slice *span_out);

/*
 * user+ext split by the first of the delimiters that occurs; not at the start, and "mailer-daemon",
 * "double-bounce", "owner-x" and "x-request" not by their '-'. ext is "" when there is none or it
 * is empty ("user+"): user.len tells.
 */
void address_split_extension(
    struct slice local, const char *delimiters, struct slice *user_out, struct slice *ext_out);

#endif
