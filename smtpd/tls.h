/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_TLS_H
#define SMTPD_TLS_H

#include <stdbool.h>

#include "lib/base/str.h"
#include "lib/table/table.h"

/*
 * TLS of the SMTP server: what is known of a session's TLS, for access rules, for AUTH and for what
 * is told to others. In plain text all of it is false, 0 or "". Texts live as long as the session.
 */
struct session;

bool session_tls_active(const struct session *s);
const char *session_tls_protocol(const struct session *s); /* "TLSv1.3" */
const char *session_tls_cipher(const struct session *s);   /* "TLS_AES_256_GCM_SHA384" */
int session_tls_keysize(const struct session *s);          /* secret bits in use, 256 */

/* The client's certificate. The fingerprints are of smtpd_tls_fingerprint_digest, "AB:CD:...". */
bool session_tls_ccert(const struct session *s);         /* it showed one */
bool session_tls_ccert_trusted(const struct session *s); /* by somebody in smtpd_tls_CAfile */
const char *session_tls_ccert_subject(const struct session *s); /* its common name */
const char *session_tls_ccert_issuer(const struct session *s);
const char *session_tls_ccert_fingerprint(const struct session *s);
const char *session_tls_ccert_key_fingerprint(const struct session *s);
/*
 * Is the certificate, or its key, in relay_clientcerts (permit_tls_clientcerts)? A table that
 * fails is logged.
 */
enum table_answer session_tls_ccert_listed(const struct session *s);

/* May AUTH be offered and used in this session (smtpd_tls_auth_only)? */
bool session_tls_allows_auth(const struct session *s);
/* Is STARTTLS due before anything else (smtpd_tls_security_level = encrypt)? */
bool session_tls_missing(const struct session *s);
/* Is STARTTLS there to be had? For EHLO. */
bool session_tls_offered(struct session *s);

/* For a session that has just begun: TLS from the first byte on, where that is the way. */
void session_tls_wrap(struct session *s);
/* Says goodbye, after everything else was said. */
void session_tls_end(struct session *s);
/* The lines of a Received: header, each with the line end before it. */
void session_tls_put_received(const struct session *s, struct str *out);

#endif
