/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_MAP_H
#define LIB_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * A hash map from text to a pointer. Keys are copied, values are the caller's. The hash is seeded
 * per process, so that a peer who chooses keys cannot choose collisions. No order.
 */
struct map;

struct map *map_new(void);
void map_free(struct map **map, void (*free_value)(void *)); /* NULL: values are left alone */
size_t map_count(const struct map *map);
void *map_get(const struct map *map, const char *key);        /* NULL when absent */
void *map_put(struct map *map, const char *key, void *value); /* returns the value replaced */
void *map_remove(struct map *map, const char *key);           /* returns the value, or NULL */

/*
 * Walks all entries: start with *cursor = 0; returns 0 at the end. Nothing may be put or removed
 * during a walk.
 */
int map_next(const struct map *map, size_t *cursor, const char **key_out, void **value_out);

uint64_t map_hash(const void *data, size_t len); /* the seeded hash itself */
/* With a seed of the caller's, for tables that processes share. */
uint64_t map_hash_seeded(uint64_t seed, const void *data, size_t len);

#endif
