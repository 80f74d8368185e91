/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "suite.h"

START_TEST(put_get_remove)
{
	struct map *map = map_new();
	int one = 1, two = 2;

	ck_assert_ptr_null(map_get(map, "a"));
	ck_assert_ptr_null(map_remove(map, "a"));
	ck_assert_ptr_null(map_put(map, "a", &one));
	ck_assert_ptr_eq(map_put(map, "a", &two), &one);
	ck_assert_uint_eq(map_count(map), 1);
	ck_assert_ptr_null(map_get(map, "A"));
	ck_assert_ptr_null(map_put(map, "", &one));
	ck_assert_ptr_eq(map_get(map, ""), &one);
	ck_assert_ptr_eq(map_remove(map, "a"), &two);
	ck_assert_ptr_null(map_get(map, "a"));
	ck_assert_uint_eq(map_count(map), 1);
	map_free(&map, NULL);
	ck_assert_ptr_null(map);
}
END_TEST

/* Against a plain array, through growth and many removals. */
START_TEST(as_an_array)
{
	enum { KEYS = 2000 };
	static int values[KEYS];
	static bool in[KEYS];
	struct map *map = map_new();
	size_t cursor = 0, count = 0, walked = 0;
	unsigned dice = 1;
	const char *name;
	void *value;

	for (int step = 0; step < 50000; step++) {
		char key[16];
		int k;

		dice = dice * 1103515245u + 12345u;
		k = (int)(dice >> 16) % KEYS;
		snprintf(key, sizeof(key), "key%d", k);
		ck_assert_ptr_eq(map_get(map, key), in[k] ? &values[k] : NULL);
		if (dice & 0x8000)
			ck_assert_ptr_eq(map_put(map, key, &values[k]), in[k] ? &values[k] : NULL);
		else
			ck_assert_ptr_eq(map_remove(map, key), in[k] ? &values[k] : NULL);
		count += (size_t)(dice & 0x8000 ? !in[k] : -(int)in[k]);
		in[k] = dice & 0x8000;
		ck_assert_uint_eq(map_count(map), count);
	}
	while (map_next(map, &cursor, &name, &value)) {
		ck_assert(in[atoi(name + 3)]);
		ck_assert_ptr_eq(value, &values[atoi(name + 3)]);
		walked++;
	}
	ck_assert_uint_eq(walked, count);
	map_free(&map, NULL);
}
END_TEST

START_TEST(frees_values)
{
	struct map *map = map_new();
	char key[16];

	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "%d", i);
		map_put(map, key, strdup(key)); /* asan would tell */
	}
	map_free(&map, free);
	map_free(&map, free);
}
END_TEST

TCase *map_tcase(void)
{
	TCase *tc = tcase_create("map");

	tcase_add_test(tc, put_get_remove);
	tcase_add_test(tc, as_an_array);
	tcase_add_test(tc, frees_values);
	return tc;
}
