/* SPDX-License-Identifier: ISC */
#ifndef LIB_AGENT_PARAMS_H
#define LIB_AGENT_PARAMS_H

#include "lib/conf/conf.h"

/* For agents that have no <agent>_delivery_status_filter of their own. */
struct agent_params {
	const char *status_filter;
};

extern const struct conf_table agent_params;

#endif
