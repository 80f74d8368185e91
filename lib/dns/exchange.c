/* SPDX-License-Identifier: ISC */
#include "lib/dns/exchange.h"

#include <arpa/nameser.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/io/stream.h"
#include "lib/sys/clock.h"

enum { HEAD_LEN = NS_HFIXEDSZ, ROUND_MAX_MS = 30 * 1000, STRAYS_MAX = 1000 };

enum verdict {
	ANSWERED,
	TRUNCATED,
	USELESS, /* another server may know */
	STRAY,   /* not the answer to this question: go on waiting */
};

/* The end of the question section, or 0. A question is written without compression. */
static size_t question_end(const unsigned char *packet, size_t len)
{
	size_t at = HEAD_LEN;

	while (at < len && packet[at] > 0 && packet[at] < 64)
		at += packet[at] + 1;
	return at + 5 <= len && packet[at] == 0 ? at + 5 : 0;
}

static unsigned count_at(const unsigned char *packet, size_t at)
{
	return (unsigned)(packet[at] << 8 | packet[at + 1]);
}

/* Letters may come back in another case; lengths of labels, below 64, are no letters. */
static bool same_question(const unsigned char *query, const unsigned char *answer, size_t len)
{
	size_t end = question_end(query, len);

	if (end == 0 || end > len || count_at(answer, 4) != 1)
		return false;
	for (size_t i = HEAD_LEN; i < end; i++) {
		unsigned char a = query[i], b = answer[i];

		if (a == b)
			continue;
		if (i >= end - 4 || (a | 32) != (b | 32) || (a | 32) < 'a' || (a | 32) > 'z')
			return false;
	}
	return true;
}

static enum verdict judge(
    const unsigned char *query, size_t query_len, const unsigned char *answer, size_t len)
{
	unsigned rcode;

	if (len < HEAD_LEN || memcmp(query, answer, 2) != 0 || !(answer[2] & 0x80))
		return STRAY;
	rcode = answer[3] & 15;
	/* a server that does not understand the question may leave it out */
	if (count_at(answer, 4) == 0 && rcode != ns_r_noerror && rcode != ns_r_nxdomain)
		return USELESS;
	if (len < question_end(query, query_len) || !same_question(query, answer, query_len))
		return STRAY;
	if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
		return USELESS;
	return answer[2] & 2 ? TRUNCATED : ANSWERED;
}

static size_t ask_tcp(const struct net_addr *server, int64_t stop, const unsigned char *query,
    size_t query_len, unsigned char *answer)
{
	unsigned char head[2] = {(unsigned char)(query_len >> 8), (unsigned char)query_len};
	struct str got = {0};
	struct stream s;
	size_t len = 0;
	struct err err;
	int fd = net_connect(server, NULL, 0, (int)MAX(stop - clock_mono_ms(), 0), &err);

	if (fd < 0)
		return 0;
	stream_init(&s, fd, -1);
	s.deadline_ms = stop;
	stream_put(&s, head, sizeof(head));
	stream_put(&s, query, query_len);
	if (stream_read_bytes(&s, &got, 2) == IO_OK) {
		size_t want = count_at((const unsigned char *)got.data, 0);

		str_clear(&got);
		if (stream_read_bytes(&s, &got, want) == IO_OK) {
			enum verdict v =
			    judge(query, query_len, (const unsigned char *)got.data, got.len);

			/* truncated even so: what there is counts */
			if (v == ANSWERED || v == TRUNCATED)
				len = got.len;
		}
	}
	if (len)
		memcpy(answer, got.data, len);
	str_fini(&got);
	stream_fini(&s);
	return len;
}

/* Waits for the answer on a connected socket; what is not it is passed over. */
static enum verdict read_udp(int fd, int64_t stop, const unsigned char *query, size_t query_len,
    unsigned char *answer, size_t *len_out)
{
	for (int strays = 0; strays < STRAYS_MAX; strays++) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		int64_t left = stop - clock_mono_ms();
		enum verdict verdict;
		ssize_t n;

		if (left <= 0 || poll(&pfd, 1, (int)left) <= 0)
			return USELESS;
		n = recv(fd, answer, DNS_PACKET_MAX, MSG_DONTWAIT);
		if (n < 0)
			return USELESS; /* refused by the host */
		verdict = judge(query, query_len, answer, (size_t)n);
		if (verdict == STRAY)
			continue;
		*len_out = (size_t)n;
		return verdict;
	}
	return USELESS;
}

/* An id and, from the kernel, a port that nobody can guess. */
static size_t ask_one(const struct net_addr *server, int64_t stop, unsigned char *query,
    size_t query_len, unsigned char *answer)
{
	int fd = socket(server->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum verdict verdict = USELESS;
	size_t len = 0;

	if (fd < 0)
		return 0;
	if (getrandom(query, 2, 0) == 2 &&
	    connect(fd, (const struct sockaddr *)&server->sa, server->len) == 0 &&
	    send(fd, query, query_len, MSG_NOSIGNAL) == (ssize_t)query_len)
		verdict = read_udp(fd, stop, query, query_len, answer, &len);
	close(fd);
	if (verdict == TRUNCATED)
		return ask_tcp(server, stop, query, query_len, answer);
	return verdict == ANSWERED ? len : 0;
}

size_t dns_exchange(
    struct dns_exchange *x, unsigned char *query, size_t query_len, unsigned char *answer)
{
	int64_t wait = x->timeout_ms;

	for (int round = 0; round < x->attempts; round++, wait *= 2) {
		for (size_t i = 0; i < x->server_count; i++) {
			size_t at = (x->first + i) % x->server_count, len;
			int64_t now = clock_mono_ms();

			if (now >= x->stop_ms)
				return 0;
			len =
			    ask_one(&x->servers[at], MIN(now + MIN(wait, ROUND_MAX_MS), x->stop_ms),
			        query, query_len, answer);
			if (len > 0) {
				x->first = at;
				return len;
			}
		}
	}
	return 0;
}
