/* SPDX-License-Identifier: ISC */
#ifndef QMGR_PARAMS_H
#define QMGR_PARAMS_H

#include "lib/conf/conf.h"

struct qmgr_params {
	int active_limit, recipient_limit, recipient_minimum;
	int minimal_backoff, maximal_backoff; /* seconds */
	int queue_run_delay;
	int maximal_lifetime, bounce_lifetime;
	int transport_retry_time;
	int daemon_timeout, ipc_timeout; /* seconds */
	int clog_warn_time;
	int delay_warning;
	bool confirm_delay_cleared;
	const char *bounce_service, *defer_service, *trace_service;
	int default_concurrency, default_recipients, initial_concurrency, failed_cohort_limit;
	struct conf_feedback positive_feedback, negative_feedback;
	bool feedback_debug;
	int slot_cost, slot_loan, slot_discount, minimum_slots;
	int memory_limit, extra_limit, refill_limit, refill_delay;
	struct conf_list defer_transports;
	int rate_delay, transport_rate_delay;
	const char *transport_rate_maps, *destination_rate_maps, *mx_rate_maps;
	const char *destination_backoff_maps;
};

extern const struct conf_table qmgr_params;

#endif
