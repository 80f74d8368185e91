/* SPDX-License-Identifier: ISC */
#ifndef SCACHE_PARAMS_H
#define SCACHE_PARAMS_H

#include "lib/conf/conf.h"

struct scache_params {
	int ttl_limit, protocol_timeout, status_update_time; /* seconds */
	int session_limit;
};
extern const struct conf_table scache_params;

#endif
