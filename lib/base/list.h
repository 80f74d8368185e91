/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_LIST_H
#define LIB_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/attr.h"

/*
 * An intrusive doubly linked ring: embed `struct list` in the element, and one more as the head.
 * Allocates nothing. An element that is in no list links to itself.
 */
struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *node)
{
	node->prev = node->next = node;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Puts node before `at`: at the tail when `at` is the head. */
static inline void list_add_before(struct list *at, struct list *node)
{
	node->prev = at->prev;
	node->next = at;
	at->prev->next = node;
	at->prev = node;
}

static inline void list_push(struct list *head, struct list *node) /* at the tail */
{
	list_add_before(head, node);
}

static inline void list_push_front(struct list *head, struct list *node)
{
	list_add_before(head->next, node);
}

/* Takes node out of whatever list it is in; harmless when it is in none. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define LIST_ITEM(node, type, member) CONTAINER_OF(node, type, member)
#define LIST_EACH(node, head) \
	for (struct list *node = (head)->next; node != (head); node = node->next)
/* The body may remove `node`. */
#define LIST_EACH_SAFE(node, head)                                                        \
	for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
	     node = node##_next, node##_next = node->next)

#endif
