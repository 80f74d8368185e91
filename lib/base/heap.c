/* SPDX-License-Identifier: ISC */
#include "lib/base/heap.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

static void place(struct heap *heap, struct heap_node *node, size_t index)
{
	heap->nodes[index - 1] = node;
	node->index = index;
}

static void sift_up(struct heap *heap, struct heap_node *node, size_t i)
{
	while (i > 1 && heap->nodes[i / 2 - 1]->key > node->key) {
		place(heap, heap->nodes[i / 2 - 1], i);
		i /= 2;
	}
	place(heap, node, i);
}

static void sift_down(struct heap *heap, struct heap_node *node, size_t i)
{
	for (;;) {
		size_t child = i * 2;

		if (child > heap->count)
			break;
		if (child < heap->count && heap->nodes[child]->key < heap->nodes[child - 1]->key)
			child++;
		if (heap->nodes[child - 1]->key >= node->key)
			break;
		place(heap, heap->nodes[child - 1], i);
		i = child;
	}
	place(heap, node, i);
}

void heap_add(struct heap *heap, struct heap_node *node, int64_t key)
{
	must(node->index == 0);
	if (heap->count == heap->cap) {
		heap->cap = heap->cap ? heap->cap * 2 : 4;
		heap->nodes = alloc_array(heap->nodes, heap->cap, sizeof(struct heap_node *));
	}
	node->key = key;
	heap->count++;
	sift_up(heap, node, heap->count);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
	size_t i = node->index;
	struct heap_node *last;

	if (i == 0)
		return;
	must(i <= heap->count && heap->nodes[i - 1] == node);
	last = heap->nodes[--heap->count];
	node->index = 0;
	if (last == node)
		return;
	if (i > 1 && heap->nodes[i / 2 - 1]->key > last->key)
		sift_up(heap, last, i);
	else
		sift_down(heap, last, i);
}

struct heap_node *heap_top(const struct heap *heap)
{
	return heap->count ? heap->nodes[0] : NULL;
}

void heap_fini(struct heap *heap)
{
	free(heap->nodes);
	*heap = (struct heap){0};
}
