/* SPDX-License-Identifier: ISC */
#include "anvil/params.h"

#include "lib/base/attr.h"

#define ST struct anvil_params

static const struct conf_param rows[] = {
    CONF_SECS(ST, rate_time_unit, "anvil_rate_time_unit", "60s", 1, 0,
        "The time over which connections, messages and so on of a client are counted."),
    CONF_SECS(ST, status_update_time, "anvil_status_update_time", "600s", 1, 0,
        "How often the highest counts are logged."),
    CONF_INT(ST, client_capacity, "anvil_client_limit", "100000", 64, 20000000,
        "Clients that are remembered at once; those that were silent longest are forgotten."),
    CONF_INT(ST, account_capacity, "anvil_account_limit", "30000", 64, 20000000,
        "Logins and senders whose messages of the hour and day are remembered at once."),
};
const struct conf_table anvil_params = {rows, ARRAY_LEN(rows)};
