/* SPDX-License-Identifier: ISC */
/* The client's end of scache.h. */
#include "lib/peer/scache.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/net.h"

enum { REST_MS = 30 * 1000 };

struct scache_client {
	char *path;
	int timeout_ms;
	int fd;             /* -1: not connected */
	int64_t not_before; /* clock_mono_ms: end of a rest */
	uint32_t next_id;
	struct str in, out;
};

struct scache_client *scache_client_new(const char *path, int timeout_ms)
{
	struct scache_client *c = alloc_zero(1, sizeof(*c));

	c->path = alloc_strdup(path);
	c->timeout_ms = timeout_ms;
	c->fd = -1;
	return c;
}

static void disconnect(struct scache_client *c)
{
	fd_close(&c->fd);
	str_clear(&c->in);
}

void scache_client_free(struct scache_client **c)
{
	if (!*c)
		return;
	disconnect(*c);
	str_fini(&(*c)->in);
	str_fini(&(*c)->out);
	free((*c)->path);
	free(*c);
	*c = NULL;
}

static void rest(struct scache_client *c, const struct err *err)
{
	log_warn("%s: %s; connections are not shared for %d seconds", c->path, err->text,
	    REST_MS / 1000);
	c->not_before = clock_mono_ms() + REST_MS;
	disconnect(c);
}

/* A server that ended (max_idle, reload) has closed; nothing is ever readable between requests. */
static bool still_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static bool connected(struct scache_client *c)
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
		rest(c, &err);
	return c->fd >= 0;
}

bool scache_put(struct scache_client *c, const struct scache_store *store, int fd)
{
	struct err err;

	if (!connected(c))
		return false;
	str_clear(&c->out);
	frame_encode(&c->out, SCACHE_STORE, ++c->next_id, &scache_store_table, store);
	if (frame_send(c->fd, &c->out, fd, c->timeout_ms, &err) == 0)
		return true;
	rest(c, &err);
	return false;
}

static int ask(struct scache_client *c, struct frame *frame, int *fd_out, struct err *err)
{
	int got;

	if (frame_send(c->fd, &c->out, -1, c->timeout_ms, err) < 0)
		return -1;
	got = frame_recv(c->fd, &c->in, c->timeout_ms, frame, fd_out, err);
	if (got == 0)
		return err_set(err, EPIPE, "the connection ended instead of an answer");
	if (got > 0 && (frame->type != SCACHE_ANSWER || frame->id != c->next_id))
		return err_set(err, 0, "an answer to something else");
	return got < 0 ? -1 : 0;
}

static bool is_connection(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0;
}

int scache_get(struct scache_client *c, const struct scache_find *find, struct arena *arena,
    struct scache_answer *out)
{
	struct frame frame;
	struct err err = {0};
	int fd = -1;

	if (!connected(c))
		return -1;
	str_clear(&c->out);
	frame_encode(&c->out, SCACHE_FIND, ++c->next_id, &scache_find_table, find);
	if (ask(c, &frame, &fd, &err) < 0 ||
	    frame_decode(&frame, &scache_answer_table, out, arena, &err) < 0) {
		fd_close(&fd);
		rest(c, &err);
		return -1;
	}
	str_consume(&c->in, frame.size);
	if (fd >= 0 && out->found && is_connection(fd))
		return fd;
	if (fd >= 0 || out->found)
		log_warn("%s: a connection was promised, but none came", c->path);
	fd_close(&fd);
	return -1;
}
