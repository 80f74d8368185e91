/* SPDX-License-Identifier: ISC */
#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/agent/agent.h"
#include "lib/base/arena.h"
#include "lib/conf/core.h"
#include "lib/dns/dns.h"
#include "lib/sys/net.h"
#include "lib/table/table.h"
#include "smtp/params.h"

struct auth;
struct checks;
struct debug_peer;
struct engine;
struct generic;
struct smtp_content_params;
struct match_list;
struct scache_client;
struct table_chain;
struct unreachable;
struct session;

/* smtp_bind_address, or what stands in for it. */
struct own_source {
	struct net_addr addr;
	bool set, bad;         /* bad: the parameter is set, but is no such address */
	const char *parameter; /* its name */
};

/* What this process knows beside the request in hand. */
struct smtp_client {
	const struct core_params *core;
	const struct smtp_params *params;
	unsigned default_port;
	int families; /* DNS_HOST_V4 | DNS_HOST_V6: inet_protocols and what the kernel has */
	int lookups;  /* DNS_HOST_DNS | DNS_HOST_NATIVE: smtp_host_lookup */
	bool no_dns;  /* neither MX nor address lookups */
	bool dnssec;  /* what mx_addr and dns_answer say of security is worth something */
	struct dns_resolver *resolver;
	struct table_chain *dns_filter; /* smtp_dns_reply_filter; NULL: none */
	/* smtp_reply_filter, smtp_delivery_status_filter; by server address:
	 * smtp_discard_ehlo_keyword_address_maps, smtp_pix_workaround_maps */
	struct table_chain *reply_filter, *status_filter, *discard_maps, *pix_maps;
	const struct net_addr *own;        /* addresses that are us, for loop detection */
	size_t own_count, listening_count; /* the first ones are those of inet_interfaces */
	struct own_source source[2];       /* IPv4, IPv6: to connect from */
	struct unreachable *unreachable;
	struct match_list *cache_always; /* smtp_connection_cache_destinations */
	int lookup_ms;                   /* for the addresses of all exchangers of a domain */
	int attempt_ms;     /* for a delivery, up to the point where the content goes out */
	int64_t give_up_ms; /* clock_mono_ms: when that of the delivery in hand is over; 0: never */
	bool lmtp;          /* called by that name: not there yet, mail waits */
	const struct smtp_content_params *content;
	struct generic *generic;  /* smtp_generic_maps; NULL: none */
	struct checks *checks;    /* smtp_header_checks and the like; NULL: none */
	struct auth *auth;        /* NULL: nobody logs in anywhere */
	struct engine *tls;       /* NULL: no TLS at all */
	struct debug_peer *debug; /* of lib/table; NULL: nobody's sessions are logged in detail */
	bool debug_all;           /* the whole delivery in hand is: for its next hop */
	struct arena arena;
	struct session *kept;         /* open, between transactions; NULL: none */
	struct scache_client *shared; /* NULL: sessions are not shared */
	struct agent_idle idle;
	struct transcript *transcript; /* of the delivery in hand; NULL: nobody wants it */
};

/* *client is zero but for lmtp, content, and what it takes: auth, tls, generic, checks. -1 with err
 * when a parameter makes no sense. The params must outlive the client. */
int smtp_client_init(struct smtp_client *client, const struct core_params *core,
    const struct smtp_params *params, struct err *err);
/*
 * The part of it that a chroot is in the way of, with the rights of mail_owner: what all processes
 * know. smtp_client_init does it when nobody has.
 */
void smtp_client_share(
    struct smtp_client *client, const struct core_params *core, const struct smtp_params *params);
/*
 * Tables that may be root's alone: before rights are given up. smtp_client_init does it when nobody
 * has. And how old the tables of all of it have become.
 */
void smtp_client_open(struct smtp_client *client, const struct smtp_params *params);
enum table_age smtp_client_age(const struct smtp_client *client);
/* Ends the kept session politely and frees everything. */
void smtp_client_fini(struct smtp_client *client);

/* own.c: the part of smtp_client_init that is about addresses of this host. */
void client_open_own(struct smtp_client *client);
/* resolver.c: the part of the two above that is about the name service. */
int client_open_resolver(struct smtp_client *client, struct err *err);
void client_close_resolver(struct smtp_client *client);

/* Why a delivery did not succeed, for one recipient or for all that are left. */
struct trouble {
	bool soft;          /* try again later */
	bool site;          /* not about this message: the whole destination is in trouble */
	bool stop;          /* no other server is to be tried */
	bool silent;        /* the server did not answer in time */
	bool again_plain;   /* of session_open: the same address may do without TLS */
	char dsn[12];       /* "4.4.1" */
	bool again_direct;  /* likewise, without tlsproxy(8) */
	const char *reason; /* as logged; in the request's arena */
	const char *diag;   /* "smtp; 550 5.1.1 ..." or "" */
	const char *mta;    /* the server's name, or "" */
};
void trouble_set(struct trouble *t, struct arena *arena, const char *dsn, const char *fmt, ...)
    PRINTF_LIKE(4, 5); /* soft by the first digit of dsn; diag and mta "" */

#endif
