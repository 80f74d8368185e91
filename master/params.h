/* SPDX-License-Identifier: ISC */
#ifndef MASTER_PARAMS_H
#define MASTER_PARAMS_H

#include "lib/conf/conf.h"

/* What master alone reads from main.cf. */
struct master_params {
	const char *process_id_directory;
	struct conf_list service_disable; /* "inet", "smtp/inet", "!submission/inet" ... */
};

extern const struct conf_table master_params;

#endif
