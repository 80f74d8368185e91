/* SPDX-License-Identifier: ISC */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/io/stream.h"
#include "lib/smtp/reply.h"
#include "smtp/mx.h"
#include "smtp/smtp.h"

/*
 * One connection to a server, from connect to QUIT, over any number of transactions. After any
 * call that failed to talk, `dead` is set: nothing more is said, only session_free is left.
 */
enum session_feature {
	FEATURE_ESMTP = 1 << 0, /* EHLO was answered */
	FEATURE_PIPELINING = 1 << 1,
	FEATURE_SIZE = 1 << 2,
	FEATURE_8BITMIME = 1 << 3,
	FEATURE_STATUS_CODES = 1 << 4,
	FEATURE_DSN = 1 << 5,
	FEATURE_SMTPUTF8 = 1 << 6,
	FEATURE_STARTTLS = 1 << 7,
	FEATURE_AUTH = 1 << 8,
	FEATURE_CHUNKING = 1 << 9,
	FEATURE_XFORWARD = 1 << 10,
};

struct session {
	struct stream stream;
	char *nexthop; /* of the request that opened it */
	char *host;    /* "mail.example.com" */
	char *name;    /* "mail.example.com[192.0.2.1]", for texts */
	char *relay;   /* "mail.example.com[192.0.2.1]:25", for relay= */
	char *used;    /* relay with ", conn_use=N" once N is above 1 */
	unsigned features;
	uint64_t size_limit; /* of SIZE=; 0: none said */
	struct smtp_reply reply;
	int uses;           /* transactions begun */
	int64_t opened_ms;  /* clock_mono_ms */
	int64_t give_up_ms; /* no reply is waited for any longer; 0: no such limit */
	bool spent;         /* good for QUIT only */
	bool dead;          /* good for nothing */
	bool quit_sent;     /* QUIT went out with the end of the message */
	bool final;         /* opened to the last server that could be tried */
};

/* ---- the dialogue ------------------------------------------------------------------------- */

enum chat_result {
	CHAT_OK,   /* s->reply is whole; its dsn is never "" and fits the code */
	CHAT_LOST, /* end of connection or reset */
	CHAT_TIMEOUT,
	CHAT_NONSENSE, /* that is not SMTP */
};

enum { CHAT_LINE_MAX = 2048, CHAT_REPLY_BYTES_MAX = 1024 * 1024 };

/* Sends what is pending and reads one reply, all of it within timeout_s and give_up_ms. A 421 makes
 * it spent. */
enum chat_result session_reply(struct session *s, int timeout_s);
/* The trouble of a result other than CHAT_OK; doing is "sending MAIL FROM" and the like. */
void session_trouble(const struct session *s, enum chat_result result, const char *doing,
    struct arena *arena, struct trouble *out);
/* The trouble of a reply: "host x[y] said: 550 ... (in reply to RCPT TO command)". */
void session_refusal(
    const struct session *s, const char *command, struct arena *arena, struct trouble *out);

/* ---- begin and end ------------------------------------------------------------------------ */

/*
 * Connects, reads the greeting, says EHLO or HELO. 0, or -1 with *why (the destination's, not one
 * recipient's trouble); *out is then NULL when there was no connection, else the caller ends it.
 */
int session_open(const struct smtp_client *client, const struct mx_addr *addr, const char *nexthop,
    bool detect_loops, struct arena *arena, struct session **out, struct trouble *why);

/* QUIT when that is possible, then frees. *s may be NULL and is NULL then. */
void session_quit(struct session **s, const struct smtp_params *params);
/* Without a word. */
void session_free(struct session **s);

/* Back to the state between transactions (RSET). false: the session is spent. */
bool session_reset(struct session *s, const struct smtp_params *params);

/* The features of an EHLO reply (RFC 5321 4.1.1.1), less those in discard. Pure. */
unsigned session_parse_ehlo(
    struct slice lines, const struct conf_list *discard, uint64_t *size_limit_out);

#endif
