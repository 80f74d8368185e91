/* SPDX-License-Identifier: ISC */
#ifndef SMTP_MX_H
#define SMTP_MX_H

#include "smtp/destination.h"
#include "smtp/smtp.h"

/* From a destination to the addresses to try, in order (RFC 5321 5.1). */
struct mx_addr {
	struct net_addr addr; /* port set */
	const char *path;     /* of a local socket, in place of addr; NULL: none */
	const char *host;     /* the name that stands before [address] in logs */
	unsigned preference;
	bool suspect;          /* did not answer the last time: after all others */
	const char *asked;     /* the name as MX, SRV or the destination has it */
	const char *canonical; /* that behind its CNAMEs; itself when there are none */
	bool mx_secure;        /* by DNSSEC: that host is an exchanger (or nobody asked for one) */
	bool secure;           /* by DNSSEC: that host, CNAMEs included, has this address */
};

struct mx_list {
	struct mx_addr *addrs;
	size_t count, cap;
	bool secure;    /* by DNSSEC, or nobody had to be asked: these are the hosts */
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
 * Sorts by preference, equals shuffled (when wanted) and by family preference, suspects behind all
 * others, and cuts the list to the limit, keeping both families when `balance`. Pure but for the
 * dice.
 */
void mx_order(struct mx_list *list, const struct smtp_params *params);

/* "host[192.0.2.1]:25", "host[path]" */
void mx_addr_text(const struct mx_addr *addr, char *out, size_t size);

/* ---- for the steps of mx_find, which stand in several files --------------------------------- */

/* Appends the addresses of one host, at most what cap leaves room for. */
enum dns_status mx_add_host(const struct smtp_client *client, const char *host, unsigned port,
    unsigned preference, struct arena *arena, struct mx_list *list, struct dns_answer *answer);
/* The trouble of a lookup without a result. */
void mx_lookup_trouble(const struct dns_answer *answer, struct arena *arena, struct trouble *why);

/*
 * srv.c: is the destination one whose port is a service of use_srv_lookup? Then by SRV (RFC 2782):
 * 1 found, -1 with *why, 0: as if there were no such thing (no record, or nobody knows; where the
 * configuration says so). preference becomes the place in the order that the weights gave.
 */
bool srv_is_wanted(const struct smtp_client *client, const struct destination *dest);
int srv_find(const struct smtp_client *client, const struct destination *dest, struct arena *arena,
    struct mx_list *out, struct trouble *why);
/*
 * Into the order of RFC 2782: by priority, then by lot, weighted. next is called for dice in
 * [0, bound). Pure otherwise.
 */
void srv_order(struct dns_record *records, size_t count, unsigned (*next)(unsigned bound));

#endif
