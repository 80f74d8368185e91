/* SPDX-License-Identifier: ISC */
/* The blocking ends of frame.h: whole frames over a UNIX stream socket, with a time limit. */
#include "lib/ipc/frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { RECV_CHUNK = 8192 };

/* 1: ready, 0: time-out, -1: error. */
static int wait_ready(int sock, short events, int64_t deadline)
{
	struct pollfd pfd = {.fd = sock, .events = events};

	for (;;) {
		int64_t left = deadline - clock_mono_ms();
		int n = poll(&pfd, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return 1;
		if (n == 0)
			return 0;
		if (errno != EINTR)
			return -1;
	}
}

static ssize_t send_with_fd(int sock, const char *data, size_t len, int fd)
{
	struct iovec iov = {.iov_len = len};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	memcpy(&iov.iov_base, &data, sizeof(data)); /* iovec is not const-correct */
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int frame_send(int sock, const struct str *frame, int fd, int timeout_ms, struct err *err)
{
	int64_t deadline = 0;
	size_t done = 0;

	while (done < frame->len) {
		ssize_t n =
		    send_with_fd(sock, frame->data + done, frame->len - done, done == 0 ? fd : -1);

		if (n > 0) {
			done += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			int ready;

			if (!deadline)
				deadline = clock_mono_ms() + timeout_ms;
			ready = wait_ready(sock, POLLOUT, deadline);
			if (ready == 0)
				return err_set(err, ETIMEDOUT, "send: timed out");
			if (ready < 0)
				return err_sys(err, "poll");
		} else if (n < 0 && errno != EINTR) {
			return err_sys(err, "send");
		}
	}
	return 0;
}

static void keep_passed_fd(struct msghdr *msg, int *fd_out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		/* the padding of the control buffer has room for a second one */
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (fd_out && *fd_out < 0)
				*fd_out = fd;
			else
				close(fd); /* nobody asked for it */
		}
	}
}

long frame_receive(int sock, struct str *buf, int *fd_out)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room)};
	ssize_t n;

	str_reserve(buf, RECV_CHUNK);
	iov = (struct iovec){buf->data + buf->len, RECV_CHUNK};
	n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n >= 0)
		keep_passed_fd(&msg, fd_out);
	if (n > 0) {
		buf->len += (size_t)n;
		buf->data[buf->len] = '\0';
	}
	return n;
}

int frame_recv(int sock, struct str *buf, int timeout_ms, struct frame *frame_out, int *fd_out,
    struct err *err)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;

	if (fd_out)
		*fd_out = -1;
	for (;;) {
		int found = frame_peek(str_text(buf), buf->len, frame_out, err);
		ssize_t n;
		int ready;

		if (found != 0)
			return found;
		n = frame_receive(sock, buf, fd_out);
		if (n > 0)
			continue;
		if (n == 0)
			return buf->len == 0 ? 0
			                     : err_set(err, EPIPE, "connection ended in a frame");
		if (errno == EINTR)
			continue;
		if (errno == ECONNRESET && buf->len == 0)
			return 0;
		if (errno != EAGAIN)
			return err_sys(err, "receive");
		ready = wait_ready(sock, POLLIN, deadline);
		if (ready == 0)
			return err_set(err, ETIMEDOUT, "receive: timed out");
		if (ready < 0)
			return err_sys(err, "poll");
	}
}
