/* SPDX-License-Identifier: ISC */
#ifndef SMTP_CONTENT_PARAMS_H
#define SMTP_CONTENT_PARAMS_H

#include "lib/conf/conf.h"

/* What smtp(8) and lmtp(8) do to a message on its way out; the tables are in smtp/params.h. */
struct smtp_content_params {
	const char *generic_maps;
	const char *header_checks, *mime_header_checks, *nested_header_checks, *body_checks;
	int propagate; /* PROPAGATE_*, of which GENERIC counts */
	int64_t body_checks_size_limit;
	int header_size_limit, mime_boundary_length_limit, mime_nesting_limit;
	bool disable_mime_output_conversion;
	bool append_at_myorigin, append_dot_mydomain;
	bool send_xforward;
	int bdat; /* enum smtp_bdat */
};

enum smtp_bdat { SMTP_BDAT_NEVER, SMTP_BDAT_AUTO, SMTP_BDAT_ALWAYS };

#endif
