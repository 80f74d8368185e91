/* SPDX-License-Identifier: ISC */
#include "lib/service/private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/fd.h"

enum { TRIGGER_WAIT_MS = 1000, PASS_WAIT_MS = 10000 };

static bool wait_readable(int fd, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int n;

	do {
		n = poll(&pfd, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* All descriptors of a control message but the first one wanted are closed. */
static int first_descriptor(struct msghdr *msg)
{
	int found = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (found < 0)
				found = fd;
			else
				close(fd);
		}
	}
	return found;
}

int service_receive_fd(int connection)
{
	char byte[512];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = byte, .iov_len = sizeof(byte)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	int fd = -1;

	/* attributes may go before the descriptor; its sender is one of us, but nothing is trusted
	 */
	for (int tries = 0; fd < 0 && tries < 8 && wait_readable(connection, PASS_WAIT_MS);
	     tries++) {
		msg.msg_controllen = sizeof(control);
		if (recvmsg(connection, &msg, MSG_CMSG_CLOEXEC) <= 0)
			break;
		fd = first_descriptor(&msg);
	}
	if (fd < 0)
		log_warn("no descriptor was passed on a connection to this service");
	close(connection);
	return fd;
}

size_t service_read_trigger(int fd, char *buf, size_t size)
{
	ssize_t n;

	if (!wait_readable(fd, TRIGGER_WAIT_MS))
		return 0;
	do {
		n = read(fd, buf, size);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}
