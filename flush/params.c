/* SPDX-License-Identifier: ISC */
#include "flush/params.h"

#include "lib/base/attr.h"

static const struct conf_param rows[] = {
    CONF_TEXT(struct flush_params, domains, "fast_flush_domains", "$relay_domains",
        "Destinations of whose deferred mail a record is kept, for ETRN."),
    CONF_SECS(struct flush_params, purge_time, "fast_flush_purge_time", "7d", 1, 0,
        "Empty records of destinations are removed after this time."),
    CONF_SECS(struct flush_params, refresh_time, "fast_flush_refresh_time", "12h", 1, 0,
        "Mail in a record that nobody asked for in this time is tried."),
    CONF_LIST(struct flush_params, parent_domain_matches_subdomains,
        "parent_domain_matches_subdomains",
        "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,"
        "qmqpd_authorized_clients,relay_domains,smtpd_access_maps",
        "Parameters where example.com stands for its subdomains too."),
};
const struct conf_table flush_params = {rows, ARRAY_LEN(rows)};
