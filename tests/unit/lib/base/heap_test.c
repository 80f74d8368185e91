/* SPDX-License-Identifier: ISC */
#include "lib/base/heap.h"
#include "suite.h"

START_TEST(sorts)
{
	enum { NODES = 1000 };
	static struct heap_node nodes[NODES];
	struct heap heap = {0};
	int64_t last = INT64_MIN;
	unsigned dice = 7;
	int left = 0;

	ck_assert_ptr_null(heap_top(&heap));
	heap_remove(&heap, &nodes[0]); /* harmless */
	for (int i = 0; i < NODES; i++) {
		dice = dice * 1103515245u + 12345u;
		heap_add(&heap, &nodes[i], (int64_t)(dice >> 8) - 8000000);
	}
	/* every third goes, every fifth gets another key */
	for (int i = 0; i < NODES; i++) {
		if (i % 3 == 0) {
			heap_remove(&heap, &nodes[i]);
			ck_assert_uint_eq(nodes[i].index, 0);
			heap_remove(&heap, &nodes[i]);
		} else if (i % 5 == 0) {
			heap_remove(&heap, &nodes[i]);
			heap_add(&heap, &nodes[i], i);
		}
	}
	for (struct heap_node *top; (top = heap_top(&heap)); left++) {
		ck_assert_int_ge(top->key, last);
		last = top->key;
		heap_remove(&heap, top);
	}
	ck_assert_int_eq(left, NODES - (NODES + 2) / 3);
	heap_fini(&heap);
}
END_TEST

TCase *heap_tcase(void)
{
	TCase *tc = tcase_create("heap");

	tcase_add_test(tc, sorts);
	return tc;
}
