/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_DNS_FAKE_DNS_H
#define TESTS_UNIT_LIB_DNS_FAKE_DNS_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A name server for tests: a child process on a free UDP port of 127.0.0.1 that answers from a
 * table. Names that are not in it do not exist. It ends with its parent.
 */
enum fake_kind {
	FAKE_A = 1,
	FAKE_CNAME = 5,
	FAKE_PTR = 12,
	FAKE_MX = 15,
	FAKE_AAAA = 28,
	FAKE_SERVFAIL = 1000,
	FAKE_SILENT,
	FAKE_GARBAGE,
	FAKE_REFUSED,
	FAKE_EMPTY
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
		if (r->kind == FAKE_MX)
			at += fake_put16(p + at, r->preference);
		at += fake_put_name(p + at, r->value);
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

/* Answers one question into out; 0: stays silent. */
static size_t fake_answer(const struct fake_record *zone, size_t count, const unsigned char *q,
    size_t len, unsigned char *out)
{
	unsigned type, found = 0, rcode = 3;
	char name[256];
	const char *want = name;
	size_t at = fake_question(q, len, name, sizeof(name));

	if (!at)
		return 0;
	type = (unsigned)(q[at - 4] << 8 | q[at - 3]);
	memcpy(out, q, at);
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
	fake_put16(out + 2, 0x8180 | rcode);
	fake_put16(out + 4, 1);
	fake_put16(out + 6, found);
	memset(out + 8, 0, 4);
	return at;
}

static struct fake_dns fake_dns_start(const struct fake_record *zone, size_t count)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	struct fake_dns dns;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	pid_t parent = getpid();

	ck_assert(fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	snprintf(dns.address, sizeof(dns.address), "127.0.0.1:%u", ntohs(sin.sin_port));
	dns.pid = fork();
	ck_assert_int_ge(dns.pid, 0);
	if (dns.pid > 0) {
		close(fd);
		return dns;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent) {
		unsigned char q[512], a[4096];
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&from, &from_len);
		size_t out = n > 12 ? fake_answer(zone, count, q, (size_t)n, a) : 0;

		if (out)
			sendto(fd, a, out, 0, (struct sockaddr *)&from, from_len);
	}
	_exit(0);
}

static void fake_dns_stop(struct fake_dns *dns)
{
	kill(dns->pid, SIGKILL);
	waitpid(dns->pid, NULL, 0);
}

#endif
