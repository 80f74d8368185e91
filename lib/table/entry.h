/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_ENTRY_H
#define LIB_TABLE_ENTRY_H

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * An entry of a postmap source, "key blanks value", taken apart. Pure. The key ends at a blank
 * outside of double quotes. 0, or -1 with err when either is missing.
 */
int entry_parse(struct slice line, struct slice *key_out, struct slice *value_out, struct err *err);

#endif
