/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_BASE64_H
#define LIB_BASE_BASE64_H

#include "lib/base/str.h"

/* Base64 of RFC 4648 section 4, with padding, no line breaks. Appends to out. */
void base64_encode(struct str *out, const void *data, size_t len);

/* Returns 0, or -1 when the text is not strict base64 (out may then hold a part). */
int base64_decode(struct str *out, const char *text, size_t len);

#endif
