/* SPDX-License-Identifier: ISC */
#ifndef TLSPROXY_TLSPROXY_H
#define TLSPROXY_TLSPROXY_H

#include "lib/io/stream.h"
#include "lib/peer/tlsproxy.h"
#include "lib/secure/resume.h"
#include "lib/service/service.h"
#include "lib/tls/session.h"
#include "tlsproxy/params.h"

/*
 * tlsproxy(8): the TLS of one connection at a time. A process of its own for each connection costs
 * memory, and buys that nobody waits for somebody else's peer, that a peer who finds a hole in the
 * TLS library finds one connection behind it, and that a reload lets connections run to their end.
 */
struct tlsproxy {
	const struct tlsproxy_params *params;
	struct tls_context *context;     /* NULL: it could not be made */
	struct secure_resume *resume[2]; /* of smtp, of lmtp */
	const char *trouble;             /* why there is no context */
};

enum { TLSPROXY_STALL_MS = 10 * 1000 }; /* for each part of a request */

/* serve.c: a conversation from its first word. service may be NULL, in tests. */
void tlsproxy_serve(struct tlsproxy *proxy, struct service *service, int fd);

/* relay.c */
struct relay {
	struct service *service; /* NULL: in tests */
	struct tls_session *tls;
	int net, plain; /* the server's connection, the delivery agent's */
	int64_t idle_ms;
	void (*first_data)(struct relay *relay); /* the server has said something */
	void *arg;
};
/* Passes bytes on both ways, until one end is over or nothing moves for idle_ms. */
void relay_run(struct relay *relay);

#endif
