/* SPDX-License-Identifier: ISC */
#ifndef LIB_POST_POST_H
#define LIB_POST_POST_H

#include "lib/queue/store.h"

struct conf;
struct core_params;

/*
 * Mail that a program of the mail system writes to the postmaster (notify_classes): from
 * double_bounce_sender, so that it can cause no other notice. Its route is left to qmgr.
 */

/*
 * Puts it into the queue and tells qmgr. recipient is as in main.cf ("postmaster"); body has CRLF
 * line ends. conf has the tables that the address is mapped by, opened for this one message; NULL:
 * it is not. The id goes to id_out. 0, or -1 with err.
 */
int post_notice(struct queue *queue, const struct core_params *core, struct conf *conf,
    const char *recipient, const char *subject, const struct str *body, char id_out[QUEUE_ID_MAX],
    struct err *err);

/* The address with $myorigin where it has no domain; in arena. */
const char *post_complete(const struct core_params *core, const char *address, struct arena *arena);

/* Who such mail is from: double_bounce_sender at $myhostname; in arena. */
const char *post_double_bounce(const struct core_params *core, struct arena *arena);

#endif
