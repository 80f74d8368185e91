/* SPDX-License-Identifier: ISC */
#ifndef LIB_DNS_DNS_H
#define LIB_DNS_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/sys/net.h"

/*
 * Questions to the name service. Only here is libresolv spoken to. A lookup blocks for as long as
 * resolv.conf's timeout and attempts say (about 15 s by default, per name server), 30 s at most.
 *
 * An answer says what is known: found; surely nothing (no such name, or no data of the type); or
 * that nobody knows now (time-out, SERVFAIL), which a caller must never take for "no". Names in
 * answers are lower case, without a trailing dot, and of letters, digits, '-', '_' and '.' only:
 * records whose name is anything else are dropped.
 */
enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_TLSA = 52,
};
const char *dns_type_name(enum dns_type type); /* "MX" */

enum dns_status {
	DNS_FOUND,
	DNS_NOT_FOUND, /* no such domain */
	DNS_NO_DATA,   /* the domain exists without records of this type */
	DNS_NULL_MX,   /* RFC 7505: the domain says that it takes no mail */
	DNS_NULL_SRV,  /* RFC 2782: the domain says that it has no such service */
	DNS_RETRY,     /* time-out, SERVFAIL, garbage, no name server reached: ask again later */
	DNS_FAILED,    /* refused, or an endless chain of CNAMEs */
	DNS_INVALID,   /* the name asked for, or all names in the answer, are not domain names */
	DNS_FILTERED,  /* dns_options.filter dropped every record: wait for another configuration */
};
/* Can asking again later give another answer? */
bool dns_status_is_soft(enum dns_status status);

struct dns_record {
	enum dns_type type;
	uint32_t ttl;                       /* seconds */
	unsigned preference;                /* MX; SRV: the priority */
	const char *target;                 /* MX, NS, CNAME, PTR, SRV: the name; else "" */
	struct net_addr addr;               /* A, AAAA: port 0 */
	unsigned weight, port;              /* SRV (RFC 2782) */
	unsigned usage, selector, matching; /* TLSA (RFC 6698) */
	const unsigned char
	    *data; /* TLSA: to be matched, not empty; TXT: all its text, zero-ended */
	size_t data_len;
};

enum { DNS_RECORDS_MAX = 100, DNS_CHAIN_MAX = 10 };

struct dns_answer {
	enum dns_status status;
	const struct dns_record *records; /* DNS_FOUND: at least one; in the caller's arena */
	size_t count;
	const char *name; /* where the records were found, behind all CNAMEs */
	bool expanded;    /* there were CNAMEs: name is not what was asked for */
	/*
	 * With dns_options.dnssec: the name server says that it validated (AD) this answer, "no"
	 * included, and each that led to it. Worth as much as the way to that server.
	 */
	bool secure;
	char text[512]; /* not found: why, as a bounce can say it */
};

/*
 * The pure part: a DNS message as received, for a question of `type`. CNAMEs are followed inside
 * the message; when they lead out of it, the answer is DNS_NO_DATA and its name is not the one that
 * was asked for: ask again there. Garbage, and the answer to another question, is DNS_RETRY. name
 * is what was asked for; NULL: not checked. text is not filled.
 */
void dns_decode(const void *packet, size_t len, enum dns_type type, struct arena *arena,
    struct dns_answer *out);

/* As a zone file has it: "example.com. 300 IN MX 10 mail.example.com."; appended. */
void dns_record_print(struct str *out, const char *name, const struct dns_record *record);

/* Only the syntax: labels of 1 to 63 bytes, 253 in all, '_' allowed; a trailing dot is not. */
bool dns_name_valid(const char *name);
/* Digits and dots only, as an address that somebody put where a name should be. */
bool dns_name_is_numeric(const char *name);

enum { DNS_SERVERS_MAX = 12 };

struct dns_options {
	/* "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353"; none:
	 * resolv.conf's. The one that answered last is asked first. */
	const char *const *servers;
	size_t server_count;
	bool dnssec; /* ask for validation and tell of it */
	/* Called with each record, as dns_record_print writes it: 0 to keep it, 1 to drop it, -1
	 * when that is not known (the lookup is DNS_RETRY). */
	int (*filter)(void *arg, const char *record);
	void *filter_arg;
	bool defnames; /* complete single-label names with the local domain */
	bool idna2003; /* names in UTF-8 by the rules of 2003 (lib/mail/idna.h) */
	bool search;   /* try the search list of resolv.conf */
	int timeout_s; /* for one try at one server; 0: resolv.conf's */
	int attempts;  /* 0: resolv.conf's */
	/*
	 * Somebody waits: a question that no server answered in time is not asked again, and the
	 * name's other types get one short try, as do all names when much time has been lost;
	 * until dns_resolver_forget.
	 */
	bool impatient;
};

/* A process's way to its name servers. resolv.conf is read again after a minute. */
struct dns_resolver;
int dns_resolver_new(const struct dns_options *options, struct dns_resolver **out, struct err *err);
void dns_resolver_free(struct dns_resolver **resolver); /* NULL allowed */
/* What was not answered may be asked again: for the next one who waits. NULL allowed. */
void dns_resolver_forget(struct dns_resolver *resolver);

/* Asks; fills *out in all cases and returns out->status. A name in UTF-8 is asked for by its
 * A-labels. Texts and records live in arena. */
enum dns_status dns_lookup(struct dns_resolver *resolver, const char *name, enum dns_type type,
    struct arena *arena, struct dns_answer *out);

/*
 * The addresses of a host, A and AAAA as wanted, from DNS, the system's own service (/etc/hosts,
 * nsswitch.conf) or both, DNS first. A numerical host and "localhost" need neither. The
 * answer's records are of both types, in the order they came.
 */
enum {
	DNS_HOST_V4 = 1 << 0,
	DNS_HOST_V6 = 1 << 1,
	DNS_HOST_DNS = 1 << 2,
	DNS_HOST_NATIVE = 1 << 3,
	DNS_HOST_SECURE = 1 << 4, /* NATIVE may not stand in for a DNS that does not answer */
};
enum dns_status dns_lookup_host(struct dns_resolver *resolver, const char *host, int how,
    struct arena *arena, struct dns_answer *out);

#endif
