/* SPDX-License-Identifier: ISC */
#include "qmgr/slots.h"

/* With every other slot given away nothing would be left of the bound on the delay. */
static int64_t cost_of(const struct slot_rules *rules)
{
	return rules->cost < 2 ? 2 : rules->cost;
}

bool slots_passable(const struct slot_rules *rules, int64_t credit, size_t left)
{
	return rules->cost > 0 && credit > 0 &&
	       credit + (int64_t)left >= rules->minimum * cost_of(rules);
}

size_t slots_reach(const struct slot_rules *rules, int64_t credit, size_t left)
{
	int64_t most = credit + (int64_t)left;

	return most > 0 ? (size_t)(most / cost_of(rules)) : 0;
}

bool slots_suffice(const struct slot_rules *rules, int64_t credit, size_t need)
{
	int64_t price = (int64_t)need * cost_of(rules);

	return price - price * rules->discount / 100 - rules->loan * cost_of(rules) <= credit;
}

int slots_class(size_t size)
{
	int log = 4, class;

	if (size <= 16)
		return size ? (int)size - 1 : 0;
	while (size >> (log + 1))
		log++;
	class = 16 + 4 * (log - 4) + (int)(size >> (log - 2) & 3);
	return class < SLOT_CLASSES ? class : SLOT_CLASS_NONE;
}

size_t slots_class_min(int class)
{
	int log = (class - 16) / 4 + 4;

	if (class < 16)
		return (size_t) class + 1;
	return ((size_t)4 + (size_t)((class - 16) % 4)) << (log - 2);
}
