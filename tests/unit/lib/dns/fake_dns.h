/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_DNS_FAKE_DNS_H
#define TESTS_UNIT_LIB_DNS_FAKE_DNS_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/attr.h"

/*
 * A name server for tests: a child process on a free port of 127.0.0.1 (or ::1), UDP and TCP, that
 * answers from a table. Names that are not in it do not exist. It ends with its parent. The value
 * of SRV is its target (weight 5, port 2525), that of TLSA a text that is sent as its data (3 1 1).
 * An answer is marked as validated (AD) when the question asks for that and the name begins with
 * "signed".
 */
enum fake_kind {
	FAKE_A = 1,
	FAKE_CNAME = 5,
	FAKE_PTR = 12,
	FAKE_MX = 15,
	FAKE_AAAA = 28,
	FAKE_SRV = 33,
	FAKE_TLSA = 52,
	FAKE_SERVFAIL = 1000,
	FAKE_SILENT,
	FAKE_GARBAGE,
	FAKE_REFUSED,
	FAKE_EMPTY,
	/* of any type asked for, as many as `preference` says: */
	FAKE_MANY,       /* truncated by UDP, whole by TCP */
	FAKE_CUT,        /* truncated by UDP; TCP hangs up in the middle */
	FAKE_STUCK,      /* truncated by UDP; TCP says nothing */
	FAKE_OTHER_ID,   /* the answer to another question: id, ... */
	FAKE_OTHER_NAME, /* ... name, by TCP */
	FAKE_UNASKED,    /* a true answer that is followed by records nobody asked for */
};

struct fake_record {
	const char *name;
	enum fake_kind kind;
	unsigned preference;
	const char *value;
};

struct fake_dns {
	pid_t pid;
	char address[32]; /* "127.0.0.1:PORT" */
};

static size_t fake_put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
	return 2;
}

