/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_DNS_LIST_H
#define SMTPD_DNS_LIST_H

#include "smtpd/restrict.h"

/*
 * Lists of addresses and domains in the DNS (RFC 5782): asking one. A name that exists is listed;
 * its address says how, 127.0.0.x by agreement. What a list answers about the question itself and
 * not about the client (127.255.255.x: asked through a public resolver, too often, ...) is no
 * listing; the log says so once an hour. Answers are kept for the session.
 */
enum { DNS_LIST_NAME_MAX = 253 };

struct list_answer;
struct listing {
	struct check *check;
	const char *list;   /* "bl.example" */
	const char *filter; /* or NULL */
	const char *what;   /* what is asked for: address, name */
	char name[DNS_LIST_NAME_MAX + 1];
	struct list_answer *answer; /* of listing_ask */
};

enum listed {
	LISTED_NO,
	LISTED_YES,
	LISTED_UNKNOWN,    /* nobody knows now */
	LISTED_BAD_FILTER, /* it is none: the restriction cannot be used */
};

/* From check->arg, "domain" or "domain=filter". false: it names no list, which is said and
 * harmless.
 */
bool listing_begin(struct listing *listing, struct check *check);
/* what: for people; key: what stands before the list's domain. false: it cannot be asked for. */
bool listing_set_name(struct listing *listing, const char *what, const char *key);
enum listed listing_ask(struct listing *listing);
/* After LISTED_YES: the list's words (TXT) as one line, "" for none; lives as the session. */
const char *listing_text(const struct listing *listing);

/* "127.0.0.[2;4..7]": 1 when the address fits, 0: not, -1: that is no filter. Pure. */
int rbl_filter_matches(const char *filter, const unsigned char address[4]);

#endif
