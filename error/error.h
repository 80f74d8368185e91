/* SPDX-License-Identifier: ISC */
#ifndef ERROR_ERROR_H
#define ERROR_ERROR_H

#include "lib/agent/agent.h"

/*
 * The three agents that try nothing. Which one it is depends on the name of the program (discard)
 * and of the service (retry); the nexthop of the request is what they say: "5.1.1 user unknown".
 */
enum error_mode { ERROR_BOUNCE, ERROR_RETRY, ERROR_DISCARD };

enum error_mode error_mode_of(const char *program, const char *service);

/*
 * What is said for a nexthop: the text behind its status, or a default. dsn_out gets the status:
 * the one in nexthop when its class suits the mode, else the mode's default.
 */
const char *error_text(enum error_mode mode, const char *nexthop, char dsn_out[12]);

/* The agent_fn; arg is the `enum error_mode *`. */
void error_deliver(struct agent_job *job, void *arg);

#endif
