/* SPDX-License-Identifier: ISC */
#include "commands/postconf/postconf.h"
#include "lib/conf/core.h"

const struct conf_table *const all_tables[] = {
    &core_params,
    NULL,
};