static size_t fake_put_name(unsigned char *p, const char *name)
{
	size_t at = 0;

	while (*name) {
		size_t len = strcspn(name, ".");

		p[at++] = (unsigned char)len;
		memcpy(p + at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	p[at++] = 0;
	return at;
}

static size_t fake_put_record(unsigned char *p, const struct fake_record *r)
{
	size_t at = fake_put_name(p, r->name), len_at, start;

	at += fake_put16(p + at, r->kind);
	at += fake_put16(p + at, 1);
	at += fake_put16(p + at, 0);
	at += fake_put16(p + at, 60);
	len_at = at;
	start = at += 2;
	if (r->kind == FAKE_A) {
		inet_pton(AF_INET, r->value, p + at);
		at += 4;
	} else if (r->kind == FAKE_AAAA) {
		inet_pton(AF_INET6, r->value, p + at);
		at += 16;
	} else {
		if (r->kind == FAKE_MX || r->kind == FAKE_SRV)
			at += fake_put16(p + at, r->preference);
		if (r->kind == FAKE_SRV)
			at += fake_put16(p + at, 5) + fake_put16(p + at + 2, 2525);
		if (r->kind == FAKE_TLSA) {
			memcpy(p + at, "\3\1\1", 3);
			memcpy(p + at + 3, r->value, strlen(r->value));
			at += 3 + strlen(r->value);
		} else {
			at += fake_put_name(p + at, r->value);
		}
	}
	fake_put16(p + len_at, (unsigned)(at - start));
	return at;
}

/* The question's name as text; the place behind it, or 0. */
static size_t fake_question(const unsigned char *q, size_t len, char *name, size_t size)
{
	size_t at = 12, out = 0;

	while (at < len && q[at]) {
		size_t n = q[at++];

		if (at + n >= len || out + n + 2 > size)
			return 0;
		if (out)
			name[out++] = '.';
		memcpy(name + out, q + at, n);
		out += n;
		at += n;
	}
	name[out] = '\0';
	return at + 5 <= len ? at + 5 : 0;
}

enum { FAKE_ANSWER_MAX = 65535 };

/* What a hostile record does: more records, lies. Returns how many were put. */
static unsigned fake_mischief(
    const struct fake_record *r, bool tcp, unsigned type, unsigned char *out, size_t *at)
{
	struct fake_record one = {.name = r->name, .kind = (enum fake_kind)type, .value = r->value};
	unsigned put = 0;

	if (r->kind == FAKE_OTHER_ID)
		out[0] ^= 0xff;
	if (r->kind == FAKE_OTHER_NAME && tcp)
		out[13] ^= 1;
	if ((r->kind == FAKE_MANY || r->kind == FAKE_CUT || r->kind == FAKE_STUCK ||
	        r->kind == FAKE_OTHER_NAME) &&
	    !tcp) {
		out[2] |= 2; /* TC */
		return 0;
	}
	while (put < r->preference && *at + 300 < FAKE_ANSWER_MAX) {
		*at += fake_put_record(out + *at, &one);
		put++;
	}
	if (r->kind == FAKE_UNASKED) {
		one.name = "unasked.test";
		*at += fake_put_record(out + *at, &one);
		put++;
	}
	return put;
}

/* Answers one question into out; 0: stays silent. */
static size_t fake_answer(const struct fake_record *zone, size_t count, const unsigned char *q,
    size_t len, bool tcp, unsigned char *out)
{
	unsigned type, found = 0, rcode = 3;
	char name[256];
	const char *want = name;
	size_t at = fake_question(q, len, name, sizeof(name));

	if (!at)
		return 0;
	type = (unsigned)(q[at - 4] << 8 | q[at - 3]);
	memcpy(out, q, at);
	fake_put16(out + 2, 0x8180);
	if ((q[3] & 0x20) && strncasecmp(name, "signed", 6) == 0)
		out[3] |= 0x20; /* AD */
	for (size_t i = 0; i < count; i++) {
		const struct fake_record *r = &zone[i];

		if (strcasecmp(r->name, want) != 0)
			continue;
		if (rcode == 3)
			rcode = 0;
		if (r->kind == FAKE_SILENT)
			return 0;
		if (r->kind == FAKE_SERVFAIL)
			rcode = 2;
		if (r->kind == FAKE_REFUSED)
			rcode = 5;
		if (r->kind >= FAKE_MANY)
			found += fake_mischief(r, tcp, type, out, &at);
		if (tcp && r->kind == FAKE_STUCK)
			return 0;
		if (r->kind == FAKE_GARBAGE) {
			found++;
			memset(out + at, 0xff, 9);
			at += 9;
		}
		if (r->kind == type || r->kind == FAKE_CNAME) {
			at += fake_put_record(out + at, r);
			found++;
		}
		/* "+name": the answer goes on with the target's records */
		if (r->kind == FAKE_CNAME && r->preference) {
			want = r->value;
			i = (size_t)-1;
		}
	}
	out[3] |= (unsigned char)rcode;
	fake_put16(out + 4, 1);
	fake_put16(out + 6, found);
	memset(out + 8, 0, 4);
	return at;
}

static bool fake_cuts(
    const struct fake_record *zone, size_t count, const unsigned char *q, size_t len)
{
	char name[256];

	if (fake_question(q, len, name, sizeof(name)))
		for (size_t i = 0; i < count; i++)
			if (zone[i].kind == FAKE_CUT && strcasecmp(zone[i].name, name) == 0)
				return true;
	return false;
}

/* One question by TCP. The silent are let go, too: their client waits for the time-out. */
static void fake_serve_tcp(const struct fake_record *zone, size_t count, int listener)
{
	static unsigned char q[512], a[2 + FAKE_ANSWER_MAX];
	static int silent = -1;
	int fd = accept(listener, NULL, NULL);
	ssize_t n = recv(fd, q, 2, MSG_WAITALL) == 2
	                ? recv(fd, q, MIN((size_t)(q[0] << 8 | q[1]), sizeof(q)), MSG_WAITALL)
	                : 0;
	size_t out = n > 12 ? fake_answer(zone, count, q, (size_t)n, true, a + 2) : 0;

	fake_put16(a, (unsigned)out);
	if (out)
		send(fd, a, fake_cuts(zone, count, q, (size_t)n) ? out / 2 : out + 2, MSG_NOSIGNAL);
	if (silent >= 0 || out)
		close(out ? fd : silent);
	silent = out ? silent : fd;
}

static void fake_serve_udp(const struct fake_record *zone, size_t count, int fd)
{
	static unsigned char q[512], a[FAKE_ANSWER_MAX];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&from, &from_len);
	size_t out = n > 12 ? fake_answer(zone, count, q, (size_t)n, false, a) : 0;

	if (out)
		sendto(fd, a, out, 0, (struct sockaddr *)&from, from_len);
}

/* The two sockets share their port. false: this host has no such address. */
static bool fake_bind(int family, int *udp_out, int *tcp_out, unsigned *port_out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);

	for (int i = 0; i < 100; i++) {
		*tcp_out = socket(family, SOCK_STREAM, 0);
		*udp_out = socket(family, SOCK_DGRAM, 0);
		v4.sin_port = v6.sin6_port = 0;
		if (bind(*tcp_out, sa, len) < 0 || listen(*tcp_out, 10) < 0)
			return false;
		ck_assert_int_eq(getsockname(*tcp_out, sa, &len), 0);
		*port_out = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
		if (bind(*udp_out, sa, len) == 0)
			return true;
		close(*tcp_out);
		close(*udp_out);
	}
	return false;
}

static struct fake_dns fake_dns_start_on(int family, const struct fake_record *zone, size_t count)
{
	struct fake_dns dns = {.pid = -1};
	int udp, tcp;
	pid_t parent = getpid();
	unsigned port;

	if (!fake_bind(family, &udp, &tcp, &port))
		return dns;
	snprintf(dns.address, sizeof(dns.address), family == AF_INET ? "127.0.0.1:%u" : "[::1]:%u",
	    port);
	dns.pid = fork();
	ck_assert_int_ge(dns.pid, 0);
	if (dns.pid > 0) {
		close(udp);
		close(tcp);
		return dns;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent) {
		struct pollfd pfds[2] = {
		    {.fd = udp, .events = POLLIN}, {.fd = tcp, .events = POLLIN}};

		if (poll(pfds, 2, -1) > 0 && pfds[0].revents)
			fake_serve_udp(zone, count, udp);
		else if (pfds[1].revents)
			fake_serve_tcp(zone, count, tcp);
	}
	_exit(0);
}

static struct fake_dns fake_dns_start(const struct fake_record *zone, size_t count)
{
	struct fake_dns dns = fake_dns_start_on(AF_INET, zone, count);

	ck_assert(dns.pid > 0);
	return dns;
}

static void fake_dns_stop(struct fake_dns *dns)
{
	kill(dns->pid, SIGKILL);
	waitpid(dns->pid, NULL, 0);
}

#endif
