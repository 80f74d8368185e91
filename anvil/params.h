/* SPDX-License-Identifier: ISC */
#ifndef ANVIL_PARAMS_H
#define ANVIL_PARAMS_H

#include "lib/conf/conf.h"

struct anvil_params {
	int rate_time_unit, status_update_time; /* seconds */
	int client_capacity, account_capacity;
};
extern const struct conf_table anvil_params;

#endif
