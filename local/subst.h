/* SPDX-License-Identifier: ISC */
#ifndef LOCAL_SUBST_H
#define LOCAL_SUBST_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/*
 * $name expansion with the attributes of one delivery (forward_path, luser_relay, ...): $name,
 * ${name}, $(name), ${name?text}, ${name:text}, ${name?{text}:{text}}. Pure.
 */
struct subst_value {
	const char *name, *value; /* "" counts as not defined */
};
struct subst {
	const struct subst_value *values;
	size_t count;
	const char *filter; /* characters that values may bring in; others become '_'. NULL: all */
};

/* The expanded text in arena; NULL with err on a malformed expression or an unknown name. */
const char *subst_expand(
    const struct subst *subst, const char *text, struct arena *arena, struct err *err);
/* A copy of value in arena with each byte that is not in filter replaced by '_'. */
const char *subst_filter(const char *value, const char *filter, struct arena *arena);

#endif
