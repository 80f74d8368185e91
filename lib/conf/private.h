/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONF_PRIVATE_H
#define LIB_CONF_PRIVATE_H

#include "lib/base/map.h"
#include "lib/conf/conf.h"

/* What the files of lib/conf share and nobody else sees. */

struct setting {
	const char *name;
	const char *value;
	const char *origin;
};

struct conf {
	struct arena arena;
	char *etc;
	struct setting **set; /* what main.cf sets, in the order of the file */
	size_t set_count, set_cap;
	struct map *by_name;    /* main.cf: name -> struct setting */
	struct map *overrides;  /* name -> struct setting */
	struct map *defaults;   /* name -> const struct conf_param of a registered table */
	struct map *computed;   /* name -> char *, in the arena */
	struct map *complained; /* family names whose bad value was logged */
	struct str warnings;
	bool in_mydomain; /* working out mydomain, which asks for myhostname */
};

/* Computed defaults; NULL when the name has none. Result in the conf's arena. */
const char *conf_compute(struct conf *conf, const char *name);

#endif
