/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_ALIAS_H
#define LIB_TABLE_ALIAS_H

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * An entry of an aliases file, "name: value, value", taken apart. Pure. The name comes without
 * quotes; it is local (no domain). The value is one line: blanks outside of quotes become single
 * ones, one stands behind each comma. -1 with err when the line has no such form.
 */
int alias_parse(struct slice line, struct str *name_out, struct str *value_out, struct err *err);

#endif
