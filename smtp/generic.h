/* SPDX-License-Identifier: ISC */
#ifndef SMTP_GENERIC_H
#define SMTP_GENERIC_H

#include "lib/base/arena.h"
#include "lib/conf/core.h"
#include "lib/mail/header.h"
#include "lib/table/table.h"
#include "smtp/content_params.h"

/* smtp_generic_maps: addresses as the world may see them, in envelopes and headers. */
struct generic;

/* NULL: there are no such tables. What it is given must outlive it. */
struct generic *generic_open(
    const struct smtp_content_params *params, const struct core_params *core);
void generic_close(struct generic **generic);
enum table_age generic_age(const struct generic *generic); /* NULL: fresh */

/* *out is the address itself when no table has it, else in arena. -1 with err: a table failed. */
int generic_map(struct generic *generic, const char *address, struct arena *arena, const char **out,
    struct err *err);

/* The field with its addresses mapped, appended to out; display names, comments and all that cannot
 * be read stay. -1 with err. */
int generic_map_field(
    struct generic *generic, const struct header *field, struct str *out, struct err *err);
/* Does a field of this name have addresses of senders or recipients? */
bool generic_has_addresses(struct slice name);

#endif
