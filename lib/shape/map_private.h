/* SPDX-License-Identifier: ISC */
#ifndef LIB_SHAPE_MAP_PRIVATE_H
#define LIB_SHAPE_MAP_PRIVATE_H

#include "lib/base/map.h"
#include "lib/conf/core.h"
#include "lib/shape/map.h"
#include "lib/table/match.h"

/* The inside of a mapper, private to lib/shape. */
struct mapper {
	const struct core_params *core;
	const struct map_params *params;
	struct router *router;
	struct table_chain *canonical, *sender_canonical, *recipient_canonical;
	struct table_chain *aliases, *sender_bcc, *recipient_bcc;
	struct match_list *masquerade_exceptions;
	struct str value;  /* of one lookup */
	struct arena work; /* for the expansion of one recipient */
};

/* Texts in the order of their coming; all of it lives in the arena. */
struct texts {
	struct arena *arena;
	const char **items;
	size_t count, cap;
};
void texts_add(struct texts *list, const char *text); /* a copy of it */

/* What a table has for an address; extensions and bare names as for all of these tables. */
enum table_answer mapper_ask(struct mapper *m, struct table_chain *maps, const char *address,
    bool propagate, table_mapped_fn *fn, void *arg, struct err *err);

#endif
