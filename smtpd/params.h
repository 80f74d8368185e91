/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_PARAMS_H
#define SMTPD_PARAMS_H

#include "lib/conf/conf.h"

/* What smtpd_forbid_bare_newline may say. A bare LF never ends a message, whatever is chosen. */
enum bare_newline {
	BARE_NEWLINE_ACCEPT,
	BARE_NEWLINE_NORMALIZE,
	BARE_NEWLINE_NOTE,
	BARE_NEWLINE_REJECT
};

/* The *_tempfail_action parameters. */
enum tempfail { TEMPFAIL_DEFER_IF_PERMIT, TEMPFAIL_DEFER };

enum upstream_proxy { PROXY_NONE, PROXY_HAPROXY };

/* The parameters of smtpd(8), filled from smtpd_params. */
struct smtpd_params {
	const char *banner;
	int timeout;
	bool per_request_deadline;
	int min_data_rate;
	int recipient_limit, recipient_overshoot_limit;
	int soft_error_limit, hard_error_limit, error_sleep_time, junk_command_limit;
	bool helo_required, delay_reject, disable_vrfy, strict_rfc821_envelopes;
	bool peername_lookup, client_port_logging;
	bool reject_unlisted_recipient, reject_unlisted_sender;
	bool relay_before_recipient, forbid_unauth_pipelining, allow_untrusted_routing;
	int forbid_bare_newline, forbid_bare_newline_reject_code;
	const char *forbid_bare_newline_exclusions;
	const char *forbidden_commands;
	struct conf_list noop_commands, discard_ehlo_keywords;
	const char *discard_ehlo_keyword_address_maps, *command_filter;
	const char *authorized_xclient_hosts, *authorized_xforward_hosts;
	const char *reject_footer, *reject_footer_maps, *expansion_filter;
	bool strict_smtputf8;
	bool delay_open_until_valid_rcpt, hide_client_session;
	int history_flush_threshold;
	int upstream_proxy_protocol, upstream_proxy_timeout;
	const char *upstream_proxy_networks;
	const char *client_restrictions, *helo_restrictions, *sender_restrictions;
	const char *relay_restrictions, *recipient_restrictions;
	const char *data_restrictions, *end_of_data_restrictions, *etrn_restrictions;
	const char *flush_service_name, *error_notice_recipient, *bounce_notice_recipient;
	const char *authorized_verp_clients, *default_verp, *verp_filter;
	const char *local_header_rewrite_clients;
	const char *content_filter, *cleanup_service_name;
	int defer_code, reject_code, relay_domains_reject_code;
	int unknown_local_recipient_reject_code, unknown_relay_recipient_reject_code;
	int unknown_virtual_alias_reject_code, unknown_virtual_mailbox_reject_code;
	int unknown_client_reject_code, unknown_hostname_reject_code, unknown_address_reject_code;
	int invalid_hostname_reject_code, non_fqdn_reject_code, multi_recipient_bounce_reject_code;
	int plaintext_reject_code;
	int maps_rbl_reject_code;
	const char *address_verify_service_name;
	int address_verify_poll_count, address_verify_poll_delay;
	int unverified_sender_reject_code, unverified_sender_defer_code;
	int unverified_sender_tempfail;
	const char *unverified_sender_reject_reason;
	int unverified_recipient_reject_code, unverified_recipient_defer_code;
	int unverified_recipient_tempfail;
	const char *unverified_recipient_reject_reason;
	struct conf_list maps_rbl_domains;
	const char *default_rbl_reply, *rbl_reply_maps, *sender_login_maps;
	const char *permit_mx_backup_networks, *dns_reply_filter;
	struct conf_list dns_resolver_address;
	const char *policy_default_action, *policy_context;
	int policy_max_idle, policy_max_ttl, policy_request_limit, policy_retry_delay;
	int policy_timeout, policy_try_limit;
	int access_map_reject_code, access_map_defer_code;
	const char *null_access_lookup_key, *log_permit_actions;
	struct conf_list restriction_classes;
	int unknown_address_tempfail, unknown_hostname_tempfail; /* enum tempfail */
	/* limits.h */
	int anvil_rate_time_unit;
	int client_connection_count_limit, client_connection_rate_limit;
	int client_message_rate_limit, client_recipient_rate_limit;
	int client_new_tls_session_rate_limit, client_auth_rate_limit;
	int client_ipv4_prefix, client_ipv6_prefix;
	const char *client_event_limit_exceptions;
	const char *login_limit_maps, *sender_limit_maps;
};
extern const struct conf_table smtpd_params;
extern const struct conf_table smtpd_tls_params;  /* tls_params.h */
extern const struct conf_table smtpd_auth_params; /* auth_params.h */

#endif
