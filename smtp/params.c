/* SPDX-License-Identifier: ISC */
#include "smtp/params.h"

#include "lib/base/attr.h"
#include "lib/dns/dns.h"

static const struct conf_enum preferences[] = {
    {"any", SMTP_PREFER_ANY}, {"ipv4", SMTP_PREFER_V4}, {"ipv6", SMTP_PREFER_V6}, {NULL, 0}};

static const struct conf_enum dns_levels[] = {{"", SMTP_DNS_LEGACY},
    {"disabled", SMTP_DNS_DISABLED}, {"enabled", SMTP_DNS_ENABLED}, {"dnssec", SMTP_DNS_DNSSEC},
    {NULL, 0}};
static const struct conf_enum host_lookups[] = {
    {"dns", DNS_HOST_DNS}, {"native", DNS_HOST_NATIVE}, {NULL, 0}};
static const struct conf_enum resolver_options[] = {
    {"res_defnames", SMTP_RES_DEFNAMES}, {"res_dnsrch", SMTP_RES_DNSRCH}, {NULL, 0}};

#define P struct smtp_params

/* clang-format off */
static const struct conf_param rows[] = {
	CONF_TEXT(P, tcp_port, "smtp_tcp_port", "smtp", "Port of a destination that names none."),
	CONF_TEXT(P, fallback_relay, "smtp_fallback_relay", "$fallback_relay", "Relays for mail whose destination is not found or not reached."),
	CONF_TEXT(P, best_mx_transport, "best_mx_transport", "", "Transport for mail of which this host turns out to be the best mail exchanger."),
	CONF_TEXT(P, proxy_interfaces, "proxy_interfaces", "", "Addresses outside, of a proxy or translator, that lead to this host."),
	CONF_TEXT(P, bind_address, "smtp_bind_address", "", "Own IPv4 address to connect from."),
	CONF_TEXT(P, bind_address6, "smtp_bind_address6", "", "Own IPv6 address to connect from."),
	CONF_BOOL(P, bind_address_enforce, "smtp_bind_address_enforce", "no", "Defer mail when smtp_bind_address cannot be used."),
	CONF_SET(P, host_lookup, "smtp_host_lookup", "dns", host_lookups, "How to find the address of a host: dns, native, or both."),
	CONF_SET(P, dns_resolver_options, "smtp_dns_resolver_options", "", resolver_options, "res_defnames, res_dnsrch: complete short names."),
	CONF_LIST(P, dns_resolver_address, "dns_resolver_address", "", "Name servers to ask, address or address:port, instead of those in resolv.conf."),
	CONF_ENUM(P, dns_support_level, "smtp_dns_support_level", "", dns_levels, "enabled, dnssec or disabled."),
	CONF_TEXT(P, dns_reply_filter, "smtp_dns_reply_filter", "", "Tables from DNS records to IGNORE."),
	CONF_BOOL(P, disable_dns_lookups, "disable_dns_lookups", "no", "Look hosts up in the system's own service only, and no MX."),
	CONF_ENUM(P, address_preference, "smtp_address_preference", "any", preferences, "Address family tried first among equals."),
	CONF_INT(P, mx_address_limit, "smtp_mx_address_limit", "5", 0, 0, "Addresses tried for one destination; 0: all."),
	CONF_INT(P, mx_session_limit, "smtp_mx_session_limit", "2", 0, 0, "Sessions tried for one destination; 0: all."),
	CONF_BOOL(P, ignore_mx_lookup_error, "ignore_mx_lookup_error", "no", "Ask for an address when nobody knows the MX."),
	CONF_BOOL(P, defer_if_no_mx_address_found, "smtp_defer_if_no_mx_address_found", "no", "Defer, not bounce, when no MX host has an address."),
	CONF_BOOL(P, randomize_addresses, "smtp_randomize_addresses", "yes", "Shuffle addresses of equal preference."),
	CONF_BOOL(P, balance_inet_protocols, "smtp_balance_inet_protocols", "yes", "Keep both address families among the addresses tried."),

	CONF_TEXT(P, helo_name, "smtp_helo_name", "$myhostname", "Name in EHLO and HELO."),
	CONF_LIST(P, discard_ehlo_keywords, "smtp_discard_ehlo_keywords", "", "Features of servers to ignore."),
	CONF_INT(P, line_length_limit, "smtp_line_length_limit", "998", 0, 0, "Longer lines are broken; 0: never."),
	CONF_BOOL(P, always_send_ehlo, "smtp_always_send_ehlo", "yes", "Say EHLO to every server."),
	CONF_BOOL(P, never_send_ehlo, "smtp_never_send_ehlo", "no", "Say HELO to every server."),
	CONF_BOOL(P, skip_5xx_greeting, "smtp_skip_5xx_greeting", "yes", "A server that greets with 5xx is passed over, not believed."),
	CONF_BOOL(P, skip_quit_response, "smtp_skip_quit_response", "yes", "Do not wait for the answer to QUIT."),
	CONF_BOOL(P, quote_envelope, "smtp_quote_rfc821_envelope", "yes", "Quote envelope addresses where RFC 5321 wants it."),

	CONF_SECS(P, connect_timeout, "smtp_connect_timeout", "30s", 0, 0, "Time limit for a connection to come about."),
	CONF_SECS(P, helo_timeout, "smtp_helo_timeout", "300s", 1, 0, "Time limit for the greeting and the answer to EHLO or HELO."),
	CONF_SECS(P, mail_timeout, "smtp_mail_timeout", "300s", 1, 0, "Time limit for the answer to MAIL FROM."),
	CONF_SECS(P, rcpt_timeout, "smtp_rcpt_timeout", "300s", 1, 0, "Time limit for the answer to RCPT TO."),
	CONF_SECS(P, data_init_timeout, "smtp_data_init_timeout", "120s", 1, 0, "Time limit for the answer to DATA."),
	CONF_SECS(P, data_xfer_timeout, "smtp_data_xfer_timeout", "180s", 1, 0, "Time limit for a piece of content to be taken."),
	CONF_SECS(P, data_done_timeout, "smtp_data_done_timeout", "600s", 1, 0, "Time limit for the answer to the final dot."),
	CONF_SECS(P, rset_timeout, "smtp_rset_timeout", "20s", 1, 0, "Time limit for the answer to RSET."),
	CONF_SECS(P, quit_timeout, "smtp_quit_timeout", "300s", 1, 0, "Time limit for the answer to QUIT."),
	CONF_BOOL(P, per_request_deadline, "smtp_per_request_deadline",
        "${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}", "Bound the whole transfer of a message, by smtp_min_data_rate."),
	CONF_INT(P, min_data_rate, "smtp_min_data_rate", "500", 1, 0, "Bytes a second that a server must take."),

	CONF_BOOL(P, cache_on_demand, "smtp_connection_cache_on_demand", "yes", "Keep a session while more mail for its destination waits."),
	CONF_TEXT(P, cache_destinations, "smtp_connection_cache_destinations", "", "Destinations whose sessions are always kept."),
	CONF_TEXT(P, cache_service_name, "connection_cache_service_name", "scache", "Service that shares open sessions among processes; empty: none does."),
	CONF_SECS(P, cache_protocol_timeout, "connection_cache_protocol_timeout", "5s", 1, 0, "Time limit for talking to the connection cache."),
	CONF_SECS(P, cache_time_limit, "smtp_connection_cache_time_limit", "2s", 1, 0, "How long a session is kept without work."),
	CONF_SECS(P, reuse_time_limit, "smtp_connection_reuse_time_limit", "300s", 1, 0, "How old a session may grow."),
	CONF_INT(P, reuse_count_limit, "smtp_connection_reuse_count_limit", "0", 0, 0, "Deliveries over one session; 0: no limit."),
};
/* clang-format on */

const struct conf_table smtp_params = {rows, ARRAY_LEN(rows)};
