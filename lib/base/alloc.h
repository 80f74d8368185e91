/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_ALLOC_H
#define LIB_BASE_ALLOC_H

#include <stddef.h>

/*
 * Heap memory that is never NULL: when there is none, or the size is beyond any sane bound, the
 * process ends with fatal(). What a peer can size is bounded before the call. Freed by free(3).
 */

void *alloc(size_t size);                                /* contents undefined */
void *alloc_zero(size_t count, size_t size);             /* product checked, zeroed */
void *alloc_array(void *old, size_t count, size_t size); /* realloc; old may be NULL */
char *alloc_strdup(const char *text);
char *alloc_strndup(const char *text, size_t len);
char *alloc_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
