/* SPDX-License-Identifier: ISC */
#include "anvil/anvil.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/ipc/server.h"
#include "lib/sys/fd.h"

/*
 * A process asks once and then only holds its connection: what counts is when it ends. So this is
 * a conversation of one frame, read like a door bell.
 */
struct member {
	struct anvil_server *server;
	struct watch watch;
	int fd;
	int holder; /* its slot; -1: it has not asked yet, or none was left */
	enum anvil_table which;
	struct str in;
};

static void member_close(struct member *m)
{
	if (m->holder >= 0)
		counters_release_holder(m->server->tables[m->which].counters, m->holder);
	watch_cancel(m->server->loop, &m->watch);
	fd_close(&m->fd);
	str_fini(&m->in);
	m->server->processes--;
	free(m);
}

static bool hand_out(struct member *m, uint32_t which, uint32_t id)
{
	struct shared_table *t;
	struct anvil_joined answer;
	struct str out = {0};
	struct err err;
	bool sent;

	if (which >= ANVIL_TABLES || m->holder >= 0)
		return false;
	t = &m->server->tables[which];
	m->which = which;
	m->holder = counters_take_holder(t->counters);
	answer.size = t->size;
	answer.holder = (uint32_t)m->holder;
	frame_encode(&out, ANVIL_TABLE, id, &anvil_joined_table, &answer);
	sent = frame_send(m->fd, &out, t->fd, 0, &err) == 0;
	str_fini(&out);
	return sent;
}

static bool take_frame(struct member *m)
{
	struct anvil_join join;
	struct arena arena = {0};
	struct frame frame;
	struct err err = {0};
	int found = frame_peek(str_text(&m->in), m->in.len, &frame, &err);
	bool good = found == 0;

	if (found > 0) {
		good = frame.type == ANVIL_JOIN &&
		       frame_decode(&frame, &anvil_join_table, &join, &arena, &err) == 0 &&
		       hand_out(m, join.table, frame.id);
		str_consume(&m->in, frame.size);
	}
	if (!good)
		log_warn("private/anvil: malformed request: %s", err.text);
	arena_fini(&arena);
	return good;
}

static void member_ready(struct watch *watch, int events)
{
	struct member *m = CONTAINER_OF(watch, struct member, watch);
	int passed = -1;
	long n = frame_receive(m->fd, &m->in, &passed);

	(void)events;
	fd_close(&passed);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !take_frame(m))
		member_close(m);
}

void anvil_accept(struct anvil_server *server, int fd)
{
	struct member *m = alloc_zero(1, sizeof(*m));

	m->server = server;
	m->fd = fd;
	m->holder = -1;
	m->watch.ready = member_ready;
	server->processes++;
	watch_start(server->loop, &m->watch, fd, LOOP_READ);
}
