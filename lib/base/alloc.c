/* SPDX-License-Identifier: ISC */
#include "lib/base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

/* No single piece of a mail system needs more; a larger request is a bug in size arithmetic. */
static const size_t sane_max = (size_t)1 << 31;

static void *checked(void *p, size_t size)
{
	if (!p)
		fatal("out of memory (%zu bytes wanted)", size);
	return p;
}

void *alloc(size_t size)
{
	if (size > sane_max)
		panic("alloc: unreasonable size %zu", size);
	return checked(malloc(size ? size : 1), size);
}

void *alloc_zero(size_t count, size_t size)
{
	if (size && count > sane_max / size)
		panic("alloc_zero: unreasonable size %zu * %zu", count, size);
	return checked(calloc(count ? count : 1, size ? size : 1), count * size);
}

void *alloc_array(void *old, size_t count, size_t size)
{
	if (size && count > sane_max / size)
		panic("alloc_array: unreasonable size %zu * %zu", count, size);
	return checked(realloc(old, count > 0 && size > 0 ? count * size : 1), count * size);
}

char *alloc_strndup(const char *text, size_t len)
{
	char *copy = alloc(len + 1);

	if (len > 0) /* an empty slice may point nowhere */
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *alloc_strdup(const char *text)
{
	return alloc_strndup(text, strlen(text));
}

char *alloc_printf(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		fatal("out of memory (formatting text)");
	return text;
}
