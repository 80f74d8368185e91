/* SPDX-License-Identifier: ISC */
/*
 * Serving qmgr's requests. Recipients are locked in runs of neighbours, so that two agents never
 * have the same recipient in hand, not even when qmgr died and its successor asks again while the
 * first agent is still at work; what is finished or locked is answered as skipped.
 */
#include "lib/agent/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"

enum { FRAME_TIMEOUT_MS = 60000 };

struct agent {
	struct service *service;
	struct queue *queue;
	int fd;
	agent_fn *fn;
	void *arg;
	struct agent_idle *idle;
	struct table_chain *status_filter;
	struct str in, out;
	struct arena arena;
	bool used; /* a request has been served: each further one counts against max_use */
};

/* The run of neighbours [first, end) in the request that starts at recipient i. */
static size_t run_end(const struct deliver_rcpt *rcpts, size_t count, size_t i)
{
	size_t end = i + 1;

	while (end < count && rcpts[end].index == rcpts[end - 1].index + 1)
		end++;
	return end;
}

static int take_all(struct agent_job *job, bool *todo, struct err *err)
{
	uint8_t *status = arena_alloc(job->arena, job->rcpt_count);

	for (size_t i = 0, end; i < job->rcpt_count; i = end) {
		int rc;

		end = run_end(job->rcpts, job->rcpt_count, i);
		/* numbers that wrap around are neighbours, too */
		if (job->rcpts[end - 1].index >= job->m->env.rcpt_count ||
		    job->rcpts[i].index > job->rcpts[end - 1].index)
			return err_set(err, EBADMSG, "request names recipient %u of %u",
			    job->rcpts[end - 1].index, job->m->env.rcpt_count);
		rc =
		    message_take(job->m, job->rcpts[i].index, (uint32_t)(end - i), status + i, err);
		if (rc < 0)
			return -1;
		for (size_t k = i; k < end; k++)
			todo[k] = rc == 0 && status[k] == RCPT_TODO;
	}
	return 0;
}

static void release_all(struct agent_job *job)
{
	for (size_t i = 0, end; i < job->rcpt_count; i = end) {
		end = run_end(job->rcpts, job->rcpt_count, i);
		if (job->rcpts[end - 1].index < job->m->env.rcpt_count &&
		    job->rcpts[i].index <= job->rcpts[end - 1].index)
			message_release(job->m, job->rcpts[i].index, (uint32_t)(end - i));
	}
}

static void skip_all(struct agent_job *job)
{
	for (size_t i = 0; i < job->rcpt_count; i++) {
		job->results[i] =
		    (struct rcpt_result){.index = job->rcpts[i].index, .outcome = OUTCOME_SKIPPED};
	}
}

static void run_job(
    struct agent *agent, const struct deliver_request *request, struct deliver_result *result)
{
	struct location loc;
	struct message m;
	struct err err;
	struct agent_job job = {
	    .service = agent->service,
	    .queue = agent->queue,
	    .request = request,
	    .rcpts = request->rcpts.items,
	    .rcpt_count = request->rcpts.count,
	    .m = &m,
	    .result = result,
	    .arena = &agent->arena,
	    .status_filter = agent->status_filter,
	    .start_us = clock_wall_us(),
	};
	bool *todo = arena_zero(&agent->arena, job.rcpt_count, sizeof(bool));
	int rc;

	job.todo = todo;
	job.results = arena_zero(&agent->arena, job.rcpt_count, sizeof(struct rcpt_result));
	result->rcpts = (struct frame_list){job.results, job.rcpt_count};
	skip_all(&job);
	deliver_location(request, &loc);
	rc = message_open(agent->queue, &loc, request->id, 0, &m, &err);
	if (rc == 0 && m.content_len != request->content_len)
		rc = err_set(&err, EBADMSG, "content is %llu bytes, %llu expected",
		    (unsigned long long)m.content_len, (unsigned long long)request->content_len);
	if (rc == 0 && (rc = take_all(&job, todo, &err)) < 0)
		release_all(&job); /* what was taken before it failed */
	if (rc < 0) {
		log_warn("%s: %s", request->id, err.text);
		if (message_is_damaged(&err)) /* otherwise: skipped, that is, tried again */
			result->damaged = arena_strdup(&agent->arena, err.text);
	}
	if (rc == 0) {
		bool any = false;

		for (size_t i = 0; i < job.rcpt_count; i++)
			any |= todo[i];
		if (any)
			agent->fn(&job, agent->arg);
		release_all(&job);
	}
	message_close(&m);
}

/* Waits for the next request. false: the connection is over. */
static bool wait_request(struct agent *agent)
{
	for (;;) {
		struct pollfd pfds[2] = {{.fd = agent->fd, .events = POLLIN},
		    {.fd = agent->idle ? agent->idle->fd : -1, .events = POLLIN}};
		const int64_t most = service_alive_interval_ms(agent->service);
		int64_t wait = most;
		bool limited = agent->idle && agent->idle->at_ms;
		int n;

		if (limited)
			wait = agent->idle->at_ms - clock_mono_ms();
		n = poll(pfds, 2, wait > 0 ? (int)MIN(wait, most) : 0);
		if (n < 0 && errno != EINTR)
			return false;
		service_alive(agent->service);
		if (n > 0 && pfds[0].revents)
			return true;
		if (agent->idle && ((n > 0 && pfds[1].revents) ||
		                       (limited && clock_mono_ms() >= agent->idle->at_ms)))
			agent->idle->expired(agent->arg);
		if (n < 0 && service_should_end(agent->service))
			return false;
	}
}

/* One request; false ends the connection. */
static bool serve_one(struct agent *agent)
{
	struct deliver_request request;
	struct deliver_result result = {0};
	struct frame frame;
	struct err err;
	bool last;

	if (frame_recv(agent->fd, &agent->in, FRAME_TIMEOUT_MS, &frame, NULL, &err) != 1)
		return false;
	if (frame.type != DELIVER_REQUEST ||
	    frame_decode(&frame, &deliver_request_table, &request, &agent->arena, &err) < 0) {
		log_warn("malformed delivery request: %s",
		    frame.type != DELIVER_REQUEST ? "wrong type" : err.text);
		return false;
	}
	if (agent->used)
		service_count_use(agent->service);
	agent->used = true;
	run_job(agent, &request, &result);
	last = service_should_end(agent->service);
	result.last = last;
	str_clear(&agent->out);
	frame_encode(&agent->out, DELIVER_RESULT, frame.id, &deliver_result_table, &result);
	str_consume(&agent->in, frame.size);
	arena_reset(&agent->arena);
	return frame_send(agent->fd, &agent->out, -1, FRAME_TIMEOUT_MS, &err) == 0 && !last;
}

void agent_serve(struct service *service, struct queue *queue, int fd, agent_fn *fn, void *arg,
    struct agent_idle *idle, struct table_chain *status_filter)
{
	struct agent agent = {.service = service,
	    .queue = queue,
	    .fd = fd,
	    .fn = fn,
	    .arg = arg,
	    .idle = idle,
	    .status_filter = status_filter};

	while (wait_request(&agent) && serve_one(&agent))
		continue;
	str_fini(&agent.in);
	str_fini(&agent.out);
	arena_fini(&agent.arena);
}
