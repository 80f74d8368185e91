/* SPDX-License-Identifier: ISC */
#ifndef LIB_QUEUE_ENVELOPE_H
#define LIB_QUEUE_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * The envelope of a message: what the queue knows beside the content. Text fields are never NULL
 * after decoding ("" when absent). doc/queue.md gives the bytes. The codec is pure.
 */

/* One byte per recipient, kept outside the checksummed part and marked in place. */
enum rcpt_status {
	RCPT_TODO = 'T',
	RCPT_DONE = 'D',    /* delivered, or handed on */
	RCPT_BOUNCED = 'B', /* its bounce record is safe */
};

/* NOTIFY= of RFC 3461, as bits; 0: not given. */
enum { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };

struct recipient {
	const char *address;   /* where it goes, "user@domain" */
	const char *orig;      /* as the client said it, before aliases; "" : same as address */
	const char *orcpt;     /* "rfc822;user@domain" of the ORCPT parameter, or "" */
	const char *transport; /* the route; "" : not resolved yet */
	const char *nexthop;
	uint32_t notify;
	uint8_t status; /* enum rcpt_status */
};

enum {
	ENV_8BIT = 1 << 0,       /* BODY=8BITMIME or 8-bit bytes seen */
	ENV_DOT_LINES = 1 << 1,  /* a line of the content starts with a dot */
	ENV_LONG_LINES = 1 << 2, /* a line exceeds 998 bytes */
	ENV_SMTPUTF8 = 1 << 3,
	ENV_INTERNAL = 1 << 4,   /* made by the mail system: a bounce, a notice */
	ENV_HIGH_BYTES = 1 << 5, /* content has bytes above 127 */
	ENV_NO_EOL = 1 << 6,     /* reserved: content did not end in a line end (never set by us) */
	ENV_TRACE = 1 << 7,      /* sendmail -v: the sender gets a report of each attempt */
	ENV_VERIFY = 1 << 8,     /* sendmail -bv: nothing is delivered, only reported */
	ENV_REQUIRETLS = 1 << 9, /* RFC 8689: on to servers that prove who they are, or back */
	ENV_PROBE = 1 << 11,     /* with ENV_VERIFY: verify(8) wants to know, nobody else */
	ENV_TLS_OPTIONAL = 1 << 10, /* RFC 8689: TLS-Required: no, in the header */
};

/* A generation: the routes were not found by addresses, and stay (content filter, address probe).
 */
#define ENVELOPE_FIXED_ROUTES UINT32_MAX

struct envelope {
	const char *id;          /* queue id */
	const char *sender;      /* "" is the null sender */
	const char *sender_orig; /* before rewriting, or "" */
	uint64_t arrival_us;     /* since 1970: when the dialogue began to bring it */
	uint64_t queued_us;      /* when it was complete: a of delays=a/b/c/d */
	uint32_t flags;          /* ENV_* */
	uint32_t generation;     /* of the configuration that resolved the routes; 0: none did */
	const char *client_name, *client_addr, *client_port, *helo,
	    *protocol; /* for logs, XFORWARD */
	const char *sasl_method, *sasl_username;
	const char *envid;      /* ENVID= */
	const char *ret;        /* "", "FULL", "HDRS" */
	const char *message_id; /* with its <> */
	const char *filter;     /* content_filter, or "" */
	const char *attributes; /* "name=value" lines that later features add, or "" */
	uint32_t hops;          /* Received: headers seen */
	const struct recipient *rcpts;
	uint32_t rcpt_count;
};

/* Names of attributes. */
#define ENVELOPE_SASL_SENDER "sasl_sender" /* MAIL AUTH=, printable */
#define ENVELOPE_VERP "verp" /* delimiters (lib/mail/verp.h): each recipient has its own sender */

/* The value of the "name=value" line of env->attributes (which may be NULL); empty: there is none.
 */
struct slice envelope_attribute(const struct envelope *env, const char *name);

/* Bounds that the codec keeps; smtpd and sendmail bound earlier. */
enum { ENVELOPE_TEXT_MAX = 4096, ENVELOPE_MAX = 512 * 1024 * 1024, ENVELOPE_RCPTS_MAX = 10000000 };

/* Appends the checksummed part (no status bytes) to out. */
void envelope_encode(struct str *out, const struct envelope *env);

/* The fixed part only, without recipients: rcpts stays NULL, rcpt_count is set. 0 or -1. */
int envelope_decode(const void *data, size_t len, struct arena *arena, struct envelope *out,
    size_t *rcpts_at_out, struct err *err);

/*
 * One recipient from the encoded list: *at is the position (begin with rcpts_at_out); moves on.
 * 1: one, 0: the end, -1: malformed. So 50,000 recipients need no memory at once.
 */
int envelope_next_rcpt(const void *data, size_t len, size_t *at, struct arena *arena,
    struct recipient *out, struct err *err);

#endif
