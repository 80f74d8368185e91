/* SPDX-License-Identifier: ISC */
#ifndef SMTP_AUTH_H
#define SMTP_AUTH_H

#include "lib/conf/core.h"
#include "smtp/auth_params.h"

/*
 * Logging in to servers. The tables are opened with the rights that the process has at its start,
 * for files of passwords belong to root. NULL: smtp_sasl_auth_enable is off. The params must
 * outlive it.
 */
struct auth;
struct auth *auth_open(
    const struct smtp_auth_params *params, const struct core_params *core, bool lmtp);
/* Has a table changed that only a new process can open? */
enum table_age auth_age(const struct auth *auth);
void auth_close(struct auth **auth);
/* Is AUTH=<> to be said with MAIL FROM, behind a login? */
bool auth_says_dummy(const struct auth *auth);

#endif
