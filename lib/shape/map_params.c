/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "lib/shape/map.h"

#define P struct map_params
#define TEXT(m, name, doc) CONF_TEXT(P, m, name, "", doc)

const struct conf_enum propagate_names[] = {
    {"canonical", PROPAGATE_CANONICAL},
    {"virtual", PROPAGATE_VIRTUAL},
    {"alias", PROPAGATE_ALIAS},
    {"forward", PROPAGATE_FORWARD},
    {"include", PROPAGATE_INCLUDE},
    {"generic", PROPAGATE_GENERIC},
    {NULL, 0},
};

static const struct conf_enum classes[] = {
    {"envelope_sender", MAP_ENVELOPE_SENDER},
    {"envelope_recipient", MAP_ENVELOPE_RECIPIENT},
    {"header_sender", MAP_HEADER_SENDER},
    {"header_recipient", MAP_HEADER_RECIPIENT},
    {NULL, 0},
};

/* The classes of a table that is about senders only, or about recipients only. */
static const struct conf_enum sender_classes[] = {
    {"envelope_sender", MAP_ENVELOPE_SENDER},
    {"header_sender", MAP_HEADER_SENDER},
    {NULL, 0},
};
static const struct conf_enum recipient_classes[] = {
    {"envelope_recipient", MAP_ENVELOPE_RECIPIENT},
    {"header_recipient", MAP_HEADER_RECIPIENT},
    {NULL, 0},
};

static const struct conf_param rows[] = {
    TEXT(canonical_maps, "canonical_maps",
        "Tables: an address to the one that is written in its place, in envelopes and headers."),
    CONF_SET(P, canonical_classes, "canonical_classes",
        "envelope_sender, envelope_recipient, header_sender, header_recipient", classes,
        "Addresses that canonical_maps apply to."),
    TEXT(sender_canonical_maps, "sender_canonical_maps", "The same for senders, before it."),
    CONF_SET(P, sender_canonical_classes, "sender_canonical_classes",
        "envelope_sender, header_sender", sender_classes,
        "Addresses that sender_canonical_maps apply to."),
    TEXT(recipient_canonical_maps, "recipient_canonical_maps",
        "The same for recipients, before it."),
    CONF_SET(P, recipient_canonical_classes, "recipient_canonical_classes",
        "envelope_recipient, header_recipient", recipient_classes,
        "Addresses that recipient_canonical_maps apply to."),
    CONF_LIST(P, masquerade_domains, "masquerade_domains", "",
        "Domains whose subdomains are cut off addresses; !domain: those of it are left."),
    TEXT(masquerade_exceptions, "masquerade_exceptions",
        "User names whose addresses are left as they are by masquerade_domains."),
    CONF_SET(P, masquerade_classes, "masquerade_classes",
        "envelope_sender, header_sender, header_recipient", classes,
        "Addresses that masquerade_domains apply to."),
    CONF_TEXT(P, virtual_alias_maps, "virtual_alias_maps", "$virtual_maps",
        "Tables: a recipient to the recipients in its place."),
    CONF_INT(P, virtual_expansion_limit, "virtual_alias_expansion_limit", "1000", 1, 0,
        "Recipients that one recipient may become by virtual_alias_maps."),
    CONF_INT(P, virtual_recursion_limit, "virtual_alias_recursion_limit", "1000", 1, 0,
        "Lookups of an alias within an alias."),
    CONF_INT(P, virtual_length_limit, "virtual_alias_address_length_limit", "1000", 1, 0,
        "Characters of an address that virtual_alias_maps give."),
    CONF_SET(P, propagate, "propagate_unmatched_extensions", "canonical, virtual", propagate_names,
        "Tables whose results get the address extension that their key lacks."),
    TEXT(always_bcc, "always_bcc", "Who gets a copy of all mail."),
    TEXT(sender_bcc_maps, "sender_bcc_maps", "Tables: an envelope sender to who gets a copy."),
    TEXT(recipient_bcc_maps, "recipient_bcc_maps", "Tables: a recipient to who gets a copy."),
    CONF_INT(P, duplicate_filter_limit, "duplicate_filter_limit", "1000", 0, 0,
        "Recipients that are remembered, so that nobody gets a message twice; 0: all."),
    CONF_BOOL(P, enable_original_recipient, "enable_original_recipient", "yes",
        "Tell of recipients as they were before aliases; those who differ in that are not "
        "taken for one."),
};

const struct conf_table map_params = {rows, ARRAY_LEN(rows)};
