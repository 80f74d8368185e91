/* SPDX-License-Identifier: ISC */
#ifndef LIB_SMTP_COMMAND_H
#define LIB_SMTP_COMMAND_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

/*
 * An SMTP command line, taken apart (RFC 5321 4.1.1). Pure. The verb is told apart from its
 * argument text; MAIL and RCPT have a path and ESMTP parameters. smtpd's table of commands decides
 * what each verb means.
 */
struct smtp_param {
	struct slice keyword, value; /* value.data is NULL when there is no '=' */
};

struct smtp_path_args {
	struct str address; /* internal form, see lib/mail/address.h */
	struct smtp_param params[16];
	size_t param_count;
};

/* Splits "VERB rest"; blanks at both ends are dropped. verb is "" for an empty line. */
void smtp_command_split(struct slice line, struct slice *verb_out, struct slice *rest_out);

/* What may be seen of a line by who reads a log or a transcript: no credentials of AUTH. */
struct slice smtp_command_shown(struct slice line);

/*
 * Parses "FROM:<path> PARAM=value ..." (keyword "FROM") or "TO:..." into out (address cleared
 * first). Returns NULL, or why not: "Syntax: MAIL FROM:<address>" and the like is the caller's to
 * say; this text is for the log.
 */
const char *smtp_parse_path_args(
    struct slice rest, const char *keyword, bool strict, struct smtp_path_args *out);
void smtp_path_args_fini(struct smtp_path_args *args);

/* xtext of RFC 3461 section 4. false when malformed. */
bool smtp_xtext_decode(struct slice text, struct str *out);
void smtp_xtext_encode(struct str *out, const char *text);
/* The form of RFC 6533 section 3 for addresses that are no ASCII, where the peer takes those. */
void smtp_xtext_encode_utf8(struct str *out, const char *text);

#endif
