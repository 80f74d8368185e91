/* SPDX-License-Identifier: ISC */
#ifndef LIB_SMTP_PROXY_HEADER_H
#define LIB_SMTP_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"
#include "lib/sys/net.h"

/*
 * The header by which a proxy (haproxy, nginx, a load balancer) tells whose connection it hands on:
 * the PROXY protocol, versions 1 (a line of text) and 2 (binary). Pure and incremental.
 */
enum { PROXY_HEADER_MAX = 4096 }; /* what is longer is refused: addresses and a few TLVs */

struct proxy_header {
	bool local; /* the proxy's own connection, or one of which it knows nothing: no addresses */
	struct net_addr client, server; /* with their ports */
	size_t used;                    /* bytes of the header */
};

enum proxy_result {
	PROXY_HEADER_OK,
	PROXY_HEADER_MORE, /* well so far, but not complete */
	PROXY_HEADER_BAD,
};

/* Looks at the first bytes of a connection. *why_out is set when they are bad. */
enum proxy_result proxy_header_parse(
    struct slice data, struct proxy_header *out, const char **why_out);

#endif
