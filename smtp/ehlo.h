/* SPDX-License-Identifier: ISC */
#ifndef SMTP_EHLO_H
#define SMTP_EHLO_H

#include <stdint.h>

#include "lib/base/str.h"
#include "lib/conf/conf.h"

/* What a server says about itself behind EHLO or LHLO (RFC 5321 4.1.1.1). */
enum session_feature {
	FEATURE_ESMTP = 1 << 0, /* EHLO was answered */
	FEATURE_PIPELINING = 1 << 1,
	FEATURE_SIZE = 1 << 2,
	FEATURE_8BITMIME = 1 << 3,
	FEATURE_STATUS_CODES = 1 << 4,
	FEATURE_DSN = 1 << 5,
	FEATURE_SMTPUTF8 = 1 << 6,
	FEATURE_STARTTLS = 1 << 7,
	FEATURE_AUTH = 1 << 8,
	FEATURE_CHUNKING = 1 << 9,
	FEATURE_XFORWARD = 1 << 10,
	FEATURE_REQUIRETLS = 1 << 11,
	FEATURE_LIMITS = 1 << 12,
	FEATURE_LOGGED_IN = 1 << 30, /* never offered: AUTH was answered well */
};

struct ehlo {
	unsigned features;
	uint64_t size_limit; /* SIZE (RFC 1870); 0: none said */
	/* LIMITS (RFC 9422); 0: none said */
	unsigned mail_max, rcpt_max, rcpt_domain_max;
	/* words in upper case, joined by single blanks; what does not fit is left out */
	char auth_mechanisms[512];
	char xforward[128];
};

/* From the reply's lines, less the keywords in discard (case ignored). Pure. */
void ehlo_parse(struct slice lines, const struct conf_list *discard, struct ehlo *out);

#endif
