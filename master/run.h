/* SPDX-License-Identifier: ISC */
#ifndef MASTER_RUN_H
#define MASTER_RUN_H

#include "master/config.h"

/*
 * Supervises until it is told to stop; returns the exit status. The working directory is the
 * queue, the locks are held. ready_fd (-1: nobody waits) hears when the sockets are bound.
 */
int master_run(const char *etc, struct config *config, int ready_fd, bool keep_output);

#endif
