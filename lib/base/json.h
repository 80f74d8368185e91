/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_JSON_H
#define LIB_BASE_JSON_H

#include "lib/base/str.h"

/*
 * Appends text as a string of RFC 8259, quotes included. The result is valid whatever the bytes
 * are: control characters become escapes, bytes that are not UTF-8 become U+FFFD.
 */
void json_put_text(struct str *out, const char *text);

#endif
