/* SPDX-License-Identifier: ISC */
#ifndef LIB_SECURE_SHARED_H
#define LIB_SECURE_SHARED_H

#include "lib/secure/secure.h"

/*
 * What the TLS servers of all processes share by way of tlsmgr(8): the keys of session tickets, and
 * the sessions of clients that know no tickets. Keys are asked for once and kept for as long as
 * they are good. Without tlsmgr no tickets are given out and handshakes are full ones.
 */
struct secure_shared;

/* params outlive it. timeout_ms bounds each question to tlsmgr, which is asked when needed. */
struct secure_shared *secure_shared_new(
    const struct secure_params *params, enum tlsmgr_cache cache, int timeout_ms);
void secure_shared_free(struct secure_shared **shared); /* NULL allowed; contexts must be gone */

/* The hooks about tickets and sessions, and arg; chain_for_name is left as it is. */
void secure_shared_hooks(struct secure_shared *shared, struct tls_server_hooks *hooks);

#endif
