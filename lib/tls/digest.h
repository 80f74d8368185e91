/* SPDX-License-Identifier: ISC */
#ifndef LIB_TLS_DIGEST_H
#define LIB_TLS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * Digests for authentication, from OpenSSL's libcrypto. All functions give 0, or -1 when the
 * library refuses (an algorithm that the system's policy forbids, such as MD5); out is then
 * undefined. out holds digest_len() bytes; DIGEST_LEN_MAX is enough for any.
 */
enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256 };
enum { DIGEST_LEN_MAX = 32 };

/*
 * The library is mapped by the first call that needs it, which ends the process when it is not
 * there. Who goes into a chroot has it mapped before that, by this.
 */
int digest_load(struct err *err);

size_t digest_len(enum digest_kind kind);
int digest_hash(enum digest_kind kind, struct slice data, unsigned char *out);
int digest_hmac(enum digest_kind kind, struct slice key, struct slice data, unsigned char *out);
/* RFC 8018 5.2 with HMAC of this digest. What iterations cost is the caller's to bound. */
int digest_pbkdf2(enum digest_kind kind, struct slice password, struct slice salt, int iterations,
    unsigned char *out);

/* Takes as long whether they differ or not. */
bool digest_equal(const void *a, const void *b, size_t len);
/* Overwrites a secret, whatever the optimiser thinks of it. */
void digest_wipe(void *data, size_t len);

#endif
