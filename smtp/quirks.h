/* SPDX-License-Identifier: ISC */
#ifndef SMTP_QUIRKS_H
#define SMTP_QUIRKS_H

#include "smtp/session.h"

/*
 * What is known to go wrong with servers, and what the configuration does about it, by server
 * address.
 */

/* Does the greeting look like that of a firewall which hides the server's own? */
bool quirks_hides_greeting(const struct session *s);

/* PIX_* for that server (smtp_pix_workarounds, _maps), logged. -1 with *why: a table failed. */
int quirks_pix(const struct smtp_client *client, const struct session *s, const struct target *to,
    struct arena *arena, struct trouble *why);

/*
 * The keywords of EHLO not to be believed (smtp_discard_ehlo_keywords, _address_maps). *out lives
 * in arena; logged unless "silent-discard" is among them. -1 with *why: a table failed.
 */
int quirks_discard(const struct smtp_client *client, const struct session *s,
    const struct target *to, struct arena *arena, struct conf_list *out, struct trouble *why);

#endif
