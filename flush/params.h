/* SPDX-License-Identifier: ISC */
#ifndef FLUSH_PARAMS_H
#define FLUSH_PARAMS_H

#include "lib/conf/conf.h"

struct flush_params {
	const char *domains;
	int purge_time, refresh_time;
	struct conf_list parent_domain_matches_subdomains;
};
extern const struct conf_table flush_params;

#endif
