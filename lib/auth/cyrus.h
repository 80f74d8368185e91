/* SPDX-License-Identifier: ISC */
#ifndef LIB_AUTH_CYRUS_H
#define LIB_AUTH_CYRUS_H

#include "lib/auth/auth.h"

/*
 * Cyrus SASL: what its configuration says, be it saslauthd, sasldb or a plugin of somebody's. The
 * library is mapped by auth_cyrus_new, and read is its configuration and are its plugins: with the
 * rights, and in the root directory, of whoever calls that. Once in a process.
 */
struct auth_cyrus_config {
	const char *application; /* "smtpd": the name of the file, without .conf */
	const char *config_path; /* folders with a colon between, where that is looked for */
	const char *hostname;    /* ours: what challenges name, and the realm of who names none */
	const char *realm;       /* "" : the hostname */
	const char *service;     /* "smtp" */
	int time_limit;          /* seconds for each step */
};

/* Copies the texts. NULL with err: there is no library, or its configuration is bad. */
struct auth *auth_cyrus_new(const struct auth_cyrus_config *config, struct err *err);

#endif
