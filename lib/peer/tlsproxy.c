/* SPDX-License-Identifier: ISC */
/* The client's end of tlsproxy.h. */
#include "lib/peer/tlsproxy.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/ipc/caller.h"

enum { ANSWER_MARGIN_MS = 2000 }; /* the proxy's time is over first */

struct tlsproxy_client {
	struct frame_caller *caller;
	struct arena arena;
	int timeout_ms;
};

struct tlsproxy_client *tlsproxy_client_new(const char *service_name, int timeout_ms)
{
	struct tlsproxy_client *c = alloc_zero(1, sizeof(*c));
	char *path = alloc_printf("private/%s", service_name);

	c->caller = frame_caller_new(path, timeout_ms, "TLS connections are not shared");
	c->timeout_ms = timeout_ms;
	free(path);
	return c;
}

void tlsproxy_client_free(struct tlsproxy_client **c)
{
	if (!*c)
		return;
	frame_caller_free(&(*c)->caller);
	arena_fini(&(*c)->arena);
	free(*c);
	*c = NULL;
}

int tlsproxy_connect(struct tlsproxy_client *c, const char *identity)
{
	static const struct frame_question question = {
	    TLSPROXY_HELLO, TLSPROXY_READY, &tlsproxy_hello_table, &tlsproxy_ready_table};
	const struct tlsproxy_hello hello = {identity};
	struct tlsproxy_ready ready;
	struct err err;
	int sock = -1;

	if (!frame_caller_ask(c->caller, &question, &hello, &c->arena, &ready, NULL))
		goto out;
	if (ready.willing) {
		sock = frame_caller_detach(c->caller);
	} else {
		err_set(&err, 0, "%.400s", ready.reason);
		frame_caller_rest(c->caller, &err);
	}
out:
	arena_reset(&c->arena);
	return sock;
}

static int hear(struct tlsproxy_client *c, int sock, int timeout_ms, struct arena *arena,
    struct tlsproxy_outcome *out, struct str *beyond, struct err *err)
{
	struct frame frame;
	int got = frame_recv(sock, beyond, timeout_ms, &frame, NULL, err);

	(void)c;
	if (got == 0)
		return err_set(err, EPIPE, "the connection ended instead of an answer");
	if (got < 0)
		return -1;
	if (frame.type != TLSPROXY_OUTCOME)
		return err_set(err, 0, "an answer to something else");
	if (frame_decode(&frame, &tlsproxy_outcome_table, out, arena, err) < 0)
		return -1;
	str_consume(beyond, frame.size);
	return 0;
}

int tlsproxy_start(struct tlsproxy_client *c, int sock, int peer,
    const struct tlsproxy_request *request, struct arena *arena, struct tlsproxy_outcome *out,
    struct str *beyond)
{
	int timeout_ms = (int)request->limit_ms;
	struct str frame = {0};
	struct err err;
	int rc;

	timeout_ms =
	    timeout_ms > INT_MAX - ANSWER_MARGIN_MS ? INT_MAX : timeout_ms + ANSWER_MARGIN_MS;
	frame_encode(&frame, TLSPROXY_CLIENT, 2, &tlsproxy_request_table, request);
	rc = frame_send(sock, &frame, peer, c->timeout_ms, &err);
	if (rc == 0)
		rc = hear(c, sock, timeout_ms, arena, out, beyond, &err);
	if (rc < 0)
		frame_caller_rest(c->caller, &err);
	str_fini(&frame);
	return rc;
}
