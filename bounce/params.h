/* SPDX-License-Identifier: ISC */
#ifndef BOUNCE_PARAMS_H
#define BOUNCE_PARAMS_H

#include "lib/conf/conf.h"

struct bounce_params {
	int64_t bounce_size_limit;
	const char *bounce_notice_recipient, *twobounce_notice_recipient, *delay_notice_recipient;
	const char *bounce_template_file;
	int maximal_queue_lifetime;
	const char *fast_flush_domains;
	bool enable_original_recipient, enable_threaded_bounces, disable_verp_bounces;
	bool redact;       /* requiretls_redact_dsn */
	bool old_logfiles; /* accepted: there is one format */
	const char *defer_service, *trace_service, *verify_service;
};
extern const struct conf_table bounce_param_table;

#endif
