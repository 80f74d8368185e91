/* SPDX-License-Identifier: ISC */
/*
 * A preloaded library that kills a process (as kill -9 does; TALK_SIGNAL=STOP stops it) in the
 * moment in which it would say something to another: at its first frame (lib/ipc/frame.h) of type
 * TALK_TYPE on a connection to the socket whose path ends in TALK_TO (not looked at when that is
 * not set). It happens to whoever finds the file TALK_TOKEN and can remove it: to one process for
 * each time that the file is made.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { TYPE_AT = 4 };

static int is_to(int fd)
{
	const char *to = getenv("TALK_TO");
	struct sockaddr_un peer = {0};
	socklen_t len = sizeof(peer) - 1;
	size_t have;

	if (!to)
		return 1;
	if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0 || peer.sun_family != AF_UNIX)
		return 0;
	have = strlen(peer.sun_path);
	return have >= strlen(to) && strcmp(peer.sun_path + have - strlen(to), to) == 0;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	const char *type = getenv("TALK_TYPE"), *token = getenv("TALK_TOKEN");
	const char *what = getenv("TALK_SIGNAL");
	const struct iovec *iov = msg->msg_iov;

	if (type && token && msg->msg_iovlen == 1 && iov->iov_len > TYPE_AT + 1) {
		const unsigned char *bytes = iov->iov_base;
		int is = bytes[TYPE_AT] | bytes[TYPE_AT + 1] << 8;

		if (is == atoi(type) && is_to(fd) && unlink(token) == 0)
			kill(getpid(), what && !strcmp(what, "STOP") ? SIGSTOP : SIGKILL);
	}
	return syscall(SYS_sendmsg, fd, msg, flags);
}
