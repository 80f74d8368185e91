/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_TLS_ENGINE_H
#define SMTPD_TLS_ENGINE_H

#include "lib/secure/secure.h"
#include "lib/service/service.h"
#include "smtpd/tls_params.h"

/*
 * What all TLS sessions of a process share. Keys and certificates are read at the start, with the
 * rights of it. Later their files are looked at again, at most once a second and only when a client
 * begins TLS: what is whole and fits together takes the place of the old; anything else is refused
 * with a warning, and the old serves on. A process that may not read the new files (keys are mostly
 * root's) ends after its session, and so do all others, the idle ones at once; the next ones read
 * them. tlsmgr(8) keeps what was last found good for who starts in the middle of a renewal.
 */
struct server_tls;

/* For before_drop. Never NULL. service may be. What does not work is logged; then there is no
 * context. */
struct server_tls *server_tls_open(const struct smtpd_tls_params *params,
    const struct secure_params *secure, const struct core_params *core, struct service *service);
/* What will not work, or not for long, as warnings. */
void server_tls_check(const struct smtpd_tls_params *params, const struct secure_params *secure,
    struct conf_report *report);
void server_tls_close(struct server_tls **tls); /* NULL allowed */

enum server_tls_level server_tls_level(const struct server_tls *tls);
/* For a session that begins TLS; no other one may be there. NULL: TLS is not available. */
struct tls_context *server_tls_context(struct server_tls *tls);

#endif
