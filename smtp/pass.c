/* SPDX-License-Identifier: ISC */
#include "smtp/delivery.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/net.h"

/*
 * best_mx_transport: recipients of a domain of which this host turned out to be the best exchanger
 * are handed to another delivery agent, as qmgr would hand them. That agent takes them in hand
 * itself, so they are let go first; it logs and marks, its results become ours.
 */
enum { CONNECT_MS = 10 * 1000 };

static int split_transport(const char *text, const char *nexthop, struct arena *arena, char *path,
    size_t size, const char **nexthop_out)
{
	size_t len = strcspn(text, ":");

	if (len == 0 || memchr(text, '/', len) || len > 80)
		return -1;
	snprintf(path, size, "private/%.*s", (int)len, text);
	*nexthop_out = text[len] && text[len + 1] ? arena_strdup(arena, text + len + 1) : nexthop;
	return 0;
}

static int converse(const struct smtp_client *c, const char *path,
    const struct deliver_request *request, struct arena *arena, struct deliver_result *out,
    struct err *err)
{
	int sock = net_connect_unix(path, CONNECT_MS, err), rc = -1;
	struct str send = {0}, received = {0};
	struct frame frame;

	if (sock < 0)
		return -1;
	frame_encode(&send, DELIVER_REQUEST, 1, &deliver_request_table, request);
	if (frame_send(sock, &send, -1, CONNECT_MS, err) == 0) {
		int got = frame_recv(
		    sock, &received, clock_ms_of(c->core->ipc_timeout), &frame, NULL, err);

		if (got == 0)
			err_set(err, 0, "%s: no answer", path);
		else if (got > 0 && frame.type != DELIVER_RESULT)
			err_set(err, 0, "%s: unexpected answer", path);
		else if (got > 0)
			rc = frame_decode(&frame, &deliver_result_table, out, arena, err);
	}
	str_fini(&send);
	str_fini(&received);
	close(sock);
	return rc;
}

static void take_results(struct delivery *d, const struct deliver_result *result)
{
	const struct rcpt_result *r = result->rcpts.items;
	struct agent_job *job = d->job;

	for (size_t k = 0; k < result->rcpts.count; k++) {
		for (size_t i = 0; i < job->rcpt_count; i++) {
			if (!d->left[i] || job->rcpts[i].index != r[k].index)
				continue;
			job->results[i] = r[k];
			d->left[i] = false;
			d->left_count--;
		}
	}
	job->result->damaged = result->damaged;
}

void delivery_pass(struct delivery *d, const char *transport)
{
	struct agent_job *job = d->job;
	struct deliver_request request = *job->request;
	struct deliver_rcpt *rcpts = arena_alloc(job->arena, d->left_count * sizeof(*rcpts));
	struct deliver_result result = {0};
	struct trouble why;
	struct err err;
	char path[128];
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < job->rcpt_count; i++) {
		if (!d->left[i])
			continue;
		rcpts[count++] = job->rcpts[i];
		message_release(job->m, job->rcpts[i].index, 1);
	}
	request.rcpts = (struct frame_list){rcpts, count};
	request.flags = 0;
	rc = split_transport(
	    transport, request.nexthop, job->arena, path, sizeof(path), &request.nexthop);
	if (rc < 0)
		err_set(&err, 0, "\"%s\": expected transport or transport:nexthop", transport);
	else
		rc = converse(d->client, path, &request, job->arena, &result, &err);
	if (rc == 0)
		take_results(d, &result);
	else
		log_warn("%s: best_mx_transport: %s", request.id, err.text);
	if (d->left_count == 0)
		return;
	trouble_set(&why, job->arena, "4.3.0", "mail transport unavailable");
	why.stop = true;
	delivery_trouble_all(d, NULL, &why);
}
