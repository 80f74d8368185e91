/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_CCERT_SEARCH_H
#define SMTPD_CCERT_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * What check_ccert_access is told: a table, or
 * "{ type:table, { search_order = cert_fingerprint, pubkey_fingerprint } }". Pure.
 */
enum { CCERT_SEARCH_MAX = 2 };

struct ccert_search {
	bool by_key[CCERT_SEARCH_MAX]; /* the public key's fingerprint; else the certificate's */
	size_t count;
};

int ccert_search_parse(
    const char *arg, struct ccert_search *out, struct str *table_out, struct err *err);

#endif
