/* SPDX-License-Identifier: ISC */
#ifndef MASTER_STARTUP_H
#define MASTER_STARTUP_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/conf/core.h"
#include "master/params.h"

/* What master does once, before it supervises anything. */

/*
 * In the background: returns in the new process with the descriptor to tell "I am up" to; the
 * caller's process waits for that and exits with 0, or with 1 when the new one ends without it.
 */
int startup_detach(void);
/* Tells it; then standard input and output are nobody's any more. */
void startup_ready(int ready_fd, bool keep_output);

/*
 * Locks pid/master.pid and data_directory/master.lock for the life of this process, and writes the
 * process id. Returns the descriptor of the first. fatal, naming the other master, when there is
 * one. With test, only answers whether one is running.
 */
int startup_lock(const struct core_params *core, const struct master_params *params);
bool startup_is_running(const struct core_params *core, const struct master_params *params);

/* Only what import_environment names, and MAIL_CONFIG, is left. */
void startup_clean_environment(const struct core_params *core, const char *etc);

/* The log file's descriptor (O_APPEND), or -1 when the log goes to syslog; -2 with err. */
int startup_open_log(const struct core_params *core, bool foreground, struct err *err);

#endif
