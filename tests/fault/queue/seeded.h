/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FAULT_QUEUE_SEEDED_H
#define TESTS_FAULT_QUEUE_SEEDED_H

#include "lib/base/str.h"

/* The content of message `seed`: what was accepted can be told from what arrived. */
static inline void seeded_content(struct str *out, unsigned seed)
{
	static const unsigned lines[] = {3, 40, 100, 500}; /* the last is a file: over the limit */
	unsigned count = lines[seed / 3 % 4];

	str_printf(out, "X-Seed: %u\r\n\r\n", seed);
	for (unsigned i = 0; i < count; i++)
		str_printf(out, "%u line %u of message %u, to be found again whole\r\n", seed * i,
		    i, seed);
}

#endif
