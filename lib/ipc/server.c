/* SPDX-License-Identifier: ISC */
#include "lib/ipc/server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"

enum { KEEP_BUFFER = 4096 };

struct frame_client {
	struct frame_server *server;
	struct watch watch;
	struct timer stall; /* runs while a frame is unfinished */
	int fd;
	int passed; /* came with a frame that is not whole yet */
	bool broken;
	struct str in;
};

static void client_close(struct frame_client *c)
{
	watch_cancel(c->server->loop, &c->watch);
	timer_cancel(c->server->loop, &c->stall);
	fd_close(&c->fd);
	fd_close(&c->passed);
	str_fini(&c->in);
	c->server->clients--;
	free(c);
}

static void stalled(struct timer *timer)
{
	struct frame_client *c = CONTAINER_OF(timer, struct frame_client, stall);

	log_warn("%s: a client stopped in the middle of a request", c->server->name);
	client_close(c);
}

/* Hands over all whole frames. false: close. */
static bool take_frames(struct frame_client *c)
{
	struct frame frame;
	struct err err = {0};
	size_t at = 0;
	int found;
	bool good = true;

	while (good &&
	       (found = frame_peek(str_text(&c->in) + at, c->in.len - at, &frame, &err)) == 1) {
		at += frame.size;
		good = c->server->take(c, &frame, &c->passed, c->server->arg) && !c->broken;
		fd_close(&c->passed);
	}
	if (good && found < 0)
		log_warn("%s: malformed request: %s", c->server->name, err.text);
	if (!good || found < 0)
		return false;
	str_consume(&c->in, at);
	return true;
}

static void client_ready(struct watch *watch, int events)
{
	struct frame_client *c = CONTAINER_OF(watch, struct frame_client, watch);
	int passed = -1;
	long n = frame_receive(c->fd, &c->in, &passed);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (passed >= 0 && c->passed >= 0) {
		log_warn("%s: a descriptor too many", c->server->name);
		close(passed);
		n = -1;
	} else if (passed >= 0) {
		c->passed = passed;
	}
	if (n <= 0 || !take_frames(c)) {
		client_close(c);
		return;
	}
	if (c->in.len > 0) {
		if (!timer_armed(&c->stall))
			timer_start(c->server->loop, &c->stall, c->server->stall_ms);
		return;
	}
	timer_cancel(c->server->loop, &c->stall);
	if (c->in.cap > KEEP_BUFFER)
		str_fini(&c->in);
}

void frame_server_accept(struct frame_server *server, int fd)
{
	struct frame_client *c = alloc_zero(1, sizeof(*c));

	c->server = server;
	c->fd = fd;
	c->passed = -1;
	c->stall.expired = stalled;
	c->watch.ready = client_ready;
	server->clients++;
	watch_start(server->loop, &c->watch, fd, LOOP_READ);
}

bool frame_client_answer(struct frame_client *c, const struct str *frame, int fd)
{
	struct err err;

	/* answers are small and the client waits for each: a full socket is its own doing */
	if (frame_send(c->fd, frame, fd, 0, &err) == 0)
		return true;
	if (err.code != EPIPE && err.code != ECONNRESET)
		log_warn("%s: answer: %s", c->server->name, err.text);
	c->broken = true;
	return false;
}
