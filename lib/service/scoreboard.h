/* SPDX-License-Identifier: ISC */
#ifndef LIB_SERVICE_SCOREBOARD_H
#define LIB_SERVICE_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

/*
 * What master and the processes of one service tell each other (D7; doc/protocols.md has the words
 * to it): one page-backed memory object a service, mapped by both ends, and an event descriptor by
 * which a process wakes master. It is used by both ends and by nobody else.
 *
 * Each process owns one bit of `idle`: set while it waits for work, cleared when it has some. The
 * bit is the state, not a copy of it, so that a process that dies at any instant leaves nothing to
 * repair: master clears its bit. Master believes nothing here that could hurt it: process ids and
 * counts of its own are in its own memory.
 */

/* Descriptors that every process of master's inherits. */
enum {
	SCORE_FD_BOARD = 3,  /* this memory */
	SCORE_FD_WAKE = 4,   /* eventfd: "nobody is idle", written under `want_wake` only */
	SCORE_FD_LOG = 5,    /* maillog_file; /dev/null when the log goes to syslog */
	SCORE_FD_CONFIG = 6, /* the text of main.cf as master checked it */
	SCORE_FD_LISTEN = 7, /* the first of -s COUNT listening sockets */
};

enum { SERVICE_GROUPS_MAX = 64 }; /* of mail_owner that a process takes (option -G) */

enum {
	SCORE_MAGIC = 0x504e5333, /* "PNS3": changes with the layout */
	SCORE_WORDS = 64,
	SCORE_CHILDREN = SCORE_WORDS * 64, /* processes of one service, whatever master.cf says */
};

enum score_state { SCORE_FREE, SCORE_STARTING, SCORE_READY };

/* One process; only it writes `uses` and `renewal`, and turns STARTING into READY. */
struct score_child {
	_Alignas(64) _Atomic uint32_t state; /* enum score_state */
	_Atomic uint32_t uses;               /* sessions, triggers, accepted connections */
	_Atomic uint32_t event_loop;         /* it is one for many connections: never busy */
	_Atomic uint32_t renewal;            /* what it has read at its start is of this one */
	_Atomic int64_t alarm_ms; /* when its watchdog will end it (clock_mono_ms); 0: none set */
};

struct scoreboard {
	uint32_t magic;
	int32_t master_pid;
	_Atomic uint32_t generation; /* of the configuration; a process of another one ends */
	_Atomic uint32_t renewal;    /* of files beside the configuration; counted by processes */
	_Atomic uint32_t words;      /* words of `idle` in use */
	_Atomic uint32_t at_limit;   /* there are as many processes as there may be */
	_Atomic uint32_t want_wake;  /* master wants to hear, once, that nobody is idle */
	_Alignas(64) _Atomic uint64_t idle[SCORE_WORDS];
	struct score_child children[SCORE_CHILDREN];
};

/* Master's end: a new board, or NULL with err. *fd_out is close-on-exec. */
struct scoreboard *scoreboard_new(int32_t master_pid, int *fd_out, struct err *err);
/* The process's end: maps what was inherited at fd; NULL with err when it is no such board. */
struct scoreboard *scoreboard_map(int fd, struct err *err);
void scoreboard_unmap(struct scoreboard **board);

void scoreboard_set_idle(struct scoreboard *board, unsigned child);
/* Clears the bit; true when this left nobody idle and master wants to hear it: write to WAKE. */
bool scoreboard_set_busy(struct scoreboard *board, unsigned child);
bool scoreboard_is_idle(const struct scoreboard *board, unsigned child);
bool scoreboard_nobody_idle(const struct scoreboard *board);

#endif
