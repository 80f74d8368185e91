/* SPDX-License-Identifier: ISC */
#include "verify/params.h"

#include "lib/base/attr.h"

#define ST struct verify_params

static const struct conf_param rows[] = {
    CONF_TEXT(ST, map, "address_verify_map", "$default_cache_db_type:$data_directory/verify_cache",
        "The file that keeps what is known of addresses; empty: memory, lost at a restart."),
    CONF_TEXT(ST, sender, "address_verify_sender", "$double_bounce_sender",
        "Sender of probes; empty or <>: the null sender."),
    CONF_SECS(ST, sender_ttl, "address_verify_sender_ttl", "0s", 0, 0,
        "How often the sender of probes changes; 0: never."),
    CONF_BOOL(ST, negative_cache, "address_verify_negative_cache", "yes",
        "Remember addresses that cannot be delivered to."),
    CONF_SECS(ST, positive_expire, "address_verify_positive_expire_time", "31d", 1, 0,
        "How long a good address is believed to be good."),
    CONF_SECS(ST, positive_refresh, "address_verify_positive_refresh_time", "7d", 1, 0,
        "After so long a good address that is asked for is probed anew."),
    CONF_SECS(ST, negative_expire, "address_verify_negative_expire_time", "3d", 1, 0,
        "How long a bad address is believed to be bad."),
    CONF_SECS(ST, negative_refresh, "address_verify_negative_refresh_time", "3h", 1, 0,
        "After so long a bad address that is asked for is probed anew."),
    CONF_SECS(ST, cleanup_interval, "address_verify_cache_cleanup_interval", "12h", 0, 0,
        "How often what has expired is removed from address_verify_map; 0: never."),
    CONF_INT(ST, pending_limit, "address_verify_pending_request_limit", "5000", 1, 0,
        "Probes on their way at once."),
    CONF_TEXT(ST, default_transport, "address_verify_default_transport", "$default_transport",
        "default_transport for probes."),
    CONF_TEXT(ST, local_transport, "address_verify_local_transport", "$local_transport",
        "local_transport for probes."),
    CONF_TEXT(ST, relay_transport, "address_verify_relay_transport", "$relay_transport",
        "relay_transport for probes."),
    CONF_TEXT(ST, virtual_transport, "address_verify_virtual_transport", "$virtual_transport",
        "virtual_transport for probes."),
    CONF_TEXT(ST, relayhost, "address_verify_relayhost", "$relayhost", "relayhost for probes."),
    CONF_TEXT(ST, transport_maps, "address_verify_transport_maps", "$transport_maps",
        "transport_maps for probes."),
    CONF_TEXT(ST, sender_dependent_relayhost_maps, "address_verify_sender_dependent_relayhost_maps",
        "$sender_dependent_relayhost_maps", "sender_dependent_relayhost_maps for probes."),
    CONF_TEXT(ST, sender_dependent_default_transport_maps,
        "address_verify_sender_dependent_default_transport_maps",
        "$sender_dependent_default_transport_maps",
        "sender_dependent_default_transport_maps for probes."),
};
const struct conf_table verify_params = {rows, ARRAY_LEN(rows)};
