/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_SHAPE_FIXTURE_H
#define TESTS_UNIT_LIB_SHAPE_FIXTURE_H

#include "lib/conf/core.h"
#include "lib/shape/shape.h"

/* A queue in a scratch folder, which becomes the working directory, and a shaper's context. */
struct fixture {
	char dir[64];
	struct conf *conf;
	struct core_params core;
	struct route_params route;
	struct queue_params queue_params;
	struct shape_params params;
	struct queue *queue;
	struct shape_context ctx;
	struct arena arena;

	/* of the last message */
	char id[QUEUE_ID_MAX];
	struct envelope env;
	struct location loc;
	struct err err;
	struct str content; /* as read back from the queue */
};

void fixture_init(struct fixture *f, const char *main_cf);
void fixture_fini(struct fixture *f);
/* Shapes the message in pieces of `piece` bytes and reads it back when it was taken. */
enum shape_result fixture_shape(struct fixture *f, const char *sender, const char *trace,
    const char *data, size_t len, size_t piece);

#endif
