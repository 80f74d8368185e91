/* SPDX-License-Identifier: ISC */
#ifndef LIB_AGENT_FILTER_H
#define LIB_AGENT_FILTER_H

#include "lib/base/arena.h"

struct table_chain;

/*
 * default_delivery_status_filter and its like. Asks the tables for "dsn reason"; what stands there
 * takes its place when it has the same form and tells of success (2) as before, or of failure (4 or
 * 5) as before. Otherwise, and when a table fails, a warning with `where` in front is all. Texts
 * are from arena. filter may be NULL.
 */
void status_filter(struct table_chain *filter, const char *where, struct arena *arena,
    const char **dsn, const char **reason);

#endif
