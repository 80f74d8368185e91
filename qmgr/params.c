/* SPDX-License-Identifier: ISC */
#include "qmgr/params.h"

#include "lib/base/attr.h"

#define INT(m, name, dflt, lo, doc) CONF_INT(struct qmgr_params, m, name, dflt, lo, 0, doc)
#define SECS(m, name, dflt, lo, doc) CONF_SECS(struct qmgr_params, m, name, dflt, lo, 0, doc)
#define FEEDBACK(m, name, dflt, doc) CONF_FEEDBACK(struct qmgr_params, m, name, dflt, doc)
#define TEXT(m, name, dflt, doc) CONF_TEXT(struct qmgr_params, m, name, dflt, doc)
static const struct conf_param rows[] = {
    INT(active_limit, "qmgr_message_active_limit", "20000", 1,
        "Most messages in the active queue, that is, in the queue manager's memory."),
    INT(recipient_limit, "qmgr_message_recipient_limit", "20000", 1,
        "Most recipients in the queue manager's memory."),
    SECS(minimal_backoff, "minimal_backoff_time", "300s", 1,
        "Least time between attempts to deliver a deferred message."),
    SECS(maximal_backoff, "maximal_backoff_time", "4000s", 1,
        "Most time between attempts to deliver a deferred message."),
    SECS(
        queue_run_delay, "queue_run_delay", "300s", 1, "Time between looks at the deferred queue."),
    SECS(maximal_lifetime, "maximal_queue_lifetime", "5d", 0,
        "A message that cannot be delivered for so long is returned; 0: after one attempt."),
    SECS(bounce_lifetime, "bounce_queue_lifetime", "5d", 0,
        "As maximal_queue_lifetime, for messages with the null sender."),
    SECS(transport_retry_time, "transport_retry_time", "60s", 1,
        "Time before a delivery agent that could not be reached is tried again."),
    SECS(daemon_timeout, "qmgr_daemon_timeout", "1000s", 1,
        "How long the queue manager may hang before its watchdog ends it."),
    SECS(ipc_timeout, "qmgr_ipc_timeout", "60s", 1,
        "How long another daemon may take to accept a request, or bounce(8) to answer one."),
    SECS(clog_warn_time, "qmgr_clog_warn_time", "300s", 0,
        "Least time between warnings that one destination fills the active queue; 0: none."),
    SECS(delay_warning, "delay_warning_time", "0h", 0,
        "The sender of a message that is so old and not delivered is warned, once; 0: never."),
    CONF_BOOL(struct qmgr_params, confirm_delay_cleared, "confirm_delay_cleared", "no",
        "Who was warned of a delay is told when the message is delivered after all."),
    TEXT(bounce_service, "bounce_service_name", "bounce",
        "The service that keeps what failed and makes the notices."),
    TEXT(defer_service, "defer_service_name", "defer", "The service that keeps what has to wait."),
    TEXT(trace_service, "trace_service_name", "trace", "The service that makes delivery reports."),
    INT(default_concurrency, "default_destination_concurrency_limit", "20", 0,
        "Most parallel deliveries to one destination; 0: no limit."),
    INT(default_recipients, "default_destination_recipient_limit", "50", 0,
        "Most recipients in one delivery; 0: no limit."),
    INT(initial_concurrency, "initial_destination_concurrency", "5", 1,
        "Parallel deliveries that a new destination begins with."),
    INT(failed_cohort_limit, "default_destination_concurrency_failed_cohort_limit", "1", 0,
        "Failures in a row, counted in whole windows, after which a destination rests; 0: never."),
    FEEDBACK(positive_feedback, "default_destination_concurrency_positive_feedback", "1",
        "What a delivery that found the destination alive adds to its concurrency."),
    FEEDBACK(negative_feedback, "default_destination_concurrency_negative_feedback", "1",
        "What a delivery that did not find it alive takes away."),
    CONF_BOOL(struct qmgr_params, feedback_debug, "destination_concurrency_feedback_debug", "no",
        "Log each change of a destination's concurrency."),
    SECS(rate_delay, "default_destination_rate_delay", "0s", 0,
        "Pause after each delivery to one destination; deliveries are one at a time then."),
    SECS(transport_rate_delay, "default_transport_rate_delay", "0s", 0,
        "Time between the starts of deliveries by one transport, whoever they go to."),
};
const struct conf_table qmgr_params = {rows, ARRAY_LEN(rows)};
