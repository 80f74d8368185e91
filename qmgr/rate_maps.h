/* SPDX-License-Identifier: ISC */
#ifndef QMGR_RATE_MAPS_H
#define QMGR_RATE_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "qmgr/rate.h"

/*
 * Rates from lookup tables: transport_rate_maps, destination_rate_maps, mx_rate_maps. A limit is a
 * bucket that all share whose lookup found the same key of the same kind, or whose rates name the
 * same share; it is kept while somebody refers to it or until it is full again.
 */
enum { RATE_LINE_MS = 1000 };
enum rate_kind { RATE_TRANSPORT, RATE_DESTINATION, RATE_MX, RATE_KINDS };

struct rate_limit {
	char *name; /* "destination example.com", "share big" */
	struct rate rate;
	struct tokens tokens;
	double line_ms; /* when the last of those who wait for it wakes up */
	size_t refs;
};

/*
 * When somebody who finds the bucket empty until `opens` wakes up to look again: those who share it
 * do so one after the other, as the bucket fills. (If all of them did at once, thousands would wake
 * up for one token.) Beyond a second they are not told apart, so that a place in line that nobody
 * uses costs little. planned: the time that was said before, which is kept while it makes sense.
 */
int64_t rate_limit_wakes(struct rate_limit *limit, int64_t planned, int64_t opens);

struct conf_report;
struct conf;
struct qmgr_params;
struct rate_maps {
	struct table_chain **tables[RATE_KINDS]; /* one each, NULL at the end; NULL: none at all */
	struct map *limits;                      /* name -> struct rate_limit */
};

void rate_maps_init(struct rate_maps *maps, const struct qmgr_params *params);
/* Is there a table of that kind at all? */
bool rate_maps_has(const struct rate_maps *maps, enum rate_kind kind);
/*
 * The limit for a transport's name, a next hop or a host, or NULL: none. It is the caller's to
 * release. A value that is no rate is logged and means none.
 */
struct rate_limit *rate_maps_find(
    struct rate_maps *maps, enum rate_kind kind, const char *what, int64_t now_ms);
void rate_maps_release(struct rate_maps *maps, struct rate_limit **limit, int64_t now_ms);
/* Forgets what nobody refers to and is full again. */
void rate_maps_sweep(struct rate_maps *maps, int64_t now_ms);

#endif
