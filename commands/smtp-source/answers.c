/* SPDX-License-Identifier: ISC */
#include "commands/smtp-source/answers.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"

void answers_add(struct answers *a, int64_t us)
{
	if (a->count == a->size) {
		a->size = MAX(2 * a->size, 1024);
		a->us = alloc_array(a->us, a->size, sizeof(*a->us));
	}
	a->us[a->count++] = us;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The smallest of which at least `percent` are not above it. */
static double percentile_ms(const struct answers *a, size_t percent)
{
	size_t rank = (a->count * percent + 99) / 100;

	return (double)a->us[rank ? rank - 1 : 0] / 1000;
}

void answers_show(struct answers *a)
{
	if (a->count == 0)
		return;
	qsort(a->us, a->count, sizeof(*a->us), by_size);
	printf("answers=%zu p50=%.1f p95=%.1f p99=%.1f max=%.1f ms\n", a->count,
	    percentile_ms(a, 50), percentile_ms(a, 95), percentile_ms(a, 99),
	    percentile_ms(a, 100));
}
