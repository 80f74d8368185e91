/* SPDX-License-Identifier: ISC */
#ifndef LIB_IPC_CALLER_H
#define LIB_IPC_CALLER_H

#include "lib/ipc/frame.h"

/*
 * The client's end of a conversation that a program can do without: one connection, made when first
 * needed and anew when the server has ended. A server that is not there, does not answer within
 * timeout_ms or talks nonsense is left alone for a while, logged once each time; all calls answer
 * false meanwhile.
 */
struct frame_caller;

/* without: what does not happen while it rests, for the log: "connections are not shared". */
struct frame_caller *frame_caller_new(const char *path, int timeout_ms, const char *without);
void frame_caller_free(struct frame_caller **caller); /* NULL allowed */
const char *frame_caller_path(const struct frame_caller *caller);

/* One message with no answer, and a copy of fd unless that is -1. */
bool frame_caller_tell(struct frame_caller *caller, uint16_t type, const struct frame_table *table,
    const void *value, int fd);

struct frame_question {
	uint16_t type, answer_type;
	const struct frame_table *table, *answer_table;
};
/* One message and its answer, whose texts are in arena. fd_out (may be NULL) as in frame_recv. */
bool frame_caller_ask(struct frame_caller *caller, const struct frame_question *question,
    const void *value, struct arena *arena, void *answer_out, int *fd_out);

/*
 * The connection is the caller's from now on, -1 when there is none; the next call makes another.
 * For conversations that go on in another way.
 */
int frame_caller_detach(struct frame_caller *caller);
/* The server is not of use, for the reason that err gives: as if it did not answer. */
void frame_caller_rest(struct frame_caller *caller, const struct err *err);

#endif
