/* SPDX-License-Identifier: ISC */
/*
 * Connections to delivery agents stay open between requests (D6): an idle channel costs a sleeping
 * process on the other side and saves a connect, an accept and a wake-up of master per message.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"
#include "lib/sys/net.h"
#include "qmgr/qmgr.h"

enum { CONNECT_MS = 100, READ_CHUNK = 16384 };

void pool_init(struct pool *pool, struct qmgr *q, const char *path, size_t limit, int answer_s,
    void (*answered)(struct channel *, const struct frame *, void *))
{
	*pool =
	    (struct pool){.qmgr = q, .limit = limit, .answer_s = answer_s, .answered = answered};
	snprintf(pool->path, sizeof(pool->path), "%s", path);
	list_init(&pool->idle);
	list_init(&pool->keeping);
	list_init(&pool->busy);
}

void channel_close(struct channel *channel)
{
	watch_cancel(channel->pool->qmgr->loop, &channel->watch);
	list_remove(&channel->link);
	list_remove(&channel->kept_link);
	channel->pool->count--;
	fd_close(&channel->fd);
	str_fini(&channel->in);
	str_fini(&channel->out);
	free(channel);
}

/* What the socket takes of the request; the rest when it takes more. -1: the connection broke. */
static int push_out(struct channel *channel)
{
	struct loop *loop = channel->pool->qmgr->loop;

	while (channel->out.len > 0) {
		ssize_t n = send(
		    channel->fd, channel->out.data, channel->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -1;
		str_consume(&channel->out, (size_t)n);
	}
	watch_start(loop, &channel->watch, channel->fd,
	    channel->out.len > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	return 0;
}

/* The answer, or the end of the connection. An idle channel has nothing to say but its end. */
static void channel_ready(struct watch *watch, int events)
{
	struct channel *channel = CONTAINER_OF(watch, struct channel, watch);
	struct pool *pool = channel->pool;
	struct frame frame;
	struct err err = {0};
	void *job = channel->job;
	int found = 0;
	ssize_t n;

	if ((events & LOOP_WRITE) && push_out(channel) < 0)
		str_clear(&channel->out); /* reading tells how it ended */
	if (!(events & LOOP_READ))
		return;
	str_reserve(&channel->in, READ_CHUNK);
	n = recv(channel->fd, channel->in.data + channel->in.len, READ_CHUNK, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && job) {
		channel->in.len += (size_t)n;
		found = frame_peek(channel->in.data, channel->in.len, &frame, &err);
		if (found == 0)
			return;
	}
	channel->job = NULL;
	str_clear(&channel->out);
	if (found == 1) {
		pool->answered(channel, &frame, job); /* it closes the channel or gives it back */
		return;
	}
	if (job)
		log_warn("%s: %s", pool->path,
		    found < 0 ? err.text : "connection ended before the answer");
	if (job)
		pool->answered(channel, NULL, job);
	else
		channel_close(channel);
}

static struct channel *connect_channel(struct pool *pool, struct err *err)
{
	struct channel *channel;
	int fd = net_connect_unix(pool->path, CONNECT_MS, err);

	if (fd < 0)
		return NULL;
	channel = alloc_zero(1, sizeof(*channel));
	channel->pool = pool;
	channel->fd = fd;
	channel->fresh = true;
	list_init(&channel->link);
	list_init(&channel->kept_link);
	channel->watch.ready = channel_ready;
	watch_start(pool->qmgr->loop, &channel->watch, fd, LOOP_READ);
	pool->count++;
	return channel;
}

static struct channel *first_of(const struct list *list)
{
	return list_empty(list) ? NULL : LIST_ITEM(list->next, struct channel, link);
}

/*
 * Best: one that keeps a session to this destination, the latest. Then one that keeps none. Then,
 * if it must be, the one that has kept its session for longest.
 */
static struct channel *pick_idle(struct pool *pool, const struct dest *prefer, bool any)
{
	int64_t now = loop_now_ms(pool->qmgr->loop);
	struct channel *channel;

	if (prefer && !list_empty(&prefer->kept)) {
		channel = LIST_ITEM(prefer->kept.next, struct channel, kept_link);
		if (channel->kept_until_ms > now)
			return channel;
	}
	if (!list_empty(&pool->idle) || list_empty(&pool->keeping))
		return first_of(&pool->idle);
	channel = LIST_ITEM(pool->keeping.prev, struct channel, link);
	return any || channel->kept_until_ms <= now ? channel : NULL;
}

bool pool_available(const struct pool *pool)
{
	return pool->limit == 0 || pool->count < pool->limit || !list_empty(&pool->idle) ||
	       !list_empty(&pool->keeping);
}

void pool_forget(struct dest *dest)
{
	while (!list_empty(&dest->kept)) {
		struct channel *channel = LIST_ITEM(dest->kept.next, struct channel, kept_link);

		list_remove(&channel->kept_link);
		list_remove(&channel->link);
		list_push_front(&channel->pool->idle, &channel->link);
		channel->kept = NULL;
	}
}

struct channel *pool_take(
    struct pool *pool, const struct dest *prefer, bool *unreachable_out, struct err *err)
{
	bool full = pool->limit && pool->count >= pool->limit;
	struct channel *channel = pick_idle(pool, prefer, full);

	*unreachable_out = false;
	if (!channel && !full) {
		channel = connect_channel(pool, err);
		if (!channel)
			channel = pick_idle(pool, prefer, true);
		/* while others are at work there it is only short of something: they come back */
		*unreachable_out = !channel && pool->count == 0;
	}
	if (channel) {
		list_remove(&channel->link);
		list_remove(&channel->kept_link);
	}
	return channel;
}

bool channel_send(struct channel *channel, const struct str *frame, void *job)
{
	str_clear(&channel->in);
	str_put(&channel->out, frame->data, frame->len);
	if (push_out(channel) < 0) {
		log_debug("%s: %s", channel->pool->path, strerror(errno));
		channel_close(channel);
		return false;
	}
	channel->job = job;
	channel->since_ms = loop_now_ms(channel->pool->qmgr->loop);
	list_push(&channel->pool->busy, &channel->link);
	return true;
}

void channel_give_back(struct channel *channel, struct dest *kept, int64_t kept_ms)
{
	int64_t now = loop_now_ms(channel->pool->qmgr->loop);

	channel->fresh = false;
	channel->idle_since_ms = now;
	channel->kept = kept;
	channel->kept_until_ms = now + kept_ms;
	str_fini(&channel->in); /* an idle channel costs no buffers */
	str_fini(&channel->out);
	list_remove(&channel->link);
	list_push_front(kept ? &channel->pool->keeping : &channel->pool->idle, &channel->link);
	if (kept)
		list_push_front(&kept->kept, &channel->kept_link);
}

/*
 * A process that is stopped, or hangs: its request goes to another. What it has in hand stays
 * locked until it ends, so nothing is delivered twice; the other one answers "skipped" meanwhile.
 */
static void take_back(struct channel *channel, int64_t now)
{
	struct pool *pool = channel->pool;
	int limit = channel->out.len > 0 ? pool->qmgr->params->ipc_timeout : pool->answer_s;
	void *job = channel->job;

	if (now - channel->since_ms < (int64_t)limit * 1000)
		return;
	log_warn("%s: %s for %d seconds: the request is given to another process", pool->path,
	    channel->out.len > 0 ? "request not taken" : "no answer", limit);
	channel->job = NULL;
	pool->answered(channel, NULL, job);
}

static void close_idle(struct list *list, int64_t before_ms)
{
	LIST_EACH_SAFE (node, list) {
		struct channel *channel = LIST_ITEM(node, struct channel, link);

		if (channel->idle_since_ms <= before_ms)
			channel_close(channel);
	}
}

void pool_sweep(struct pool *pool, int64_t idle_ms)
{
	int64_t now = loop_now_ms(pool->qmgr->loop);

	close_idle(&pool->idle, now - idle_ms);
	close_idle(&pool->keeping, now - idle_ms);
	LIST_EACH_SAFE (node, &pool->busy)
		take_back(LIST_ITEM(node, struct channel, link), now);
}
