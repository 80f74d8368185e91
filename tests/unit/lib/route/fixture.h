/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_ROUTE_FIXTURE_H
#define TESTS_UNIT_LIB_ROUTE_FIXTURE_H

#include "lib/conf/core.h"
#include "lib/route/route.h"

/* A router made from the text of a main.cf. */
struct fixture {
	struct conf *conf;
	struct core_params core;
	struct route_params params;
	struct router *router;
	struct arena arena;
};

void fixture_init(struct fixture *f, const char *main_cf);
void fixture_fini(struct fixture *f);

#endif
