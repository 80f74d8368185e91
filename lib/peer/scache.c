/* SPDX-License-Identifier: ISC */
/* The client's end of scache.h. */
#include "lib/peer/scache.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/ipc/caller.h"
#include "lib/sys/fd.h"

struct scache_client {
	struct frame_caller *caller;
};

struct scache_client *scache_client_new(const char *path, int timeout_ms)
{
	struct scache_client *c = alloc_zero(1, sizeof(*c));

	c->caller = frame_caller_new(path, timeout_ms, "connections are not shared");
	return c;
}

void scache_client_free(struct scache_client **c)
{
	if (!*c)
		return;
	frame_caller_free(&(*c)->caller);
	free(*c);
	*c = NULL;
}

bool scache_put(struct scache_client *c, const struct scache_store *store, int fd)
{
	return frame_caller_tell(c->caller, SCACHE_STORE, &scache_store_table, store, fd);
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
	static const struct frame_question question = {
	    SCACHE_FIND, SCACHE_ANSWER, &scache_find_table, &scache_answer_table};
	int fd;

	if (!frame_caller_ask(c->caller, &question, find, arena, out, &fd))
		return -1;
	if (fd >= 0 && out->found && is_connection(fd))
		return fd;
	if (fd >= 0 || out->found)
		log_warn(
		    "%s: a connection was promised, but none came", frame_caller_path(c->caller));
	fd_close(&fd);
	return -1;
}
