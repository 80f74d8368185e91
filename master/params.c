/* SPDX-License-Identifier: ISC */
#include "master/params.h"

#include "lib/base/attr.h"

static const struct conf_param rows[] = {
    CONF_TEXT(struct master_params, process_id_directory, "process_id_directory", "pid",
        "Where master's process id file is, relative to queue_directory."),
    CONF_LIST(struct master_params, service_disable, "master_service_disable", "",
        "Services of master.cf (type, or name/type) for which no socket is made."),
};

const struct conf_table master_params = {rows, ARRAY_LEN(rows)};
