/* SPDX-License-Identifier: ISC */
#include "lib/peer/flush.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/net.h"

static int exchange(
    int fd, const struct str *frame, int timeout_ms, enum flush_status *status_out, struct err *err)
{
	struct flush_answer answer;
	struct arena arena = {0};
	struct str in = {0};
	struct frame got;
	int rc;

	rc = frame_send(fd, frame, -1, timeout_ms, err);
	if (rc == 0) {
		rc = frame_recv(fd, &in, timeout_ms, &got, NULL, err);
		if (rc == 0)
			rc = err_set(err, 0, "connection ended before the answer");
	}
	if (rc == 1) {
		rc = got.type != FLUSH_ANSWER
		         ? err_set(err, 0, "answer of unknown type %u", got.type)
		         : frame_decode(&got, &flush_answer_table, &answer, &arena, err);
		if (rc == 0)
			*status_out = answer.status <= FLUSH_DENIED
			                  ? (enum flush_status)answer.status
			                  : FLUSH_FAILED;
	}
	str_fini(&in);
	arena_fini(&arena);
	return rc;
}

int flush_ask(const char *service, uint16_t type, const struct flush_request *request,
    int timeout_ms, enum flush_status *status_out, struct err *err)
{
	struct str frame = {0};
	char path[108];
	int fd, rc;

	snprintf(path, sizeof(path), "public/%s", service);
	fd = net_connect_unix(path, timeout_ms, err);
	if (fd < 0)
		return -1;
	frame_encode(&frame, type, 1, &flush_request_table, request);
	rc = exchange(fd, &frame, timeout_ms, status_out, err);
	if (rc < 0)
		err_prefix(err, "%s: ", path);
	str_fini(&frame);
	close(fd);
	return rc;
}
