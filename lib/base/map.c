/* SPDX-License-Identifier: ISC */
/* Open addressing, linear probing, backward-shift deletion. */
#include "lib/base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

struct entry {
	char *key; /* NULL: free */
	void *value;
	uint64_t hash;
};

struct map {
	struct entry *entries;
	size_t cap; /* a power of two */
	size_t count;
};

static uint64_t seed(void)
{
	static uint64_t value; /* the one exception beside the log: written once, same for all */

	if (!value && getrandom(&value, sizeof(value), GRND_NONBLOCK) != (ssize_t)sizeof(value))
		value = 0x9e3779b97f4a7c15u;
	return value | 1;
}

uint64_t map_hash(const void *data, size_t len)
{
	return map_hash_seeded(seed(), data, len);
}

uint64_t map_hash_seeded(uint64_t seed_, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = seed_ | 1;

	for (size_t i = 0; i < len; i++) {
		h ^= p[i];
		h *= 0x100000001b3u;
		h ^= h >> 29;
	}
	return h;
}

struct map *map_new(void)
{
	struct map *map = alloc_zero(1, sizeof(*map));

	map->cap = 16;
	map->entries = alloc_zero(map->cap, sizeof(*map->entries));
	return map;
}

void map_free(struct map **map, void (*free_value)(void *))
{
	if (!*map)
		return;
	for (size_t i = 0; i < (*map)->cap; i++) {
		struct entry *e = &(*map)->entries[i];

		if (e->key && free_value)
			free_value(e->value);
		free(e->key);
	}
	free((*map)->entries);
	free(*map);
	*map = NULL;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

/* The slot that holds the key, or the free slot where it belongs. */
static struct entry *slot(const struct map *map, const char *key, uint64_t hash)
{
	size_t i = hash & (map->cap - 1);

	while (map->entries[i].key &&
	       (map->entries[i].hash != hash || strcmp(map->entries[i].key, key) != 0))
		i = (i + 1) & (map->cap - 1);
	return &map->entries[i];
}

static void grow(struct map *map)
{
	struct entry *old = map->entries;
	size_t cap = map->cap;

	map->cap = cap * 2;
	map->entries = alloc_zero(map->cap, sizeof(*map->entries));
	for (size_t i = 0; i < cap; i++) {
		if (old[i].key)
			*slot(map, old[i].key, old[i].hash) = old[i];
	}
	free(old);
}

void *map_get(const struct map *map, const char *key)
{
	return slot(map, key, map_hash(key, strlen(key)))->value;
}

void *map_put(struct map *map, const char *key, void *value)
{
	uint64_t hash = map_hash(key, strlen(key));
	struct entry *e;
	void *old;

	if ((map->count + 1) * 4 > map->cap * 3)
		grow(map);
	e = slot(map, key, hash);
	old = e->value;
	if (!e->key) {
		e->key = alloc_strdup(key);
		e->hash = hash;
		map->count++;
	}
	e->value = value;
	return old;
}

void *map_remove(struct map *map, const char *key)
{
	struct entry *e = slot(map, key, map_hash(key, strlen(key)));
	size_t mask = map->cap - 1, hole, i;
	void *value = e->value;

	if (!e->key)
		return NULL;
	free(e->key);
	map->count--;
	hole = i = (size_t)(e - map->entries);
	for (;;) {
		size_t home;

		i = (i + 1) & mask;
		if (!map->entries[i].key)
			break;
		home = map->entries[i].hash & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			map->entries[hole] = map->entries[i];
			hole = i;
		}
	}
	map->entries[hole] = (struct entry){0};
	return value;
}

int map_next(const struct map *map, size_t *cursor, const char **key_out, void **value_out)
{
	while (*cursor < map->cap) {
		const struct entry *e = &map->entries[(*cursor)++];

		if (e->key) {
			if (key_out)
				*key_out = e->key;
			if (value_out)
				*value_out = e->value;
			return 1;
		}
	}
	return 0;
}
