/* SPDX-License-Identifier: ISC */
#ifndef MASTER_ENDPOINT_H
#define MASTER_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/conf/core.h"
#include "lib/conf/master_cf.h"
#include "lib/sys/net.h"

/*
 * Where a service listens: from its master.cf entry, inet_interfaces and inet_protocols to
 * addresses and paths, and from these to descriptors. The key ("inet 127.0.0.1 port 25",
 * "unix private/smtp") says whether two configurations mean the same socket.
 */
struct endpoint {
	const char *key;
	int socket_type;      /* SOCK_STREAM, SOCK_DGRAM; 0: a fifo */
	const char *path;     /* NULL: inet */
	struct net_addr addr; /* inet */
	int window;           /* inet: tcp_windowsize */
	bool if_possible;     /* not asked for by address: its absence from this host is no error */
};

/* The list lives in arena. 0, or -1 with err. */
int endpoint_list(const struct master_cf_entry *entry, const struct core_params *core,
    struct arena *arena, struct endpoint **list_out, size_t *count_out, struct err *err);

/* A listening descriptor, close-on-exec; -1 with err. err->code EAFNOSUPPORT: no such family. */
int endpoint_open(const struct endpoint *endpoint, struct err *err);

/*
 * Wakes who listens there by one byte ('W'). Never waits: a full backlog means that the service
 * has enough to do.
 */
void endpoint_trigger(const struct endpoint *endpoint, char what);

#endif
