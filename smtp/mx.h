/* SPDX-License-Identifier: ISC */
#ifndef SMTP_MX_H
#define SMTP_MX_H

#include "smtp/destination.h"
#include "smtp/smtp.h"

/* From a destination to the addresses to try, in order (RFC 5321 5.1). */
struct mx_addr {
	struct net_addr addr; /* port set */
	const char *host;     /* the name that stands before [address] in logs */
	unsigned preference;
	const char *canonical; /* host behind its CNAMEs; host itself when there are none */
	bool mx_secure;        /* by DNSSEC: that host is an exchanger (or nobody asked for one) */
	bool secure;           /* by DNSSEC: that host, CNAMEs included, has this address */
};

struct mx_list {
	struct mx_addr *addrs;
	size_t count, cap;
	bool we_are_mx; /* this host is among the exchangers: no fallback relay, mail would loop */
	bool loops;     /* ... and the best of them: *why says so */
};

/*
 * 0, or -1 with *why. detect_loops is for the standard port only: another program may listen on
 * other ports of this host.
 */
int mx_find(const struct smtp_client *client, const struct destination *dest, bool detect_loops,
    struct arena *arena, struct mx_list *out, struct trouble *why);

/*
 * Sorts by preference, equals shuffled (when wanted) and by family preference, and cuts the list to
 * the limit, keeping both families when `balance`. Pure but for the dice.
 */
void mx_order(struct mx_list *list, const struct smtp_params *params);

#endif
