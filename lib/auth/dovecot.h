/* SPDX-License-Identifier: ISC */
#ifndef LIB_AUTH_DOVECOT_H
#define LIB_AUTH_DOVECOT_H

#include "lib/auth/auth.h"

/*
 * Dovecot's authentication server, by the client side of its protocol. path is "private/auth",
 * "unix:private/auth" (relative to the working directory) or "inet:host:port". The connection is
 * made when it is first needed, kept, and made anew when the server went away; timeout_ms bounds
 * each wait for it, and a server that does not answer is tried again with the next exchange.
 */
struct auth *auth_dovecot_new(const char *path, int timeout_ms);

/* Is the path of one of these forms? -1 with err. */
int auth_dovecot_check(const char *path, struct err *err);

#endif
