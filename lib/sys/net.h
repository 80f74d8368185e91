/* SPDX-License-Identifier: ISC */
#ifndef LIB_SYS_NET_H
#define LIB_SYS_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct err;

/* Addresses and sockets; no DNS (that is lib/dns), no blocking longer than the caller says. */

struct net_addr {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* "192.0.2.1" or "2001:db8::1" (no brackets) with a port in host order. false: not an address. */
bool net_addr_parse(struct net_addr *addr, const char *host, unsigned port);
/* The host part alone, as logs show it. An IPv4-mapped IPv6 address prints as IPv4. */
void net_addr_text(const struct net_addr *addr, char *out, size_t size); /* 46 bytes are enough */
unsigned net_addr_port(const struct net_addr *addr);
bool net_addr_is_v6(const struct net_addr *addr); /* false for mapped IPv4 */
bool net_addr_from_fd(struct net_addr *addr, int fd, bool peer);
bool net_addr_same_host(const struct net_addr *a, const struct net_addr *b); /* ports aside */

/*
 * host:port as in master.cf and nexthops: "host:port", "[v6]:port", ":port", "port". Port names
 * come from services(5); those of mail are known without it. host_out is "" when absent. Returns
 * 0 or -1 with err.
 */
int net_split_host_port(
    const char *text, char *host_out, size_t host_size, unsigned *port_out, struct err *err);

/*
 * Listening and connected stream sockets, close-on-exec. A descriptor, or -1 with err. window: the
 * size of a network socket's buffers, set before it listens or connects, so that TCP's window
 * cannot grow beyond (tcp_windowsize); 0: the system's.
 */
int net_listen(const struct net_addr *addr, int backlog, int window, struct err *err);
int net_listen_unix(const char *path, int type, mode_t mode, int backlog, struct err *err);
int net_connect_unix(const char *path, int timeout_ms, struct err *err);
/*
 * Bound by `bind_to` when not NULL. err->code is the errno (ETIMEDOUT, ECONNREFUSED, ...). -1, or
 * NET_CANNOT_BIND when bind_to is no address that this host can use.
 */
enum { NET_CANNOT_BIND = -2 };
int net_connect(const struct net_addr *addr, const struct net_addr *bind_to, int window,
    int timeout_ms, struct err *err);

#endif
