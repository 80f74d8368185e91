/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONF_CATALOGUE_H
#define LIB_CONF_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Every parameter name that Postfix 3.7 to 3.11 knows, with its default as text. Sorted by name.
 * Used for $name of parameters that no table in this program describes, for "did you mean", and to
 * tell a name that has no effect yet from one that nobody knows. dflt NULL: computed at run time
 * or set by the program (myhostname, process_id, ...).
 */
struct catalogue_row {
	const char *name;
	const char *dflt;
};

extern const struct catalogue_row catalogue_rows[];
extern const size_t catalogue_count;

/* Is it a name that Postfix will drop? *instead_out: what to write for it; NULL: nothing. */
bool catalogue_deprecated(const char *name, const char **instead_out);

const struct catalogue_row *catalogue_find(const char *name); /* NULL when unknown */

#endif
