/* SPDX-License-Identifier: ISC */
#include "lib/conf/catalogue.h"

#include <string.h>

#include "lib/base/attr.h"

/* Names that Postfix 3.9 to 3.11 announce the end of, sorted; NULL: leave it out. */
static const struct {
	const char *name, *instead;
} rows[] = {
    {"authorized_verp_clients", "smtpd_authorized_verp_clients"},
    {"disable_dns_lookups", "smtp_dns_support_level"},
    {"fallback_relay", "smtp_fallback_relay"},
    {"lmtp_cname_overrides_servername", NULL},
    {"lmtp_enforce_tls", "lmtp_tls_security_level"},
    {"lmtp_per_record_deadline", "lmtp_per_request_deadline"},
    {"lmtp_tls_enforce_peername", "lmtp_tls_security_level"},
    {"lmtp_tls_per_site", "lmtp_tls_policy_maps"},
    {"lmtp_use_tls", "lmtp_tls_security_level"},
    {"postscreen_blacklist_action", "postscreen_denylist_action"},
    {"postscreen_dnsbl_ttl", "postscreen_dnsbl_max_ttl"},
    {"postscreen_dnsbl_whitelist_threshold", "postscreen_dnsbl_allowlist_threshold"},
    {"postscreen_enforce_tls", "postscreen_tls_security_level"},
    {"postscreen_use_tls", "postscreen_tls_security_level"},
    {"postscreen_whitelist_interfaces", "postscreen_allowlist_interfaces"},
    {"smtp_cname_overrides_servername", NULL},
    {"smtp_enforce_tls", "smtp_tls_security_level"},
    {"smtp_per_record_deadline", "smtp_per_request_deadline"},
    {"smtp_tls_enforce_peername", "smtp_tls_security_level"},
    {"smtp_tls_per_site", "smtp_tls_policy_maps"},
    {"smtp_use_tls", "smtp_tls_security_level"},
    {"smtpd_client_connection_limit_exceptions", "smtpd_client_event_limit_exceptions"},
    {"smtpd_enforce_tls", "smtpd_tls_security_level"},
    {"smtpd_per_record_deadline", "smtpd_per_request_deadline"},
    {"smtpd_tls_dh1024_param_file", NULL},
    {"smtpd_tls_eecdh_grade", NULL},
    {"smtpd_use_tls", "smtpd_tls_security_level"},
    {"tlsproxy_client_enforce_tls", "tlsproxy_client_security_level"},
    {"tlsproxy_client_level", "tlsproxy_client_security_level"},
    {"tlsproxy_client_per_site", "tlsproxy_client_policy_maps"},
    {"tlsproxy_client_policy", "tlsproxy_client_policy_maps"},
    {"tlsproxy_client_use_tls", "tlsproxy_client_security_level"},
    {"tlsproxy_enforce_tls", "tlsproxy_tls_security_level"},
    {"tlsproxy_tls_dh1024_param_file", NULL},
    {"tlsproxy_tls_eecdh_grade", NULL},
    {"tlsproxy_use_tls", "tlsproxy_tls_security_level"},
    {"virtual_maps", "virtual_alias_maps"},
};

bool catalogue_deprecated(const char *name, const char **instead_out)
{
	size_t low = 0, high = ARRAY_LEN(rows);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, rows[middle].name);

		if (order == 0) {
			*instead_out = rows[middle].instead;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
