/* SPDX-License-Identifier: ISC */
#include "bounce/params.h"

#include "lib/base/attr.h"

#define ST struct bounce_params

static const struct conf_param rows[] = {
    CONF_SIZE(ST, bounce_size_limit, "bounce_size_limit", "50000", 1, 0,
        "Largest original message, in bytes, that a notice returns in full."),
    CONF_TEXT(ST, bounce_notice_recipient, "bounce_notice_recipient", "postmaster",
        "Who gets copies of non-delivery notices (notify_classes: bounce)."),
    CONF_TEXT(ST, twobounce_notice_recipient, "2bounce_notice_recipient", "postmaster",
        "Who is told of notices that could not be delivered (notify_classes: 2bounce)."),
    CONF_TEXT(ST, delay_notice_recipient, "delay_notice_recipient", "postmaster",
        "Who gets copies of delay warnings (notify_classes: delay)."),
    CONF_TEXT(ST, bounce_template_file, "bounce_template_file", "",
        "Texts of notices; accepted, not used yet."),
    CONF_SECS(ST, maximal_queue_lifetime, "maximal_queue_lifetime", "5d", 0, 0,
        "How long mail is tried, as the delay warning says."),
    CONF_SECS(ST, delay_warning_time, "delay_warning_time", "0h", 0, 0,
        "When the sender is warned of a delay, as the warning says; 0: never."),
    CONF_BOOL(ST, enable_original_recipient, "enable_original_recipient", "yes",
        "Notices tell the recipient before aliases too."),
    CONF_TEXT(ST, fast_flush_domains, "fast_flush_domains", "$relay_domains",
        "Destinations of whose deferred mail a record is kept, for ETRN."),
};
const struct conf_table bounce_param_table = {rows, ARRAY_LEN(rows)};
