/* SPDX-License-Identifier: ISC */
#ifndef SHOWQ_SHOWQ_H
#define SHOWQ_SHOWQ_H

#include "lib/queue/store.h"

struct core_params;

/*
 * Writes the listing of the whole queue to the socket (lib/peer/showq.h). What can be read is
 * shown; the rest is logged. 0; -1 when the reader went away.
 */
int showq_list(struct queue *queue, const struct core_params *core, int fd);

#endif
