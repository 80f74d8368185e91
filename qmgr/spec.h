/* SPDX-License-Identifier: ISC */
#ifndef QMGR_SPEC_H
#define QMGR_SPEC_H

#include "lib/base/attr.h"
#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/str.h"

/* What the values of rate and back-off tables are made of: words, times, name=value. Pure. */

/* The next word of *rest; false at the end. */
bool spec_word(struct slice *rest, struct slice *word_out);
/* "90", "90s", "5m", "h" (one hour), "2d": 1 to max seconds. */
bool spec_seconds(struct slice text, int64_t max, int64_t *seconds_out);

struct spec_option {
	const char *name;
	int (*parse)(struct slice value, void *into, struct err *err);
};
/* All words of rest must be options, each at most once. */
int spec_options(struct slice rest, const struct spec_option *options, size_t count, void *into,
    struct err *err);

#endif
