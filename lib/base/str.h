/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_STR_H
#define LIB_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/attr.h"

/*
 * Bytes. `struct slice` points at bytes of someone else; `struct str` owns a buffer that grows.
 * A str keeps a zero byte behind its last byte, so data can be printed; data is never NULL after
 * the first put. An all-zero struct is a valid empty str. With max set, growth beyond it drops the
 * rest and sets `overflow` (for what a peer can size).
 */
struct slice {
	const char *data;
	size_t len;
};

struct str {
	char *data;
	size_t len;
	size_t cap;
	size_t max; /* 0: no limit */
	bool overflow;
};

static inline struct slice slice_of(const char *data, size_t len)
{
	return (struct slice){data, len};
}
struct slice slice_text(const char *text); /* NULL gives an empty slice */
bool slice_eq(struct slice a, const char *text);
bool slice_eq_nocase(struct slice a, const char *text);
bool slice_has(struct slice a, char c);
struct slice slice_trim(struct slice a); /* without spaces, tabs, CR and LF at both ends */

/* For printf's "%.*s": SLICE_ARG(s) gives both arguments. */
#define SLICE_ARG(s) (int)(s).len, (s).data ? (s).data : ""

void str_fini(struct str *str);
void str_clear(struct str *str); /* keeps the memory, clears overflow */
void str_reserve(struct str *str, size_t more);
void str_put(struct str *str, const void *data, size_t len);
void str_put_text(struct str *str, const char *text);
void str_put_char(struct str *str, char c);
void str_printf(struct str *str, const char *fmt, ...) PRINTF_LIKE(2, 3); /* appends */
void str_vprintf(struct str *str, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void str_cut(struct str *str, size_t len);     /* shortens to len bytes */
void str_consume(struct str *str, size_t len); /* drops len bytes from the front */
const char *str_text(const struct str *str);   /* "" when empty; zero-terminated */
char *str_steal(struct str *str);              /* the buffer, now the caller's; str is empty */

/* The bytes as a C string, or NULL when a zero byte is among them. */
const char *str_cstr(const struct str *str);

/* ASCII only, whatever the locale. */
void text_lower(char *text);
bool text_eq_nocase(const char *a, const char *b);
bool text_has_high(const char *text); /* a byte above 127 */
bool text_starts_nocase(const char *text, const char *prefix);
bool text_ends_nocase(const char *text, const char *suffix);

/*
 * Bytes of the UTF-8 sequence that text begins with (RFC 3629 section 4: no overlong forms, no
 * surrogates, nothing above U+10FFFF); 0: it does not begin with one.
 */
size_t text_utf8_len(struct slice text);
/* Puts '?' in the place of control characters and of what is not UTF-8: for log lines. */
void text_make_printable(char *text, size_t len);

#endif
