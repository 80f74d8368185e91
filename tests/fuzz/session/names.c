/* SPDX-License-Identifier: ISC */
/* What the names of clients are, and the name server. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/dns/exchange.h"
#include "tests/fuzz/session/play.h"

int __wrap_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t host_len,
    char *service, socklen_t service_len, int flags);
int __real_getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out);
size_t __wrap_dns_exchange(
    struct dns_exchange *x, unsigned char *query, size_t query_len, unsigned char *answer);

int __wrap_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t host_len,
    char *service, socklen_t service_len, int flags)
{
	static const char *const names[] = {
	    NULL, "client.example", "192.0.2.7", "no-way-back.example", "-", "bad\rname\n.example"};
	struct net_addr addr = {.len = len};
	char text[64];
	size_t which;

	(void)service;
	(void)service_len;
	(void)flags;
	memcpy(&addr.sa, sa, len);
	net_addr_text(&addr, text, sizeof(text));
	which = (size_t)(unsigned char)text[strlen(text) - 1] - '0';
	if (which % 8 == 6)
		return EAI_AGAIN;
	if (which % 8 == 7 || which % 8 == 0)
		return EAI_NONAME;
	snprintf(host, host_len, "%s", names[which % 8]);
	return 0;
}

int __wrap_getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	struct addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	if (node && strcmp(node, "client.example") == 0)
		node = hints->ai_family == AF_INET6 ? "2001:db8::1" : "192.0.2.1";
	return __real_getaddrinfo(node, service, &numeric, out);
}

/* ---- the name server ------------------------------------------------------------------------ */

/* Every name has an address, but none is in a list. */
static size_t answer_soundly(const unsigned char *query, size_t end, unsigned char *answer)
{
	static const unsigned char address[] = {
	    0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9};
	static const char *const lists[] = {
	    "\2bl\7", "\2wl\7", "\5rhsbl\7", "\5other\7", "\3old\7"};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (memmem(query, end, lists[i], strlen(lists[i])))
			answer[3] = 0x83;
	if (answer[3] != 0x80 || query[end - 3] != 1)
		return end;
	answer[7] = 1;
	memcpy(answer + end, address, sizeof(address));
	return end + sizeof(address);
}

/* The script: a length, then so many bytes: response code, number of answers, the answers. */
size_t __wrap_dns_exchange(
    struct dns_exchange *x, unsigned char *query, size_t query_len, unsigned char *answer)
{
	struct slice *script = &play.answers[FAKE_DNS], len = play_take(script, 1), body;
	size_t end = 12;

	(void)x;
	while (end < query_len && query[end] > 0)
		end += query[end] + (size_t)1;
	end += 5;
	must(end <= query_len);
	memcpy(answer, query, end);
	memset(answer + 6, 0, 6);
	answer[2] = 0x81;
	answer[3] = 0x80;
	if (len.len == 0)
		return answer_soundly(query, end, answer);
	body = play_take(script, (unsigned char)len.data[0]);
	if (body.len < 2)
		return 0;
	answer[3] = (unsigned char)(0x80 | (body.data[0] & 15));
	answer[7] = (unsigned char)body.data[1];
	memcpy(answer + end, body.data + 2, body.len - 2);
	return end + body.len - 2;
}
