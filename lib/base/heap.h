/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_HEAP_H
#define LIB_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * A binary heap of embedded nodes, the smallest key on top. A node knows its place, so that
 * removing or re-keying any node is O(log n) with no search and no allocation per node.
 * index is 0 while a node is in no heap (zero-initialised nodes are ready).
 */
struct heap_node {
	int64_t key;
	size_t index; /* place in the array, counted from 1 */
};

struct heap {
	struct heap_node **nodes;
	size_t count, cap;
};

void heap_add(struct heap *heap, struct heap_node *node, int64_t key);
void heap_remove(struct heap *heap, struct heap_node *node); /* harmless when in no heap */
struct heap_node *heap_top(const struct heap *heap);         /* NULL when empty */
void heap_fini(struct heap *heap);

#endif
