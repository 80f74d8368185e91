/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_EHLO_H
#define SMTPD_EHLO_H

#include "smtpd/smtpd.h"

/* What EHLO may announce. A keyword that is discarded is not only hidden: it is not served. */
enum ehlo_keyword {
	EHLO_PIPELINING,
	EHLO_SIZE,
	EHLO_VRFY,
	EHLO_ETRN,
	EHLO_STARTTLS,
	EHLO_AUTH,
	EHLO_XVERP,
	EHLO_XCLIENT,
	EHLO_XFORWARD,
	EHLO_ENHANCEDSTATUSCODES,
	EHLO_8BITMIME,
	EHLO_DSN,
	EHLO_SMTPUTF8,
	EHLO_CHUNKING,
	EHLO_REQUIRETLS,
	EHLO_LIMITS,
	EHLO_KEYWORDS
};

/*
 * Finds out what this client is not told of: smtpd_discard_ehlo_keyword_address_maps, else
 * smtpd_discard_ehlo_keywords. For each new client address of the session.
 */
void ehlo_begin(struct session *s);
bool ehlo_discarded(const struct session *s, enum ehlo_keyword keyword);
/* Is the extension there for this client, now? */
bool ehlo_offered(struct session *s, enum ehlo_keyword keyword);
/* The reply to EHLO. */
void ehlo_announce(struct session *s);

#endif
