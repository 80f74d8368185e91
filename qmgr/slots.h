/* SPDX-License-Identifier: ISC */
#ifndef QMGR_SLOTS_H
#define QMGR_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * When may one message pass another? While a message is delivered it earns delivery slots, one for
 * each `cost` of its deliveries; another that needs no more than these may pass and spends them.
 * Sizes are in deliveries (entries). Credit is counted in deliveries, too: +1 for each one, -cost
 * for each slot spent; it is negative while a loan is not paid back.
 */
struct slot_rules {
	int cost;     /* 0: nobody passes */
	int loan;     /* slots that need not be earned first */
	int discount; /* percent of the needed ones, as well */
	int minimum;  /* who can earn fewer than these is not worth being passed */
};

/* May the message be passed now by something that is small enough? left: its own deliveries. */
bool slots_passable(const struct slot_rules *rules, int64_t credit, size_t left);
/* The largest that may pass it, now or when it has earned more. */
size_t slots_reach(const struct slot_rules *rules, int64_t credit, size_t left);
/* Has it earned enough for one of this size? */
bool slots_suffice(const struct slot_rules *rules, int64_t credit, size_t need);

/*
 * Messages that wait are found by size: one class for each size up to 16, four for each doubling
 * beyond. The last class is for what passes nobody: what is too large, or has passed already.
 */
enum { SLOT_CLASSES = 63, SLOT_CLASS_NONE = 63 };
int slots_class(size_t size);      /* of 1 or more */
size_t slots_class_min(int class); /* the smallest size in it */

#endif
