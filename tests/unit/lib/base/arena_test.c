/* SPDX-License-Identifier: ISC */
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/arena.h"
#include "suite.h"

START_TEST(pieces)
{
	struct arena arena = {0};
	char *piece[500];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 500; i++) {
			piece[i] = arena_alloc(&arena, i * 7 % 300 + (i == 250 ? 100000 : 0));
			ck_assert_uint_eq((uintptr_t)piece[i] % alignof(max_align_t), 0);
			memset(piece[i], (int)(i & 0xff), i * 7 % 300);
		}
		for (size_t i = 0; i < 500; i++)
			for (size_t k = 0; k < i * 7 % 300; k++)
				ck_assert_int_eq((unsigned char)piece[i][k], i & 0xff);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	arena_fini(&arena);
}
END_TEST

START_TEST(texts)
{
	struct arena arena = {0};
	int *zeros = arena_zero(&arena, 100, sizeof(int));

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(zeros[i], 0);
	ck_assert_ptr_nonnull(arena_zero(&arena, 0, 8));
	ck_assert_str_eq(arena_strdup(&arena, "abc"), "abc");
	ck_assert_str_eq(arena_strndup(&arena, "abcdef", 2), "ab");
	ck_assert_str_eq(arena_strndup(&arena, NULL, 0), "");
	ck_assert_str_eq(arena_printf(&arena, "%s=%d", "n", 5), "n=5");
	ck_assert_uint_eq(strlen(arena_printf(&arena, "%9000d", 5)), 9000);
	arena_fini(&arena);
}
END_TEST

TCase *arena_tcase(void)
{
	TCase *tc = tcase_create("arena");

	tcase_add_test(tc, pieces);
	tcase_add_test(tc, texts);
	return tc;
}
