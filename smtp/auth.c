/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "smtp/session.h"

/* Sessions are not authenticated yet. */

enum session_step session_authenticate(const struct smtp_client *c UNUSED, struct session *s UNUSED,
    const struct target *to UNUSED, struct arena *arena UNUSED, struct trouble *why UNUSED)
{
	return STEP_NONE;
}

bool session_auth_fits(const struct smtp_client *c UNUSED, const struct session *s UNUSED,
    const struct target *to UNUSED)
{
	return true;
}

void session_auth_key(
    const struct smtp_client *c UNUSED, const struct target *to UNUSED, struct str *key UNUSED)
{
}
