/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/sys/net.h"
#include "suite.h"

static const struct {
	const char *text, *shown; /* NULL: no address */
	bool v6;
} addrs[] = {
    {"192.0.2.1", "192.0.2.1", false},
    {"0.0.0.0", "0.0.0.0", false},
    {"2001:DB8::1", "2001:db8::1", true},
    {"::", "::", true},
    {"::ffff:192.0.2.1", "192.0.2.1", false},
    {"192.0.2", NULL, false},
    {"192.0.2.256", NULL, false},
    {"192.0.2.1 ", NULL, false},
    {"[2001:db8::1]", NULL, false},
    {"localhost", NULL, false},
    {"", NULL, false},
};

START_TEST(addresses)
{
	struct net_addr a, b;
	char out[46];

	ck_assert_int_eq(net_addr_parse(&a, addrs[_i].text, 25), addrs[_i].shown != NULL);
	if (!addrs[_i].shown)
		return;
	net_addr_text(&a, out, sizeof(out));
	ck_assert_str_eq(out, addrs[_i].shown);
	ck_assert_uint_eq(net_addr_port(&a), 25);
	ck_assert_int_eq(net_addr_is_v6(&a), addrs[_i].v6);
	ck_assert(net_addr_parse(&b, addrs[_i].text, 26));
	ck_assert(net_addr_same_host(&a, &b));
	ck_assert(net_addr_parse(&b, "198.51.100.9", 25));
	ck_assert(!net_addr_same_host(&a, &b));
}
END_TEST

static const struct {
	const char *text, *host; /* NULL: refused */
	unsigned port;
} splits[] = {
    {"host:25", "host", 25},
    {"[2001:db8::1]:587", "2001:db8::1", 587},
    {":10025", "", 10025},
    {"2525", "", 2525},
    {"smtp", "", 25},
    {"127.0.0.1:smtp", "127.0.0.1", 25},
    {"[host]:25", "host", 25},
    {"host:0", NULL, 0},
    {"host:65536", NULL, 0},
    {"host:", NULL, 0},
    {"host:no-such-service", NULL, 0},
    {"[2001:db8::1", NULL, 0},
    {"[2001:db8::1]25", NULL, 0},
    {"", NULL, 0},
    {"a-host-name-that-is-longer-than-the-room-that-there-is-for-it:25", NULL, 0},
};

START_TEST(host_and_port)
{
	char host[32];
	unsigned port = 0;
	struct err err = {0};
	int rc = net_split_host_port(splits[_i].text, host, sizeof(host), &port, &err);

	ck_assert_int_eq(rc, splits[_i].host ? 0 : -1);
	if (rc == 0) {
		ck_assert_str_eq(host, splits[_i].host);
		ck_assert_uint_eq(port, splits[_i].port);
	} else {
		ck_assert_uint_gt(strlen(err.text), 0);
	}
}
END_TEST

static int buffer_of(int fd)
{
	socklen_t len = sizeof(int);
	int size = 0;

	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len);
	return size;
}

START_TEST(connected)
{
	struct net_addr any, bound, seen, peer;
	struct err err = {0};
	int listener, a, b;

	ck_assert(net_addr_parse(&any, "127.0.0.1", 0));
	listener = net_listen(&any, 5, 8192, &err);
	ck_assert_msg(listener >= 0, "%s", err.text);
	ck_assert(net_addr_from_fd(&bound, listener, false));
	a = net_connect(&bound, &any, 8192, 1000, &err);
	ck_assert_msg(a >= 0, "%s", err.text);
	b = accept(listener, NULL, NULL);
	ck_assert_int_eq(buffer_of(a), 2 * 8192); /* Linux counts its own share, too */
	ck_assert_int_eq(buffer_of(b), 2 * 8192);
	ck_assert(net_addr_from_fd(&seen, a, false) && net_addr_from_fd(&peer, b, true));
	ck_assert_uint_eq(net_addr_port(&seen), net_addr_port(&peer));
	close(a);
	close(b);
	close(listener);
	ck_assert_int_eq(net_connect(&bound, NULL, 0, 1000, &err), -1);
	ck_assert_int_eq(err.code, ECONNREFUSED);
}
END_TEST

START_TEST(unix_sockets)
{
	char folder[] = "/tmp/postern-net.XXXXXX", path[200], far[300];
	struct err err = {0};
	struct stat st;
	int listener, fds[64], n = 0;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	ck_assert_int_eq(net_connect_unix(path, 100, &err), -1);
	ck_assert_int_eq(err.code, ENOENT);
	listener = net_listen_unix(path, SOCK_STREAM, 0620, 0, &err);
	ck_assert_msg(listener >= 0, "%s", err.text);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0620);
	/* nobody accepts: the backlog fills up, and waiting has an end */
	while (n < 64 && (fds[n] = net_connect_unix(path, 50, &err)) >= 0)
		n++;
	ck_assert_int_lt(n, 64);
	ck_assert_int_eq(err.code, ETIMEDOUT);
	while (n > 0)
		close(fds[--n]);
	close(listener);
	ck_assert_int_eq(net_connect_unix(path, 50, &err), -1);
	ck_assert_int_eq(err.code, ECONNREFUSED);
	/* what a dead one has left is replaced */
	listener = net_listen_unix(path, SOCK_STREAM, 0600, 5, &err);
	ck_assert_int_ge(listener, 0);
	close(listener);
	snprintf(far, sizeof(far), "%s/%0150d", folder, 1);
	ck_assert_int_eq(net_listen_unix(far, SOCK_STREAM, 0600, 5, &err), -1);
	ck_assert_int_eq(err.code, ENAMETOOLONG);
	unlink(path);
	rmdir(folder);
}
END_TEST

TCase *net_tcase(void)
{
	TCase *tc = tcase_create("net");

	tcase_add_loop_test(tc, addresses, 0, sizeof(addrs) / sizeof(addrs[0]));
	tcase_add_loop_test(tc, host_and_port, 0, sizeof(splits) / sizeof(splits[0]));
	tcase_add_test(tc, connected);
	tcase_add_test(tc, unix_sockets);
	return tc;
}
