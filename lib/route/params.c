/* SPDX-License-Identifier: ISC */
#include "lib/route/route.h"

#include "lib/base/attr.h"

#define P struct route_params

static const struct conf_param rows[] = {
    CONF_TEXT(P, relayhost, "relayhost", "",
        "Where mail for domains that are not ours goes; empty: to the domain's own servers."),
    CONF_TEXT(P, default_transport, "default_transport", "smtp",
        "Transport, and perhaps nexthop, for domains that are not ours."),
    CONF_TEXT(P, local_transport, "local_transport", "local:$myhostname",
        "Transport for the domains of mydestination and for our own addresses."),
    CONF_TEXT(P, relay_transport, "relay_transport", "relay",
        "Transport for the domains of relay_domains."),
    CONF_TEXT(P, virtual_transport, "virtual_transport", "virtual",
        "Transport for the domains of virtual_mailbox_domains."),
    CONF_TEXT(P, transport_maps, "transport_maps", "",
        "Tables from addresses and domains to transport:nexthop."),
    CONF_TEXT(P, sender_dependent_relayhost_maps, "sender_dependent_relayhost_maps", "",
        "Tables from senders to what stands in place of relayhost."),
    CONF_TEXT(P, sender_dependent_default_transport_maps, "sender_dependent_default_transport_maps",
        "", "Tables from senders to what stands in place of default_transport."),
    CONF_TEXT(P, virtual_alias_domains, "virtual_alias_domains", "$virtual_alias_maps",
        "Domains all of whose addresses are aliases in virtual_alias_maps."),
    CONF_TEXT(P, virtual_mailbox_domains, "virtual_mailbox_domains", "$virtual_mailbox_maps",
        "Domains whose mailboxes are not those of system users."),
    CONF_TEXT(P, virtual_mailbox_maps, "virtual_mailbox_maps", "",
        "Tables with the mailboxes of virtual_mailbox_domains."),
    CONF_TEXT(P, proxy_interfaces, "proxy_interfaces", "",
        "Our addresses on the far side of a proxy or address translator."),
    CONF_LIST(P, parent_domain_matches_subdomains, "parent_domain_matches_subdomains",
        "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,"
        "qmqpd_authorized_clients,relay_domains,smtpd_access_maps",
        "Parameters where example.com stands for its subdomains too."),
    CONF_TEXT(P, local_recipient_maps, "local_recipient_maps",
        "proxy:unix:passwd.byname $alias_maps",
        "Tables with all local recipients; empty: all are accepted."),
    CONF_TEXT(P, relay_recipient_maps, "relay_recipient_maps", "",
        "Tables with all recipients of relay_domains; empty: all are accepted."),
    CONF_TEXT(P, null_relayhost_key, "empty_address_relayhost_maps_lookup_key", "<>",
        "What is looked up in sender_dependent_relayhost_maps for the null sender."),
    CONF_TEXT(P, null_default_transport_key, "empty_address_default_transport_maps_lookup_key",
        "<>", "What is looked up in sender_dependent_default_transport_maps for the null sender."),
    CONF_BOOL(P, append_at_myorigin, "append_at_myorigin", "yes",
        "Complete addresses without a domain by @$myorigin."),
    CONF_BOOL(P, append_dot_mydomain, "append_dot_mydomain",
        "${{$compatibility_level} <level {1} ? {yes} : {no}}",
        "Complete domains without a dot by .$mydomain."),
    CONF_BOOL(P, swap_bangpath, "swap_bangpath", "yes", "Turn site!user into user@site."),
    CONF_BOOL(
        P, allow_percent_hack, "allow_percent_hack", "yes", "Turn user%domain into user@domain."),
    CONF_BOOL(P, resolve_dequoted_address, "resolve_dequoted_address", "yes",
        "Look for @, % and ! in quoted local parts too, so that no one relays by quoting."),
    CONF_BOOL(P, resolve_null_domain, "resolve_null_domain", "no",
        "Take user@ as a local address instead of as an error."),
    CONF_BOOL(P, resolve_numeric_domain, "resolve_numeric_domain", "no",
        "Take user@192.0.2.1 as user@[192.0.2.1] instead of as an error."),
    CONF_BOOL(P, allow_min_user, "allow_min_user", "no",
        "Take addresses that begin with '-', which programs could mistake for an option."),
    CONF_BOOL(P, show_user_unknown_table_name, "show_user_unknown_table_name", "yes",
        "Name the table in which an unknown recipient was not found."),
};

const struct conf_table route_params = {rows, ARRAY_LEN(rows)};
