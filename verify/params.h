/* SPDX-License-Identifier: ISC */
#ifndef VERIFY_PARAMS_H
#define VERIFY_PARAMS_H

#include "lib/conf/conf.h"

struct verify_params {
	const char *map, *sender;
	bool negative_cache;
	int positive_expire, positive_refresh, negative_expire, negative_refresh; /* seconds */
	int cleanup_interval, sender_ttl;
	int pending_limit;
	const char *default_transport, *local_transport, *relay_transport, *virtual_transport;
	const char *relayhost, *transport_maps;
	const char *sender_dependent_relayhost_maps, *sender_dependent_default_transport_maps;
};
extern const struct conf_table verify_params;

#endif
