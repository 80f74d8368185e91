/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_PREFIX_H
#define LIB_TABLE_PREFIX_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* Address blocks as text: "192.0.2.0/24", "2001:db8::/32", "[::1]/128", "192.0.2.1". Pure. */
struct prefix {
	unsigned char bytes[16];
	int size; /* 4 or 16 bytes */
	int bits;
};

/* -1 with err: no address, a length that does not fit, or bits set behind the length. */
int prefix_parse(struct slice text, struct prefix *out, struct err *err);
/* A whole address, without brackets. */
bool prefix_parse_address(const char *text, struct prefix *out);
bool prefix_match(const struct prefix *prefix, const struct prefix *address);

#endif
