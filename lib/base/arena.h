/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_ARENA_H
#define LIB_BASE_ARENA_H

#include <stddef.h>

/*
 * Memory with one lifetime: a connection, a transaction, a configuration. Everything taken from
 * an arena goes back at once with arena_reset or arena_fini; there is no single free. Embed the
 * struct in its owner; an all-zero struct is a valid empty arena. Never returns NULL. In asan
 * builds each piece is a malloc of its own, so that the tools see its bounds.
 */
struct arena_block;
struct arena {
	struct arena_block *blocks;
	char *next;
	size_t left, block_size;
};

void *arena_alloc(struct arena *arena, size_t size); /* aligned for any type, not zeroed */
void *arena_zero(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Ends the lifetime of all pieces. reset keeps one block for the next use; fini frees all. */
void arena_reset(struct arena *arena);
void arena_fini(struct arena *arena);

#endif
