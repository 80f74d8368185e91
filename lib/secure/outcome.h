/* SPDX-License-Identifier: ISC */
#ifndef LIB_SECURE_OUTCOME_H
#define LIB_SECURE_OUTCOME_H

#include "lib/peer/tlsproxy.h"
#include "lib/tls/session.h"

/*
 * What became of a client's handshake; texts live in arena. session is NULL but for TLS_STARTED.
 * log_level: what of the peer's certificate only its log lines would show is left out below 2.
 */
void secure_outcome(enum tls_start result, struct tls_session *session, const struct err *err,
    int log_level, struct arena *arena, struct tlsproxy_outcome *out);

#endif
