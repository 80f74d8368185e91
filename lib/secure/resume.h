/* SPDX-License-Identifier: ISC */
#ifndef LIB_SECURE_RESUME_H
#define LIB_SECURE_RESUME_H

#include "lib/secure/secure.h"
#include "lib/tls/session.h"

/*
 * Sessions for a TLS client to resume: the last ones of this process, and by way of tlsmgr(8) those
 * of the others. A key says everything that was asked of the server, so that what was enough then
 * is enough now.
 */
struct secure_resume;

/* shared: tlsmgr is asked as well, where the cache has a database. params outlive it. */
struct secure_resume *secure_resume_new(
    const struct secure_params *params, enum tlsmgr_cache cache, bool shared, int timeout_ms);
void secure_resume_free(struct secure_resume **resume); /* NULL allowed */

/* A session, still ours, or NULL. */
const struct tls_saved *secure_resume_find(struct secure_resume *resume, const char *key);
/* Takes what the server gave out; false: it gave out nothing new. */
bool secure_resume_keep(struct secure_resume *resume, const char *key, struct tls_session *session);
void secure_resume_drop(struct secure_resume *resume, const char *key);

#endif
