/* SPDX-License-Identifier: ISC */
#include "lib/sys/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/str.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

static const struct sockaddr_in *as_v4(const struct net_addr *addr)
{
	return (const struct sockaddr_in *)(const void *)&addr->sa;
}

static const struct sockaddr_in6 *as_v6(const struct net_addr *addr)
{
	return (const struct sockaddr_in6 *)(const void *)&addr->sa;
}

bool net_addr_parse(struct net_addr *addr, const char *host, unsigned port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		memcpy(&addr->sa, &v4, sizeof(v4));
		addr->len = sizeof(v4);
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
		memcpy(&addr->sa, &v6, sizeof(v6));
		addr->len = sizeof(v6);
		return true;
	}
	return false;
}

void net_addr_text(const struct net_addr *addr, char *out, size_t size)
{
	snprintf(out, size, "unknown");
	if (addr->sa.ss_family == AF_INET) {
		inet_ntop(AF_INET, &as_v4(addr)->sin_addr, out, (socklen_t)size);
	} else if (addr->sa.ss_family == AF_INET6) {
		const struct in6_addr *ip = &as_v6(addr)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(ip))
			inet_ntop(AF_INET, ip->s6_addr + 12, out, (socklen_t)size);
		else
			inet_ntop(AF_INET6, ip, out, (socklen_t)size);
	}
}

unsigned net_addr_port(const struct net_addr *addr)
{
	if (addr->sa.ss_family == AF_INET)
		return ntohs(as_v4(addr)->sin_port);
	if (addr->sa.ss_family == AF_INET6)
		return ntohs(as_v6(addr)->sin6_port);
	return 0;
}

bool net_addr_is_v6(const struct net_addr *addr)
{
	return addr->sa.ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&as_v6(addr)->sin6_addr);
}

bool net_addr_from_fd(struct net_addr *addr, int fd, bool peer)
{
	memset(addr, 0, sizeof(*addr));
	addr->len = sizeof(addr->sa);
	if (peer)
		return getpeername(fd, (struct sockaddr *)&addr->sa, &addr->len) == 0;
	return getsockname(fd, (struct sockaddr *)&addr->sa, &addr->len) == 0;
}

bool net_addr_same_host(const struct net_addr *a, const struct net_addr *b)
{
	char at[64], bt[64];

	net_addr_text(a, at, sizeof(at));
	net_addr_text(b, bt, sizeof(bt));
	return strcmp(at, bt) == 0;
}

/* A small system has no services(5): mail's own names are known without it. */
static unsigned mail_port(const char *name)
{
	static const struct {
		const char *name;
		unsigned port;
	} ports[] = {{"smtp", 25}, {"submission", 587}, {"submissions", 465}, {"smtps", 465},
	    {"lmtp", 24}, {"qmqp", 628}};

	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		if (text_eq_nocase(name, ports[i].name))
			return ports[i].port;
	}
	return 0;
}

static int parse_port(const char *text, unsigned *port_out, struct err *err)
{
	struct servent *service;
	int port;

	if (num_int(text, 1, 65535, &port)) {
		*port_out = (unsigned)port;
		return 0;
	}
	service = *text ? getservbyname(text, "tcp") : NULL;
	*port_out = service ? ntohs((uint16_t)service->s_port) : mail_port(text);
	if (*port_out == 0)
		return err_set(err, EINVAL,
		    "\"%s\": expected a port number or a service name of /etc/services", text);
	return 0;
}

int net_split_host_port(
    const char *text, char *host_out, size_t host_size, unsigned *port_out, struct err *err)
{
	const char *host = text, *end, *port;

	if (text[0] == '[') {
		host = text + 1;
		end = strchr(host, ']');
		if (!end || (end[1] != ':' && end[1] != '\0'))
			return err_set(err, EINVAL, "\"%s\": expected [address]:port", text);
		port = end[1] ? end + 2 : end + 1;
	} else {
		end = strrchr(text, ':');
		port = end ? end + 1 : text;
		if (!end)
			end = text;
	}
	if ((size_t)(end - host) >= host_size)
		return err_set(err, EINVAL, "\"%s\": host name too long", text);
	memcpy(host_out, host, (size_t)(end - host));
	host_out[end - host] = '\0';
	return parse_port(port, port_out, err);
}

