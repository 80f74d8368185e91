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
        "The file with the texts of notices, bounce(5); empty: built-in texts."),
    CONF_SECS(ST, maximal_queue_lifetime, "maximal_queue_lifetime", "5d", 0, 0,
        "How long mail is tried, as the delay warning says."),
    CONF_BOOL(ST, enable_original_recipient, "enable_original_recipient", "yes",
        "Notices tell the recipient before aliases too."),
    CONF_TEXT(ST, fast_flush_domains, "fast_flush_domains", "$relay_domains",
        "Destinations of whose deferred mail a record is kept, for ETRN."),
    CONF_BOOL(ST, enable_threaded_bounces, "enable_threaded_bounces", "no",
        "Notices refer to the Message-ID of the message that they are about."),
    CONF_BOOL(ST, redact, "requiretls_redact_dsn", "yes",
        "Notices about messages with REQUIRETLS return no more than the header (RFC 8689)."),
    CONF_BOOL(ST, disable_verp_bounces, "disable_verp_bounces", "no",
        "One notice for all recipients of a message sent with VERP."),
    CONF_BOOL(ST, old_logfiles, "backwards_bounce_logfile_compatibility", "yes",
        "Accepted: there is only one format of bounce logs."),
    CONF_TEXT(ST, defer_service, "defer_service_name", "defer",
        "The name under which this program keeps what has to wait."),
    CONF_TEXT(ST, trace_service, "trace_service_name", "trace",
        "The name under which this program makes delivery reports."),
    CONF_TEXT(ST, verify_service, "address_verify_service_name", "verify",
        "The service that is told what became of address probes: verify(8)."),
};
const struct conf_table bounce_param_table = {rows, ARRAY_LEN(rows)};
