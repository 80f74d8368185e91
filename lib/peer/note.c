/* SPDX-License-Identifier: ISC */
/* The sender's end of note.h: one connection per process, kept; a broken one is made anew once. */
#include "lib/peer/note.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/mail/verp.h"
#include "lib/sys/fd.h"
#include "lib/sys/net.h"

#define QMGR_SOCKET "public/qmgr"
/* A full socket means that qmgr is behind: waiting a little is the back-pressure. */
enum { NOTE_TIMEOUT_MS = 5000 };

struct notifier {
	int fd;          /* -1: not connected */
	bool behind;     /* qmgr says so */
	struct str said; /* part of a frame of its */
	bool lost; /* a note did not arrive: ask for a scan when there is a connection again */
	struct str frame;
};

struct notifier *notifier_new(void)
{
	struct notifier *n = alloc_zero(1, sizeof(*n));

	n->fd = -1;
	return n;
}

static void hang_up(struct notifier *n)
{
	fd_close(&n->fd);
	str_fini(&n->said);
	n->behind = false;
}

void notifier_free(struct notifier **n)
{
	if (!*n)
		return;
	hang_up(*n);
	str_fini(&(*n)->frame);
	free(*n);
	*n = NULL;
}

static void take_words(struct notifier *n)
{
	struct frame frame;
	struct err err;
	int rc;

	while ((rc = frame_peek(n->said.data, n->said.len, &frame, &err)) == 1) {
		n->behind = frame.type == NOTE_BEHIND;
		str_consume(&n->said, frame.size);
	}
	if (rc < 0)
		hang_up(n);
}

/* What qmgr says of the flow, and whether it is still there. */
static void hear(struct notifier *n)
{
	char bytes[256];
	ssize_t got;

	while (n->fd >= 0 && (got = recv(n->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) != -1) {
		str_put(&n->said, bytes, (size_t)got);
		if (got == 0)
			hang_up(n);
		else
			take_words(n);
	}
	if (n->fd >= 0 && errno != EAGAIN && errno != EINTR)
		hang_up(n);
}

static int connect_qmgr(struct notifier *n, struct err *err)
{
	struct str scan = {0};

	n->fd = net_connect_unix(QMGR_SOCKET, NOTE_TIMEOUT_MS, err);
	if (n->fd < 0)
		return -1;
	if (!n->lost)
		return 0;
	frame_encode(&scan, NOTE_SCAN, 0, NULL, NULL);
	if (frame_send(n->fd, &scan, -1, NOTE_TIMEOUT_MS, err) == 0)
		n->lost = false;
	str_fini(&scan);
	return 0;
}

static void send_frame(struct notifier *n)
{
	struct err err = {0};

	hear(n);
	if (n->fd < 0 && connect_qmgr(n, &err) < 0) {
		/* the queue manager is down; when it starts it scans */
		log_debug("note to qmgr: %s", err.text);
		n->lost = true;
		return;
	}
	if (frame_send(n->fd, &n->frame, -1, NOTE_TIMEOUT_MS, &err) < 0) {
		log_debug("note to qmgr: %s", err.text);
		hang_up(n); /* a half-sent frame cannot be continued */
		n->lost = true;
	}
}

void notifier_send(struct notifier *n, const struct envelope *env, const struct location *loc,
    uint64_t content_len)
{
	struct note_rcpt rcpts[NOTE_RCPTS_MAX];
	struct slice verp = envelope_attribute(env, ENVELOPE_VERP);
	char delimiters[VERP_DELIMITERS + 1] = "";
	struct note note = {
	    .id = env->id,
	    .lane = (uint32_t)loc->lane,
	    .epoch = loc->epoch,
	    .offset = loc->offset,
	    .dir = loc->dir,
	    .generation = env->generation,
	    .env_flags = env->flags,
	    .arrival_us = env->arrival_us,
	    .queued_us = env->queued_us,
	    .content_len = content_len,
	    .rcpt_count = env->rcpt_count,
	    .sender = env->sender,
	    .message_id = env->message_id,
	    .envid = env->envid,
	    .ret = env->ret,
	    .client_name = env->client_name,
	    .client_addr = env->client_addr,
	    .client_port = env->client_port,
	    .helo = env->helo,
	    .protocol = env->protocol,
	    .sasl_method = env->sasl_method,
	    .sasl_username = env->sasl_username,
	    .rcpts = {rcpts, 0},
	    .verp = delimiters,
	};

	if (verp.len == VERP_DELIMITERS)
		memcpy(delimiters, verp.data, verp.len);

	for (uint32_t i = 0; i < env->rcpt_count && env->rcpt_count <= NOTE_RCPTS_MAX; i++) {
		const struct recipient *r = &env->rcpts[i];

		rcpts[note.rcpts.count++] = (struct note_rcpt){.index = i,
		    .address = r->address,
		    .orig = r->orig,
		    .orcpt = r->orcpt,
		    .transport = r->transport,
		    .nexthop = r->nexthop,
		    .notify = r->notify};
	}
	if (strcmp(loc->dir, "hold") == 0 && loc->lane < 0)
		return; /* what is held waits for the operator */
	str_clear(&n->frame);
	frame_encode(&n->frame, NOTE_MESSAGE, 0, &note_table, &note);
	send_frame(n);
}

void notifier_await_flow(struct notifier *n, int max_ms)
{
	int64_t end;

	if (max_ms <= 0)
		return;
	if (n->fd < 0)
		connect_qmgr(n, &(struct err){0});
	hear(n);
	end = n->behind ? clock_mono_ms() + max_ms : 0;
	while (n->behind) {
		struct pollfd pfd = {.fd = n->fd, .events = POLLIN};
		int64_t left = end - clock_mono_ms();

		if (left <= 0 || poll(&pfd, 1, (int)left) <= 0)
			return;
		hear(n);
	}
}

int note_attempt_send(const struct note_attempt *attempt, struct err *err)
{
	struct str frame = {0};
	int fd = net_connect_unix(QMGR_SOCKET, NOTE_TIMEOUT_MS, err), rc;

	if (fd < 0)
		return -1;
	frame_encode(&frame, NOTE_ATTEMPT, 0, &note_attempt_table, attempt);
	rc = frame_send(fd, &frame, -1, NOTE_TIMEOUT_MS, err);
	str_fini(&frame);
	close(fd);
	return rc;
}

int trigger_send(const char *path, char what, int timeout_ms)
{
	const char text[] = {what, '\0'};

	return trigger_send_text(path, text, timeout_ms);
}

int trigger_send_text(const char *path, const char *text, int timeout_ms)
{
	size_t len = strlen(text);
	struct stat st;
	int fd, rc;

	if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode)) {
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return -1;
		rc = fd_write_all(fd, text, len);
	} else {
		fd = net_connect_unix(path, timeout_ms, NULL);
		if (fd < 0)
			return -1;
		rc = send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
	}
	close(fd);
	return rc;
}
