/* SPDX-License-Identifier: ISC */
#include "lib/ipc/caller.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/net.h"

enum { REST_MS = 30 * 1000 };

struct frame_caller {
	char *path, *without;
	int timeout_ms;
	int fd;             /* -1: not connected */
	int64_t not_before; /* clock_mono_ms: end of a rest */
	uint32_t next_id;
	struct str in, out;
};

struct frame_caller *frame_caller_new(const char *path, int timeout_ms, const char *without)
{
	struct frame_caller *c = alloc_zero(1, sizeof(*c));

	c->path = alloc_strdup(path);
	c->without = alloc_strdup(without);
	c->timeout_ms = timeout_ms;
	c->fd = -1;
	return c;
}

static void disconnect(struct frame_caller *c)
{
	fd_close(&c->fd);
	str_clear(&c->in);
}

void frame_caller_free(struct frame_caller **c)
{
	if (!*c)
		return;
	disconnect(*c);
	str_fini(&(*c)->in);
	str_fini(&(*c)->out);
	free((*c)->path);
	free((*c)->without);
	free(*c);
	*c = NULL;
}

const char *frame_caller_path(const struct frame_caller *c)
{
	return c->path;
}

void frame_caller_rest(struct frame_caller *c, const struct err *err)
{
	log_warn("%s: %s; %s for %d seconds", c->path, err->text, c->without, REST_MS / 1000);
	c->not_before = clock_mono_ms() + REST_MS;
	disconnect(c);
}

/* A server that ended (max_idle, reload) has closed; nothing is ever readable between requests. */
static bool still_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static bool connected(struct frame_caller *c)
{
	struct err err;

	if (clock_mono_ms() < c->not_before)
		return false;
	if (c->fd >= 0 && !still_open(c->fd))
		disconnect(c);
	if (c->fd >= 0)
		return true;
	c->fd = net_connect_unix(c->path, c->timeout_ms, &err);
	if (c->fd < 0)
		frame_caller_rest(c, &err);
	return c->fd >= 0;
}

static bool say(struct frame_caller *c, uint16_t type, const struct frame_table *table,
    const void *value, int fd)
{
	struct err err;

	if (!connected(c))
		return false;
	str_clear(&c->out);
	frame_encode(&c->out, type, ++c->next_id, table, value);
	if (frame_send(c->fd, &c->out, fd, c->timeout_ms, &err) == 0)
		return true;
	frame_caller_rest(c, &err);
	return false;
}

bool frame_caller_tell(struct frame_caller *c, uint16_t type, const struct frame_table *table,
    const void *value, int fd)
{
	return say(c, type, table, value, fd);
}

static int hear(struct frame_caller *c, const struct frame_question *question, struct frame *frame,
    int *fd_out, struct err *err)
{
	int got = frame_recv(c->fd, &c->in, c->timeout_ms, frame, fd_out, err);

	if (got == 0)
		return err_set(err, EPIPE, "the connection ended instead of an answer");
	if (got > 0 && (frame->type != question->answer_type || frame->id != c->next_id))
		return err_set(err, 0, "an answer to something else");
	return got < 0 ? -1 : 0;
}

bool frame_caller_ask(struct frame_caller *c, const struct frame_question *question,
    const void *value, struct arena *arena, void *answer_out, int *fd_out)
{
	struct frame frame;
	struct err err = {0};

	if (fd_out)
		*fd_out = -1;
	if (!say(c, question->type, question->table, value, -1))
		return false;
	if (hear(c, question, &frame, fd_out, &err) < 0 ||
	    frame_decode(&frame, question->answer_table, answer_out, arena, &err) < 0) {
		if (fd_out)
			fd_close(fd_out);
		frame_caller_rest(c, &err);
		return false;
	}
	str_consume(&c->in, frame.size);
	return true;
}

int frame_caller_detach(struct frame_caller *c)
{
	int fd = c->fd;

	c->fd = -1;
	disconnect(c);
	return fd;
}
