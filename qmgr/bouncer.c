/* SPDX-License-Identifier: ISC */
/*
 * Talking to bounce(8): requests in order of arrival over a few channels. A request that finds
 * nobody, or whose connection ends, is asked again after a pause, for ever: a bounce record must
 * not be lost, and the message stays in the queue meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "qmgr/qmgr.h"

enum { CHANNELS = 20, RETRY_MS = 5000 };

struct ask {
	struct list link;
	struct bouncer *bouncer;
	struct mail *mail;
	struct str frame;
	uint32_t id;
	void (*done)(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg);
	void *arg;
};

/* It did not work: again after a pause, and no other request waits for it. */
static void postpone(struct bouncer *b, struct ask *ask)
{
	list_push(&b->failed, &ask->link);
	if (!timer_armed(&b->retry))
		timer_start(b->pool.qmgr->loop, &b->retry, RETRY_MS);
}

static void run(struct bouncer *b)
{
	while (!b->away && !list_empty(&b->waiting)) {
		struct ask *ask = LIST_ITEM(b->waiting.next, struct ask, link);
		struct channel *channel;
		struct err err = {0};
		bool unreachable, fresh;

		channel = pool_take(&b->pool, NULL, &unreachable, &err);
		if (!channel && unreachable) {
			log_warn("%s (trying again in %d seconds)", err.text, RETRY_MS / 1000);
			b->away = true;
			timer_start(b->pool.qmgr->loop, &b->retry, RETRY_MS);
		}
		if (!channel)
			return;
		fresh = channel->fresh;
		list_remove(&ask->link);
		if (channel_send(channel, &ask->frame, ask))
			continue;
		if (fresh)
			postpone(b, ask);
		else
			list_push_front(&b->waiting, &ask->link);
	}
}

static void retry_now(struct timer *timer)
{
	struct bouncer *b = CONTAINER_OF(timer, struct bouncer, retry);

	b->away = false;
	while (!list_empty(&b->failed)) {
		struct list *node = b->failed.next;

		list_remove(node);
		list_push(&b->waiting, node);
	}
	run(b);
}

void bouncer_retry(struct bouncer *b)
{
	timer_cancel(b->pool.qmgr->loop, &b->retry);
	retry_now(&b->retry);
}

static int read_answer(const struct frame *frame, const struct ask *ask,
    struct bounce_answer *answer, struct arena *arena, struct err *err)
{
	if (frame->type != BOUNCE_ANSWER)
		return err_set(err, 0, "type %u", frame->type);
	if (frame->id != ask->id)
		return err_set(err, 0, "to request %u, not to %u", frame->id, ask->id);
	if (frame_decode(frame, &bounce_answer_table, answer, arena, err) < 0)
		return -1;
	if (answer->status > 2)
		return err_set(err, 0, "unknown status %u", answer->status);
	return 0;
}

static void answered(struct channel *channel, const struct frame *frame, void *job)
{
	struct ask *ask = job;
	struct bouncer *b = ask->bouncer;
	struct bounce_answer answer;
	struct arena arena = {0};
	struct err err = {0};

	if (!frame || read_answer(frame, ask, &answer, &arena, &err) < 0) {
		if (frame)
			log_warn("%s: malformed answer: %s", b->pool.path, err.text);
		channel_close(channel);
		postpone(b, ask);
	} else {
		channel_give_back(channel, NULL, 0);
		ask->done(ask->mail, answer.status != 2, &answer, ask->arg);
		str_fini(&ask->frame);
		free(ask);
	}
	arena_fini(&arena);
	run(b);
}

void bouncer_init(struct bouncer *b, struct qmgr *q, const char *service)
{
	size_t limit = agent_limit(q, service);
	char path[sizeof(b->pool.path)];

	snprintf(path, sizeof(path), "private/%s", service);
	/* a connection that no process serves would keep its request from those that are served */
	pool_init(&b->pool, q, path, limit && limit < CHANNELS ? limit : CHANNELS,
	    q->params->ipc_timeout, answered);
	list_init(&b->waiting);
	list_init(&b->failed);
	b->retry.expired = retry_now;
}

void bouncer_ask(struct bouncer *b, uint16_t type, struct mail *mail,
    const struct bounce_request *request,
    void (*done)(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg),
    void *arg)
{
	struct ask *ask = alloc_zero(1, sizeof(*ask));
	struct bounce_request whole = *request;

	ask->bouncer = b;
	ask->mail = mail;
	ask->done = done;
	ask->arg = arg;
	entry_fill_request(mail, &whole.message);
	whole.message.flags = mail_request_flags(mail);
	ask->id = ++mail->qmgr->next_id;
	frame_encode(&ask->frame, type, ask->id, &bounce_request_table, &whole);
	list_push(&b->waiting, &ask->link);
	run(b);
}
