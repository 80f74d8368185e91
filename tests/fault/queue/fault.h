/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FAULT_QUEUE_FAULT_H
#define TESTS_FAULT_QUEUE_FAULT_H

#include <stdio.h>

#include "lib/queue/store.h"

/*
 * The parts of the queue's fault test. Each runs in a process of its own whose working directory is
 * the spool, and says what it did to the report, line by line:
 *
 *   A id seed   accepted: durable           R id text   refused
 *   D id n      recipient n is delivered    K id n      ... and that is marked
 *   F id        finished                    M id        moved to the deferred queue
 *   X text      something is wrong          C n         n calls changed the disk
 */
extern const struct queue_params fault_params;

enum { FAULT_RCPTS = 2 };

/* What the mail system does to its queue, in small: receives, delivers some, defers some. */
int fault_work(int messages, unsigned first_seed, FILE *report);

/* What a restarted mail system does: finds all that is left, checks it, delivers it. */
int fault_restart(FILE *report);

/* Delivers what is to do of the record (the first `rcpts` recipients) and marks it. */
void fault_deliver(struct queue *queue, const struct location *loc, const char *id, int rcpts,
    bool finish, FILE *report);

/* tests/fault/preload/disk.c, linked in. */
int disk_calls(void);

#endif
