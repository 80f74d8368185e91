/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_ERR_H
#define LIB_BASE_ERR_H

#include "lib/base/attr.h"

/*
 * How a library function says why it failed. The struct lives on the caller's stack; a function
 * that returns -1 has filled it. The text is built once, where the fact is known, in the words
 * that a log line can show ("open /etc/x: Permission denied"); callers may put a prefix before it.
 */
struct err {
	int code; /* an errno value, or 0 where none fits */
	char text[512];
};

/* Fills *err (which may be NULL) and returns -1, so that `return err_set(...)` reads well. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set, with ": <strerror(errno)>" appended and code = errno. */
int err_sys(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts text before what *err already says. Returns -1. */
int err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
