/* SPDX-License-Identifier: ISC */
#ifndef MASTER_RUN_H
#define MASTER_RUN_H

#include "master/config.h"

/*
 * Supervises until it is told to stop; returns the exit status. The working directory is the
 * queue, the locks are held; pid_fd is that of the process id file, whose times change after each
 * reload, so that one can wait for it. ready_fd (-1: nobody waits) hears when the sockets are
 * bound.
 */
int master_run(const char *etc, struct config *config, int pid_fd, int ready_fd, bool keep_output);

#endif
