/* SPDX-License-Identifier: ISC */
#include "lib/base/near.h"

#include <string.h>

#include "lib/base/attr.h"

enum { LEN_MAX = 96 };

size_t near_distance(const char *a, const char *b, size_t far)
{
	size_t rows[3][LEN_MAX + 1], na = strlen(a), nb = strlen(b);
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	if (na > LEN_MAX || nb > LEN_MAX || na > nb + far || nb > na + far)
		return far + 1;
	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *swap, least = now[0] = i;

		for (size_t j = 1; j <= nb; j++) {
			size_t d = last[j - 1] + (a[i - 1] != b[j - 1]);

			d = MIN(d, MIN(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = MIN(d, before[j - 2] + 1);
			now[j] = d;
			least = MIN(least, d);
		}
		if (least > far)
			return far + 1;
		swap = before;
		before = last;
		last = now;
		now = swap;
	}
	return last[nb];
}
