/* SPDX-License-Identifier: ISC */
#include "scache/params.h"

#include "lib/base/attr.h"

#define ST struct scache_params

static const struct conf_param rows[] = {
    CONF_SECS(ST, ttl_limit, "connection_cache_ttl_limit", "2s", 1, 0,
        "Longest time that an unused connection is kept, whatever the delivery agent asked for."),
    CONF_SECS(ST, protocol_timeout, "connection_cache_protocol_timeout", "5s", 1, 0,
        "Time limit for talking to the connection cache."),
    CONF_SECS(ST, status_update_time, "connection_cache_status_update_time", "600s", 1, 0,
        "How often the use of the connection cache is logged."),
    CONF_INT(ST, session_limit, "connection_cache_session_limit", "1000", 1, 0,
        "Most connections that the connection cache holds at once."),
};
const struct conf_table scache_params = {rows, ARRAY_LEN(rows)};
