/* SPDX-License-Identifier: ISC */
#ifndef LIB_MAIL_VERP_H
#define LIB_MAIL_VERP_H

#include <stdbool.h>

#include "lib/base/str.h"

/*
 * Variable envelope return paths: each recipient gets mail from a sender that names the recipient,
 * "list+user=example.com@example.org", so that a bounce tells who it is about. Pure.
 */
enum { VERP_DELIMITERS = 2 };

/* Two characters, both of `filter` (verp_delimiter_filter)? */
bool verp_delimiters_valid(const char *delimiters, const char *filter);

/* Appends the sender for this recipient. delimiters must be valid; a null sender stays null. */
void verp_sender(
    struct str *out, const char *delimiters, const char *sender, const char *recipient);

#endif
