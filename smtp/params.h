/* SPDX-License-Identifier: ISC */
#ifndef SMTP_PARAMS_H
#define SMTP_PARAMS_H

#include "lib/conf/conf.h"

/* What smtp(8) and lmtp(8) read from main.cf beside core_params; man/smtp.8 explains each. */
struct smtp_params {
	/* where to */
	const char *tcp_port, *fallback_relay, *best_mx_transport, *proxy_interfaces;
	const char *bind_address, *bind_address6;
	int host_lookup;          /* DNS_HOST_DNS, DNS_HOST_NATIVE */
	int dns_support_level;    /* enum smtp_dns_level */
	int dns_resolver_options; /* SMTP_RES_* */
	struct conf_list dns_resolver_address;
	const char *dns_reply_filter;
	int address_preference; /* enum smtp_preference */
	int mx_address_limit, mx_session_limit;
	bool disable_dns_lookups, ignore_mx_lookup_error, defer_if_no_mx_address_found;
	bool randomize_addresses, balance_inet_protocols, bind_address_enforce, cname_overrides;
	int unreachable_time;
	struct conf_list use_srv_lookup;
	bool ignore_srv_lookup_error, allow_srv_lookup_fallback;

	/* the dialogue */
	const char *helo_name;
	const char *error_notice_recipient;
	struct conf_list discard_ehlo_keywords;
	const char *discard_ehlo_keyword_address_maps, *reply_filter, *delivery_status_filter;
	int pix_workarounds; /* PIX_* */
	const char *pix_workaround_maps;
	int pix_threshold_time, pix_delay_time;
	int verify_target; /* enum smtp_verify_target */
	int line_length_limit;
	bool always_send_ehlo, never_send_ehlo, skip_5xx_greeting, skip_quit_response;
	bool quote_envelope, enable_original_recipient;
	bool assume_final; /* lmtp only; always_send_ehlo and never_send_ehlo are smtp's */

	/* time limits, seconds */
	int connect_timeout, helo_timeout, mail_timeout, rcpt_timeout;
	int data_init_timeout, data_xfer_timeout, data_done_timeout;
	int rset_timeout, quit_timeout;
	bool per_request_deadline;
	int min_data_rate; /* bytes a second */

	/* sessions kept for the next request */
	bool cache_on_demand;
	const char *cache_destinations, *cache_service_name;
	int cache_protocol_timeout, cache_time_limit, reuse_time_limit, reuse_count_limit;
};

enum smtp_dns_level { SMTP_DNS_LEGACY, SMTP_DNS_DISABLED, SMTP_DNS_ENABLED, SMTP_DNS_DNSSEC };
enum { SMTP_RES_DEFNAMES = 1 << 0, SMTP_RES_DNSRCH = 1 << 1 };
enum smtp_pix { PIX_DISABLE_ESMTP = 1 << 0, PIX_DELAY_DOTCRLF = 1 << 1 };
enum smtp_verify_target { SMTP_VERIFY_RCPT, SMTP_VERIFY_DATA };
enum smtp_preference { SMTP_PREFER_ANY, SMTP_PREFER_V4, SMTP_PREFER_V6 };

extern const struct conf_table smtp_auth_params, lmtp_auth_params;       /* auth_params.h */
extern const struct conf_table smtp_content_params, lmtp_content_params; /* content_params.h */
/* One struct, two sets of names: smtp_x and lmtp_x. */
extern const struct conf_table smtp_params, lmtp_params;
extern const struct conf_table smtp_tls_params, lmtp_tls_params; /* tls_params.h */

#endif
