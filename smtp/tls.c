/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "smtp/session.h"

/* Sessions are not encrypted yet. */

enum session_step session_wrap_tls(const struct smtp_client *c UNUSED, struct session *s UNUSED,
    const struct target *to UNUSED, struct arena *arena UNUSED, struct trouble *why UNUSED)
{
	return STEP_NONE;
}

enum session_step session_start_tls(const struct smtp_client *c UNUSED, struct session *s UNUSED,
    const struct target *to UNUSED, struct arena *arena UNUSED, struct trouble *why UNUSED)
{
	return STEP_NONE;
}

bool session_tls_fits(const struct smtp_client *c UNUSED, const struct session *s UNUSED,
    const struct target *to UNUSED)
{
	return true;
}

bool session_tls_is_verified(const struct session *s UNUSED)
{
	return false;
}

void session_tls_key(
    const struct smtp_client *c UNUSED, const struct target *to UNUSED, struct str *key UNUSED)
{
}
