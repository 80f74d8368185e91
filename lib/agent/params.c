/* SPDX-License-Identifier: ISC */
#include "lib/agent/params.h"

#include "lib/base/attr.h"

static const struct conf_param rows[] = {
    CONF_TEXT(struct agent_params, status_filter, "default_delivery_status_filter", "",
        "Tables from delivery status and text to others."),
};

const struct conf_table agent_params = {rows, ARRAY_LEN(rows)};
