/* SPDX-License-Identifier: ISC */
#include "lib/shape/shape.h"

#include "lib/base/attr.h"

#define P struct shape_params

static const struct conf_enum from_formats[] = {
    {"standard", SHAPE_FROM_STANDARD},
    {"obsolete", SHAPE_FROM_OBSOLETE},
    {NULL, 0},
};

static const struct conf_enum origins[] = {
    {"sendmail", SHAPE_BY_SENDMAIL},
    {"smtpd", SHAPE_BY_SMTPD},
    {"qmqpd", 0},
    {"forward", SHAPE_BY_FORWARD},
    {"bounce", SHAPE_BY_BOUNCE},
    {"notify", SHAPE_BY_NOTIFY},
    {"verify", SHAPE_BY_VERIFY},
    {"all", SHAPE_BY_SENDMAIL | SHAPE_BY_SMTPD | SHAPE_BY_FORWARD | SHAPE_BY_BOUNCE |
                SHAPE_BY_NOTIFY | SHAPE_BY_VERIFY},
    {NULL, 0},
};

static const struct conf_enum overrides[] = {
    {"no_unknown_recipient_checks", SHAPE_NO_UNKNOWN_CHECKS},
    {"no_address_mappings", SHAPE_NO_MAPPINGS},
    {"no_header_body_checks", SHAPE_NO_CONTENT_CHECKS},
    {"no_milters", SHAPE_NO_MILTERS},
    {NULL, 0},
};

static const struct conf_param rows[] = {
    CONF_SET(P, overrides, "receive_override_options", "", overrides,
        "What is not done with mail that this service takes: no_unknown_recipient_checks, "
        "no_address_mappings, no_header_body_checks, no_milters."),
    CONF_INT(P, header_size_limit, "header_size_limit", "102400", 1, 0,
        "Bytes of one header field; what exceeds it is dropped."),
    CONF_TEXT(P, header_checks, "header_checks", "",
        "Tables of actions on header fields of mail that comes in."),
    CONF_TEXT(P, mime_header_checks, "mime_header_checks", "$header_checks",
        "The same for fields of MIME, and of parts."),
    CONF_TEXT(P, nested_header_checks, "nested_header_checks", "$header_checks",
        "The same for fields of messages within."),
    CONF_TEXT(P, body_checks, "body_checks", "",
        "Tables of actions on lines of the body of mail that comes in."),
    CONF_SIZE(P, body_checks_size_limit, "body_checks_size_limit", "51200", 0, 0,
        "How much of each part of a body is looked at by body checks."),
    CONF_INT(P, mime_boundary_length_limit, "mime_boundary_length_limit", "2048", 1, 0,
        "So much of a MIME boundary counts."),
    CONF_INT(P, mime_nesting_limit, "mime_nesting_limit", "100", 1, 0,
        "Parts within parts that are looked into."),
    CONF_BOOL(P, disable_mime_input, "disable_mime_input_processing", "no",
        "Take all that is behind the header of a message for its body."),
    CONF_SECS(P, in_flow_delay, "in_flow_delay", "1s", 0, 10,
        "Wait before a message is taken while more mail comes than the queue manager has room "
        "for."),
    CONF_INT(P, hopcount_limit, "hopcount_limit", "50", 1, 0,
        "Received: headers at which a message is taken to be in a loop."),
    CONF_LIST(P, message_drop_headers, "message_drop_headers",
        "bcc, content-length, resent-bcc, return-path", "Header fields that are removed."),
    CONF_BOOL(P, always_add_missing_headers, "always_add_missing_headers", "no",
        "Add Date:, From:, Message-Id: to mail of remote clients too."),
    CONF_TEXT(P, remote_header_rewrite_domain, "remote_header_rewrite_domain", "",
        "The domain that completes addresses in headers of remote clients' mail; empty: these stay "
        "as they are."),
    CONF_ENUM(P, header_from_format, "header_from_format", "standard", from_formats,
        "How a From: that is added looks: Name <address>, or address (Name)."),
    CONF_TEXT(P, undisclosed_recipients_header, "undisclosed_recipients_header", "",
        "The header to add to mail without To:, Cc: and Bcc:; empty: none."),
    CONF_BOOL(P, replace_stray_cr, "cleanup_replace_stray_cr_lf", "yes",
        "Make a blank of each CR that ends no line; a line feed without CR becomes a line end."),
    CONF_TEXT(P, message_reject_characters, "message_reject_characters", "",
        "Refuse mail with these characters; C escapes such as \\0 are understood."),
    CONF_TEXT(P, message_strip_characters, "message_strip_characters", "",
        "Remove these characters from mail; C escapes such as \\0 are understood."),
    CONF_BOOL(P, smtputf8_enable, "smtputf8_enable",
        "${{$compatibility_level} <level {1} ? {no} : {yes}}",
        "Addresses and headers may have other characters than ASCII."),
    CONF_SET(P, smtputf8_autodetect, "smtputf8_autodetect_classes", "sendmail, verify", origins,
        "Mail of which it is found out whether its way must know SMTPUTF8, by who brings it."),
};

const struct conf_table shape_params = {rows, ARRAY_LEN(rows)};