static void set_window(int fd, int window)
{
	if (window <= 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &window, sizeof(window));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
}

int net_listen(const struct net_addr *addr, int backlog, int window, struct err *err)
{
	int fd = socket(addr->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char host[64];
	int on = 1;

	net_addr_text(addr, host, sizeof(host));
	if (fd < 0)
		return err_sys(err, "socket for %s", host);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr->sa.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	set_window(fd, window);
	if (bind(fd, (const struct sockaddr *)&addr->sa, addr->len) < 0 ||
	    listen(fd, backlog) < 0) {
		err_sys(err, "bind %s port %u", host, net_addr_port(addr));
		close(fd);
		return -1;
	}
	return fd;
}

static int unix_addr(struct sockaddr_un *sun, const char *path, struct err *err)
{
	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(sun->sun_path))
		return err_set(err, ENAMETOOLONG, "socket path %s is longer than %zu bytes", path,
		    sizeof(sun->sun_path) - 1);
	strcpy(sun->sun_path, path);
	return 0;
}

int net_listen_unix(const char *path, int type, mode_t mode, int backlog, struct err *err)
{
	struct sockaddr_un sun;
	int fd;

	if (unix_addr(&sun, path, err) < 0)
		return -1;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "socket for %s", path);
	if (unlink(path) < 0 && errno != ENOENT) {
		err_sys(err, "unlink %s", path);
		goto fail;
	}
	if (bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 || chmod(path, mode) < 0) {
		err_sys(err, "bind %s", path);
		goto fail;
	}
	if (type == SOCK_STREAM && listen(fd, backlog) < 0) {
		err_sys(err, "listen %s", path);
		goto fail;
	}
	return fd;
fail:
	close(fd);
	return -1;
}

static int finish_connect(int fd, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	int64_t deadline = clock_mono_ms() + timeout_ms;
	socklen_t len = sizeof(int);
	int error = 0, n;

	do {
		int64_t left = deadline - clock_mono_ms();

		n = poll(&pfd, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -1;
	errno = error;
	return error ? -1 : 0;
}

static int connect_to(int fd, const struct sockaddr *sa, socklen_t len, int timeout_ms)
{
	if (connect(fd, sa, len) < 0) {
		if (errno == EAGAIN && sa->sa_family == AF_UNIX) {
			/* the listener's backlog is full: the one case where only waiting helps */
			fd_set_nonblock(fd, false);
			struct timeval tv = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
			if (connect(fd, sa, len) < 0) {
				if (errno == EAGAIN)
					errno = ETIMEDOUT;
				return -1;
			}
			tv = (struct timeval){0, 0};
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
			return 0;
		}
		if (errno != EINPROGRESS && errno != EINTR)
			return -1;
		if (finish_connect(fd, timeout_ms) < 0)
			return -1;
	}
	return fd_set_nonblock(fd, false);
}

int net_connect_unix(const char *path, int timeout_ms, struct err *err)
{
	struct sockaddr_un sun;
	int fd;

	if (unix_addr(&sun, path, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, "socket for %s", path);
	if (connect_to(fd, (const struct sockaddr *)&sun, sizeof(sun), timeout_ms) < 0) {
		err_sys(err, "connect to %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

int net_connect(const struct net_addr *addr, const struct net_addr *bind_to, int window,
    int timeout_ms, struct err *err)
{
	int fd = socket(addr->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char host[64];
	int on = 1;

	net_addr_text(addr, host, sizeof(host));
	if (fd < 0)
		return err_sys(err, "socket for %s", host);
	set_window(fd, window);
	if (bind_to && bind(fd, (const struct sockaddr *)&bind_to->sa, bind_to->len) < 0) {
		err_sys(err, "bind before connecting to %s", host);
		close(fd);
		return NET_CANNOT_BIND;
	}
	if (connect_to(fd, (const struct sockaddr *)&addr->sa, addr->len, timeout_ms) < 0) {
		err_sys(err, "connect to %s port %u", host, net_addr_port(addr));
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}
