/* SPDX-License-Identifier: ISC */
#ifndef SMTP_PROXY_H
#define SMTP_PROXY_H

#include "lib/tls/session.h"
#include "smtp/session.h"

struct engine;
struct tlsproxy_outcome;

/* tlsproxy(8), ready for a connection; -1: TLS is our own, the log says why. */
int proxy_connect(struct engine *engine, const struct tls_context *context);

/*
 * Has the proxy at sock make the handshake on the session's connection; sock is taken. When that
 * succeeded the session's stream is sock. -1: the proxy broke off, and the connection with it.
 */
int proxy_start(const struct smtp_client *client, struct session *s, int sock,
    const struct tls_client_config *config, int64_t limit_ms, struct arena *arena,
    struct tlsproxy_outcome *out);

#endif
