/* SPDX-License-Identifier: ISC */
#ifndef LIB_SYS_CREW_H
#define LIB_SYS_CREW_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

/*
 * A few processes that share out numbered pieces of work, for what is slow by its many system
 * calls. The caller is one of them; the others are its children, see its memory as it was, end with
 * the work, and die with it. What they have found out goes out by descriptors, one at a time
 * (crew_lock).
 */
enum { CREW_MAX = 8 };

struct crew_shared;
struct crew {
	size_t count; /* pieces */
	size_t chunk; /* so many are taken at once; what is done in a row stays in a row */
	int workers;  /* processes, the caller among them; what does not pay is not started */
	/* Piece number i. False stops all of them. */
	bool (*work)(void *arg, struct crew *crew, size_t i);
	/* May be NULL. In each process when there is no more: what is left goes out. */
	void (*done)(void *arg, struct crew *crew);
	void *arg;

	struct crew_shared *shared; /* crew.c's */
};

/* As many processes as the host has processors for, CREW_MAX at most. */
int crew_workers(void);

/* 0: all has been done, or was stopped. -1 with err: a process failed and its part is missing. */
int crew_run(struct crew *crew, struct err *err);

/* Around what only one may do at a time: writing to the common output. Called by work and done. */
void crew_lock(struct crew *crew);
void crew_unlock(struct crew *crew);

/* Gives back the memory that the processes shared; once, after crew_run. */
void crew_fini(struct crew *crew);

#endif
