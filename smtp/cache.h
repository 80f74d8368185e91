/* SPDX-License-Identifier: ISC */
#ifndef SMTP_CACHE_H
#define SMTP_CACHE_H

#include "smtp/session.h"

/*
 * Sessions between two requests. One stays with this process: the queue manager knows and sends
 * the next mail for its destination here (TLS sessions as well). A second one, and the one of a
 * process that has nothing more to do, goes to scache(8) for whoever is next; a session whose
 * state is in this process's memory (TLS) cannot go and ends.
 */

/* The connection to scache(8), made when first needed. "" as service name: nothing is shared. */
void cache_open(struct smtp_client *client);
void cache_fini(struct smtp_client *client); /* QUIT on what is left */

/* Does the request ask for open sessions: many are on their way there, or the operator said so? */
bool cache_wanted(
    const struct smtp_client *client, const struct deliver_request *request, struct arena *arena);

/* What this process has itself; one that does not fit goes to scache, or ends. NULL: none. */
struct session *cache_take_own(struct smtp_client *client, const struct target *to);
/* From scache, by destination, before anything is looked up in the DNS. NULL: none. */
struct session *cache_take_destination(
    struct smtp_client *client, const struct target *to, struct arena *arena);
/* From scache, by address: to any of the list. *which_out is its place. NULL: none. */
struct session *cache_take_address(struct smtp_client *client, const struct target *to,
    const struct mx_list *list, struct arena *arena, size_t *which_out);

/* May it be used once more, and will the server have it? */
bool cache_is_fit(const struct smtp_client *client, const struct session *s);
/* Keeps a session on which nothing is under way; what was kept before makes room. */
void cache_keep(struct smtp_client *client, struct session *s);
/* The kept session ends: its time is over. */
void cache_end_own(struct smtp_client *client);
/* This process turns to something else: others may have the kept session. */
void cache_leave_own(struct smtp_client *client);

/* The keys under which others may find the session (lib/peer/scache.h); for who opened it. */
void cache_set_keys(const struct smtp_client *client, struct session *s, const struct target *to);

#endif
