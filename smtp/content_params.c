/* SPDX-License-Identifier: ISC */
#include "smtp/content_params.h"

#include "lib/base/attr.h"
#include "lib/shape/map.h"
#include "smtp/params.h"

static const struct conf_enum bdat_uses[] = {
    {"never", SMTP_BDAT_NEVER}, {"auto", SMTP_BDAT_AUTO}, {"always", SMTP_BDAT_ALWAYS}, {NULL, 0}};

#define P struct smtp_content_params

/* clang-format off */
#define ROWS(x) \
	CONF_TEXT(P, generic_maps, x "_generic_maps", "", "Tables from addresses of this site to those that the world may see."), \
	CONF_TEXT(P, header_checks, x "_header_checks", "", "Tables of actions on header fields, as mail is delivered."), \
	CONF_TEXT(P, mime_header_checks, x "_mime_header_checks", "", "Tables of actions on MIME fields, as mail is delivered."), \
	CONF_TEXT(P, nested_header_checks, x "_nested_header_checks", "", "Tables of actions on fields of messages within, as mail is delivered."), \
	CONF_TEXT(P, body_checks, x "_body_checks", "", "Tables of actions on lines of the body, as mail is delivered."), \
	CONF_BOOL(P, send_xforward, x "_send_xforward_command", "no", "Tell servers that offer XFORWARD where the mail came from."), \
	CONF_ENUM(P, bdat, x "_send_bdat", "auto", bdat_uses, "Send content by BDAT: never, auto (large content that DATA would have to change), always."), \
	CONF_SET(P, propagate, "propagate_unmatched_extensions", "canonical, virtual", propagate_names, "Tables whose results get the address extension that their key lacks."), \
	CONF_SIZE(P, body_checks_size_limit, "body_checks_size_limit", "51200", 0, 0, "How much of each part of a body is looked at by body checks."), \
	CONF_INT(P, header_size_limit, "header_size_limit", "102400", 1, 0, "Bytes of one header field; what exceeds it is dropped."), \
	CONF_INT(P, mime_boundary_length_limit, "mime_boundary_length_limit", "2048", 1, 0, "So much of a MIME boundary counts."), \
	CONF_INT(P, mime_nesting_limit, "mime_nesting_limit", "100", 1, 0, "Parts within parts that are looked into."), \
	CONF_BOOL(P, disable_mime_output_conversion, "disable_mime_output_conversion", "no", "Send 8-bit content as it is to servers without 8BITMIME."), \
	CONF_BOOL(P, append_at_myorigin, "append_at_myorigin", "yes", "Complete addresses without a domain by @$myorigin."), \
	CONF_BOOL(P, append_dot_mydomain, "append_dot_mydomain", "${{$compatibility_level} <level {1} ? {yes} : {no}}", "Complete domains without a dot by .$mydomain.")

static const struct conf_param smtp_rows[] = {ROWS("smtp")};
static const struct conf_param lmtp_rows[] = {ROWS("lmtp")};
/* clang-format on */

const struct conf_table smtp_content_params = {smtp_rows, ARRAY_LEN(smtp_rows)};
const struct conf_table lmtp_content_params = {lmtp_rows, ARRAY_LEN(lmtp_rows)};
