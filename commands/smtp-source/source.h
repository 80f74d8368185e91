/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_SMTP_SOURCE_SOURCE_H
#define COMMANDS_SMTP_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "commands/smtp-source/answers.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "lib/sys/net.h"
#include "lib/tls/session.h"

/* What smtp-source was told on its command line, and how far it is. One per process. */
struct source {
	struct loop *loop;

	int sessions, recipients, connect_tries, window;
	long messages;
	int64_t length; /* of a whole message; -1: a few lines */
	int64_t wait_ms, random_ms;
	const char *from, *to, *subject, *myhostname;
	struct str extra_headers; /* -H, CRLF lines */
	bool count, keep_session, number_recipients, no_abort, lmtp, old, pipeline;
	int accepted_fd;         /* -J, or -1 */
	struct tls_context *tls; /* -K, -k; NULL: plain text */
	bool tls_wrapped;        /* -k: from the first byte on */
	bool tls_resume;         /* -E */

	struct net_addr target; /* inet */
	const char *unix_path;  /* unix: NULL for inet */
	struct str body;        /* what every message shares, dot-stuffed, with the final dot */
	bool preformatted;      /* -F: no headers of ours */
	size_t content_len;     /* of body before dot-stuffing, without the final dot */

	long started, accepted, failed; /* messages */
	long next_recipient;            /* -N */
	long shown;                     /* the counter as last displayed */
	bool time_answers;              /* -a */
	struct answers answers;
	int running;     /* sessions */
	uint64_t run_id; /* first half of each token */
};

enum { TOKEN_MAX = 48 };

/* Builds what all messages share. Fatal when -F names a file that cannot be read. */
void message_prepare(struct source *source, const char *file);
/* The head of one message (headers and the blank line); appends to out. */
void message_head(const struct source *source, const char *token, struct str *out);

/* secure.c: TLS on one connection; the certificate is not looked at. */
struct secure {
	struct tls_session *session; /* NULL: plain text */
	struct stream stream;        /* what TLS knows of the connection: the descriptor */
	/* the last session that the server gave out; TLS 1.3 uses one once, so each has its own */
	struct tls_saved *saved;
};
struct tls_context *secure_context(void); /* fatal when there is none */
void secure_begin(struct secure *tls, struct source *source, int fd);
/* Goes on with the handshake: 1 done, 0: *wait_for (LOOP_READ, LOOP_WRITE), -1 with err. */
int secure_step(struct secure *tls, int *wait_for, struct err *err);
/* A session to resume is kept, close_notify sent when `polite`. */
void secure_end(struct secure *tls, struct source *source, bool polite);
long secure_read(struct secure *tls, int fd, void *buf, size_t len);
long secure_write(struct secure *tls, int fd, const struct iovec *iov, int count);

/* Starts a session; it takes messages from source->started until all are begun. */
struct session;
struct session *session_start(struct source *source);
void session_free(struct session **session);
/* Ends sessions that have waited too long for the server (called every few seconds). */
void session_check_time(struct session *session);

#endif
