/* SPDX-License-Identifier: ISC */
#ifndef LIB_DNS_EXCHANGE_H
#define LIB_DNS_EXCHANGE_H

#include "lib/dns/dns.h"

/*
 * A question to name servers and its answer, by UDP and, where that was cut off, by TCP (RFC 1035
 * 4.2, RFC 7766). libresolv has this too, but waits without a limit for a server that takes a TCP
 * connection and stays silent, and knows three servers. Private to lib/dns.
 */
struct dns_exchange {
	const struct net_addr *servers;
	size_t server_count;
	size_t first;    /* asked first; set to the one that answered */
	int timeout_ms;  /* for the first try at a server; doubled for each round */
	int attempts;    /* rounds through all servers */
	int64_t stop_ms; /* clock_mono_ms: nothing is waited for any longer */
};

enum { DNS_PACKET_MAX = 65535, DNS_QUESTION_MAX = 12 + 255 + 4 + 11 };

/*
 * The length of an answer in `answer` (DNS_PACKET_MAX bytes), with the question's id and question
 * section; 0: no server gave one that is worth anything (time-out, SERVFAIL, REFUSED, not a DNS
 * server). query_len bytes of query begin with its header; the id is set here.
 */
size_t dns_exchange(
    struct dns_exchange *x, unsigned char *query, size_t query_len, unsigned char *answer);

#endif
