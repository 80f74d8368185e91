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

static const struct conf_enum pix_workarounds[] = {
    {"disable_esmtp", PIX_DISABLE_ESMTP}, {"delay_dotcrlf", PIX_DELAY_DOTCRLF}, {NULL, 0}};
static const struct conf_enum verify_targets[] = {
    {"rcpt", SMTP_VERIFY_RCPT}, {"data", SMTP_VERIFY_DATA}, {NULL, 0}};

#define P struct smtp_params

/* clang-format off */
#define NAME(tail) "smtp" tail
#define PICK(smtp, lmtp) smtp
static const struct conf_param smtp_rows[] = {
	CONF_BOOL(P, always_send_ehlo, "smtp_always_send_ehlo", "yes", "Say EHLO to every server."),
	CONF_BOOL(P, never_send_ehlo, "smtp_never_send_ehlo", "no", "Say HELO to every server."),
#include "smtp/rows.def"
};
#undef NAME
#undef PICK

#define NAME(tail) "lmtp" tail
#define PICK(smtp, lmtp) lmtp
static const struct conf_param lmtp_rows[] = {
	CONF_BOOL(P, assume_final, "lmtp_assume_final", "no", "A server without DSN delivers to the mailbox itself."),
#include "smtp/rows.def"
};
/* clang-format on */

const struct conf_table smtp_params = {smtp_rows, ARRAY_LEN(smtp_rows)};
const struct conf_table lmtp_params = {lmtp_rows, ARRAY_LEN(lmtp_rows)};
