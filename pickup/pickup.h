/* SPDX-License-Identifier: ISC */
#ifndef PICKUP_PICKUP_H
#define PICKUP_PICKUP_H

#include "lib/base/map.h"
#include "lib/peer/note.h"
#include "lib/queue/store.h"
#include "lib/route/route.h"
#include "lib/service/service.h"
#include "lib/shape/shape.h"

/* pickup(8): from maildrop/ into the queue. */
struct pickup {
	struct service *service; /* NULL in tests */
	const struct core_params *core;
	struct queue_params queue_params;
	struct shape_params shape_params;
	struct map_params map_params;
	struct route_params route_params;
	struct queue *queue;
	struct router *router;
	struct mapper *mapper;
	struct checks *checks;
	struct notifier *notifier;
	uint32_t generation;
	struct map *stuck; /* names of files that can be neither taken nor set aside */
};

enum pickup_result {
	PICKUP_TAKEN,   /* in the queue; the file is gone */
	PICKUP_SKIPPED, /* not there, not complete, or set aside */
	PICKUP_STOP,    /* the queue takes nothing now: try all again later */
};

/* One file of maildrop/. */
enum pickup_result pickup_take(struct pickup *p, const char *name);

/*
 * Takes everything that is in maildrop/, a bounded batch of names at a time, until nothing new is
 * found. Returns the number taken.
 */
size_t pickup_run(struct pickup *p);

#endif
