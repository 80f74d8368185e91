/* SPDX-License-Identifier: ISC */
#ifndef LIB_IPC_SERVER_H
#define LIB_IPC_SERVER_H

#include "lib/event/loop.h"
#include "lib/ipc/frame.h"

/*
 * The event loop's end of frame.h: many connections of processes of the mail system, each sending
 * frames and reading answers. A connection that sends no frame, leaves one unfinished for longer
 * than stall_ms, does not read its answers, or passes a descriptor that no frame takes, is closed;
 * nobody else waits for it.
 */
struct frame_client;

struct frame_server {
	struct loop *loop;
	const char *name; /* for log lines: "private/scache" */
	int stall_ms;
	/*
	 * One whole frame. passed is a descriptor that came with it, or -1; who takes it sets
	 * *passed to -1, else it is closed. false: the client talks nonsense (log it) and is
	 * closed.
	 */
	bool (*take)(
	    struct frame_client *client, const struct frame *frame, int *passed, void *arg);
	void *arg;
	size_t clients;
};

/* Takes the descriptor of an accepted connection. */
void frame_server_accept(struct frame_server *server, int fd);

/* Within take: answers with one frame and, when fd >= 0, a copy of that descriptor. false: it did
 * not go out whole, and the client will be closed; a passed descriptor did not arrive. */
bool frame_client_answer(struct frame_client *client, const struct str *frame, int fd);

#endif
