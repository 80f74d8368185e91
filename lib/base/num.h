/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_NUM_H
#define LIB_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decimal numbers from text: the whole of [text, text+len) must be digits and fit, or the answer
 * is false and *out is untouched. No sign, no blanks, no locale.
 */
bool num_u64(const char *text, size_t len, uint64_t max, uint64_t *out);
bool num_int(const char *text, int min, int max, int *out); /* a whole C string, '-' allowed */

/* Little-endian integers at any alignment: the byte order of queue files and of frames. */
static inline void le_put16(void *at, uint16_t v)
{
	unsigned char *p = at;

	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
}
static inline void le_put32(void *at, uint32_t v)
{
	unsigned char *p = at;

	le_put16(p, (uint16_t)v);
	le_put16(p + 2, (uint16_t)(v >> 16));
}
static inline void le_put64(void *at, uint64_t v)
{
	unsigned char *p = at;

	le_put32(p, (uint32_t)v);
	le_put32(p + 4, (uint32_t)(v >> 32));
}
static inline uint16_t le_get16(const void *at)
{
	const unsigned char *p = at;

	return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t le_get32(const void *at)
{
	const unsigned char *p = at;

	return le_get16(p) | (uint32_t)le_get16(p + 2) << 16;
}
static inline uint64_t le_get64(const void *at)
{
	const unsigned char *p = at;

	return le_get32(p) | (uint64_t)le_get32(p + 4) << 32;
}

#endif
