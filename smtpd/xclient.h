/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_XCLIENT_H
#define SMTPD_XCLIENT_H

#include "smtpd/smtpd.h"

/*
 * XCLIENT: a front end that we trust (smtpd_authorized_xclient_hosts) says who the client is, and
 * the session begins anew as that client's. XFORWARD: a content filter that we trust
 * (smtpd_authorized_xforward_hosts) says where the next message came from, for the log and the
 * queue; it changes nobody's rights.
 */
void xclient_begin(struct session *s); /* the peer is known */
bool xclient_allowed(struct session *s);
bool xforward_allowed(struct session *s);
/* The attributes, for EHLO: " NAME ADDR ...". */
void xclient_names(bool forward, struct str *out);

/* ", orig_queue_id=..., orig_client=..." of what XFORWARD said, for the client= line; or nothing.
 */
void xforward_log(const struct session *s, struct str *out);

#endif
