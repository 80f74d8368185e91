/* SPDX-License-Identifier: ISC */
#include "lib/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"

/* Blocks double from the first size to the last: there are many arenas that hold next to nothing.
 */
enum { FIRST_SIZE = 256 - 32, LAST_SIZE = 4096 - 32, ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(ALIGN) char data[];
};

static struct arena_block *add_block(struct arena *arena, size_t size)
{
	struct arena_block *block = alloc(sizeof(*block) + size);

	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t want = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	void *piece;

	if (want < size)
		panic("arena_alloc: unreasonable size %zu", size);
#ifndef __SANITIZE_ADDRESS__
	if (want <= arena->left) {
		piece = arena->next;
		arena->next += want;
		arena->left -= want;
		return piece;
	}
	if (want < LAST_SIZE / 2) {
		do {
			arena->block_size =
			    arena->block_size ? 2 * arena->block_size + 32 : FIRST_SIZE;
		} while (arena->block_size < 2 * want);
		arena->block_size = MIN(arena->block_size, (size_t)LAST_SIZE);
		arena->next = add_block(arena, arena->block_size)->data;
		arena->left = arena->block_size - want;
		arena->next += want;
		return arena->next - want;
	}
#endif
	/* a large piece gets a block of its own; the current one stays in use */
	piece = add_block(arena, want ? want : ALIGN)->data;
	return piece;
}

void *arena_zero(struct arena *arena, size_t count, size_t size)
{
	void *piece;

	if (size && count > SIZE_MAX / 2 / size)
		panic("arena_zero: unreasonable size %zu * %zu", count, size);
	piece = arena_alloc(arena, count * size);
	memset(piece, 0, count * size);
	return piece;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len > 0) /* an empty slice may point nowhere */
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		panic("arena_printf: bad format %s", fmt);
	text = arena_alloc(arena, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

void arena_reset(struct arena *arena)
{
	struct arena_block *keep = NULL;

	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
#ifndef __SANITIZE_ADDRESS__
		if (!keep && block->size == arena->block_size) {
			keep = block;
			continue;
		}
#endif
		free(block);
	}
	arena->next = NULL;
	arena->left = 0;
	if (keep) {
		keep->next = NULL;
		arena->blocks = keep;
		arena->next = keep->data;
		arena->left = keep->size;
	}
}

void arena_fini(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	arena->next = NULL;
	arena->left = 0;
	arena->block_size = 0;
}
