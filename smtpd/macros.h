/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_MACROS_H
#define SMTPD_MACROS_H

#include <stdbool.h>

#include "lib/base/str.h"

/* $name, ${name}, ${name?text}, ${name:text} in reply templates. */
typedef const char *macro_fn(void *arg, struct slice name); /* NULL: there is no such name */
/* -1: malformed; what was understood is in out. Of a value only the allowed bytes are shown. */
int macros_expand(
    struct str *out, const char *text, macro_fn *value, void *arg, const bool allowed[256]);
/* The bytes of text, which may have the escapes of C (smtpd_expansion_filter). */
void macros_allow(bool allowed[256], const char *text);

#endif
