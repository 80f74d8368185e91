/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_SHOWQ_H
#define LIB_PEER_SHOWQ_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * public/showq: on each connection showq writes the whole listing and closes. The form is that of
 * Postfix since 3.1, which exporters read: attributes "name NUL value NUL", a list ended by one
 * more NUL. First the list {protocol}, then one list per message, then an empty list.
 */
struct showq_message {
	const char *queue_name; /* "maildrop", "incoming", "active", "deferred", "hold" */
	const char *queue_id;
	int64_t time; /* arrival, seconds since 1970 */
	int64_t size;
	bool forced_expire;
	const char *sender;
};
struct showq_rcpt {
	const char *address;
	const char *reason; /* why it is late; "" : nothing known */
};

/* Writing: begin, then per message: message, rcpt..., message_end; then end. Append to out. */
void showq_put_begin(struct str *out);
void showq_put_message(struct str *out, const struct showq_message *message);
void showq_put_rcpt(struct str *out, const struct showq_rcpt *rcpt);
void showq_put_message_end(struct str *out);
void showq_put_end(struct str *out);

/* Reading, pure. All-zero to begin. Feed bytes, ask for events. */
enum showq_event {
	SHOWQ_MORE,    /* more bytes are needed */
	SHOWQ_MESSAGE, /* its recipients follow */
	SHOWQ_RCPT,
	SHOWQ_END,
	SHOWQ_BAD,
};
struct showq_reader {
	struct str in;
	size_t at;
	int state;
	struct arena arena; /* texts of the current message */
	struct showq_message message;
	struct showq_rcpt rcpt;
};
void showq_feed(struct showq_reader *r, const void *data, size_t len);
enum showq_event showq_next(struct showq_reader *r);
void showq_reader_fini(struct showq_reader *r);

#endif
