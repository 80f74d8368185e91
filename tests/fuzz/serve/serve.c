/* SPDX-License-Identifier: ISC */
#include "tests/fuzz/serve/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/ipc/server.h"

enum { TURNS_MAX = 100 };

/* false: the service has closed. */
static bool drain(int fd)
{
	char bytes[16384];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		;
	return n < 0 && errno == EAGAIN;
}

void serve_bytes(struct loop *loop, void (*accept)(void *arg, int fd), void *arg,
    const uint8_t *data, size_t size)
{
	size_t piece = size > 0 && data[0] < 128 ? (size_t)data[0] + 1 : 65536;
	int pair[2], turns = 0;

	log_open(LOG_TO_FD, -1, 0);
	if (size == 0)
		return;
	data++;
	size--;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	accept(arg, pair[0]);
	while (size > 0) {
		ssize_t n = send(pair[1], data, MIN(size, piece), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
		loop_turn(loop, 0);
		if (!drain(pair[1]))
			break;
	}
	shutdown(pair[1], SHUT_WR);
	do
		loop_turn(loop, 0);
	while (drain(pair[1]) && ++turns < TURNS_MAX);
	must(turns < TURNS_MAX);
	close(pair[1]);
}

void serve_frames(void *server, int fd)
{
	frame_server_accept(server, fd);
}
