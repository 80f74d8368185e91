/* SPDX-License-Identifier: ISC */
#include "lib/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

struct slice slice_text(const char *text)
{
	return (struct slice){text ? text : "", text ? strlen(text) : 0};
}

bool slice_eq(struct slice a, const char *text)
{
	return strlen(text) == a.len && (a.len == 0 || memcmp(a.data, text, a.len) == 0);
}

bool slice_eq_nocase(struct slice a, const char *text)
{
	return strlen(text) == a.len && (a.len == 0 || strncasecmp(a.data, text, a.len) == 0);
}

bool slice_has(struct slice a, char c)
{
	return a.len > 0 && memchr(a.data, c, a.len) != NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice a)
{
	while (a.len > 0 && is_blank(a.data[0])) {
		a.data++;
		a.len--;
	}
	while (a.len > 0 && is_blank(a.data[a.len - 1]))
		a.len--;
	return a;
}

void str_fini(struct str *str)
{
	free(str->data);
	*str = (struct str){.max = str->max};
}

void str_clear(struct str *str)
{
	str->len = 0;
	str->overflow = false;
	if (str->data)
		str->data[0] = '\0';
}

void str_reserve(struct str *str, size_t more)
{
	size_t want, cap;

	if (more > ((size_t)1 << 31) - str->len - 1)
		panic("str_reserve: unreasonable size %zu", more);
	want = str->len + more + 1;
	if (want <= str->cap)
		return;
	cap = str->cap ? str->cap : 64;
	while (cap < want)
		cap *= 2;
	str->data = alloc_array(str->data, cap, 1);
	str->cap = cap;
}

void str_put(struct str *str, const void *data, size_t len)
{
	if (str->max && len > str->max - MIN(str->len, str->max)) {
		len = str->max - MIN(str->len, str->max);
		str->overflow = true;
	}
	str_reserve(str, len);
	if (len > 0)
		memcpy(str->data + str->len, data, len);
	str->len += len;
	str->data[str->len] = '\0';
}

void str_put_text(struct str *str, const char *text)
{
	str_put(str, text, strlen(text));
}

void str_put_char(struct str *str, char c)
{
	str_put(str, &c, 1);
}

void str_vprintf(struct str *str, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(small, sizeof(small), fmt, ap);
	if (len < 0)
		panic("str_printf: bad format %s", fmt);
	if ((size_t)len < sizeof(small)) {
		str_put(str, small, (size_t)len);
	} else {
		char *text = alloc((size_t)len + 1);

		vsnprintf(text, (size_t)len + 1, fmt, again);
		str_put(str, text, (size_t)len);
		free(text);
	}
	va_end(again);
}

void str_printf(struct str *str, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(str, fmt, ap);
	va_end(ap);
}

void str_cut(struct str *str, size_t len)
{
	if (len >= str->len)
		return;
	str->len = len;
	str->data[len] = '\0';
}

void str_consume(struct str *str, size_t len)
{
	must(len <= str->len);
	if (len == 0)
		return;
	memmove(str->data, str->data + len, str->len - len);
	str->len -= len;
	str->data[str->len] = '\0';
}

const char *str_text(const struct str *str)
{
	return str->data ? str->data : "";
}

char *str_steal(struct str *str)
{
	char *data = str->data ? str->data : alloc_strdup("");

	*str = (struct str){.max = str->max};
	return data;
}

const char *str_cstr(const struct str *str)
{
	if (str->len > 0 && memchr(str->data, '\0', str->len))
		return NULL;
	return str_text(str);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

void text_lower(char *text)
{
	for (; *text; text++)
		*text = lower(*text);
}

bool text_eq_nocase(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

bool text_has_high(const char *text)
{
	while (*text) {
		if ((unsigned char)*text++ > 127)
			return true;
	}
	return false;
}

bool text_starts_nocase(const char *text, const char *prefix)
{
	while (*prefix && lower(*text) == lower(*prefix)) {
		text++;
		prefix++;
	}
	return *prefix == '\0';
}

bool text_ends_nocase(const char *text, const char *suffix)
{
	size_t tl = strlen(text), sl = strlen(suffix);

	return sl <= tl && text_eq_nocase(text + tl - sl, suffix);
}

size_t text_utf8_len(struct slice text)
{
	const unsigned char *p = (const unsigned char *)text.data;
	unsigned low = 0x80, high = 0xBF;
	size_t len, i;

	if (text.len == 0)
		return 0;
	if (*p < 0x80)
		return 1;
	if (*p < 0xC2 || *p > 0xF4)
		return 0;
	len = *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;
	low = *p == 0xE0 ? 0xA0 : *p == 0xF0 ? 0x90 : low;
	high = *p == 0xED ? 0x9F : *p == 0xF4 ? 0x8F : high;
	if (text.len < len)
		return 0;
	for (i = 1; i < len; i++, low = 0x80, high = 0xBF)
		if (p[i] < low || p[i] > high)
			return 0;
	return len;
}

/* C1 control characters, which some terminals obey, and those that turn the direction of writing.
 */
static bool is_hidden(const unsigned char *p, size_t len)
{
	return (len == 2 && p[0] == 0xC2 && p[1] < 0xA0) ||
	       (len == 3 && p[0] == 0xE2 &&
	           ((p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) ||
	               (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9)));
}

void text_make_printable(char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		unsigned char c = (unsigned char)text[at];
		size_t n = c < 0x80 ? 1 : text_utf8_len(slice_of(text + at, len - at));

		if (n == 0 || c < 32 || c == 127)
			text[at] = '?';
		else if (is_hidden((const unsigned char *)text + at, n))
			memset(text + at, '?', n);
		at += n ? n : 1;
	}
}
