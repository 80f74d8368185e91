/* SPDX-License-Identifier: ISC */
#ifndef LIB_AUTH_PASSWORD_H
#define LIB_AUTH_PASSWORD_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* Password hashes, by libcrypt's crypt(5): whatever methods the system has. */

/* Takes as long either way. A hash that the system cannot compute matches nothing: -1 with err. */
int password_check(const char *hash, const char *password, bool *match_out, struct err *err);

/* Appends a fresh hash. method is a prefix of crypt(5) such as "$6$"; NULL: the system's best. */
int password_hash(const char *password, const char *method, struct str *out, struct err *err);

#endif
