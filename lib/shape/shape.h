/* SPDX-License-Identifier: ISC */
#ifndef LIB_SHAPE_SHAPE_H
#define LIB_SHAPE_SHAPE_H

#include "lib/base/err.h"
#include "lib/conf/conf.h"
#include "lib/queue/store.h"
#include "lib/route/route.h"
#include "lib/shape/map.h"

/*
 * What Postfix's cleanup(8) does to a message on its way into the queue, as a library (D1): puts
 * the trace header before it, adds missing headers, drops those of message_drop_headers, notes
 * the Message-ID, counts Received: hops, applies the size limit, and writes the result through a
 * queue_writer. Streaming: content of any size passes with bounded memory (header_size_limit for
 * the header being looked at).
 */
enum { SHAPE_FROM_STANDARD, SHAPE_FROM_OBSOLETE };
enum shape_origin { /* who brings the message, for smtputf8_autodetect_classes */
	SHAPE_BY_SENDMAIL = 1 << 0,
	SHAPE_BY_SMTPD = 1 << 1,
	SHAPE_BY_FORWARD = 1 << 2,
	SHAPE_BY_BOUNCE = 1 << 3,
	SHAPE_BY_NOTIFY = 1 << 4,
	SHAPE_BY_VERIFY = 1 << 5,
};

/* receive_override_options */
enum {
	SHAPE_NO_UNKNOWN_CHECKS = 1 << 0,
	SHAPE_NO_MAPPINGS = 1 << 1,
	SHAPE_NO_CONTENT_CHECKS = 1 << 2,
	SHAPE_NO_MILTERS = 1 << 3,
};

struct shape_params {
	int overrides; /* SHAPE_NO_* */
	int header_size_limit;
	int hopcount_limit;
	int in_flow_delay; /* seconds */
	struct conf_list message_drop_headers;
	const char *header_checks, *mime_header_checks, *nested_header_checks, *body_checks;
	int64_t body_checks_size_limit;
	int mime_boundary_length_limit, mime_nesting_limit;
	bool disable_mime_input;
	bool always_add_missing_headers;
	const char *remote_header_rewrite_domain;
	int header_from_format; /* SHAPE_FROM_* */
	const char *undisclosed_recipients_header;
	const char *message_reject_characters, *message_strip_characters;
	bool replace_stray_cr;
	bool smtputf8_enable;
	int smtputf8_autodetect; /* enum shape_origin */
};
extern const struct conf_table shape_params;

struct checks;
struct shaper;
struct shape_context {
	const struct core_params *core;
	const struct shape_params *params;
	struct router *router;
	struct mapper *mapper; /* NULL: the envelope and addresses in headers stay */
	int mapping;           /* MAP_BCC, MAP_NOTHING */
	struct queue *queue;
	struct checks *checks; /* shape_checks_open's; NULL: content is not looked at */
	/* who brings it, in their log lines: "name[addr]; from=<a> to=<b> proto=ESMTP helo=<c>" */
	const char *brought_by;
	int origin;               /* enum shape_origin */
	bool add_missing_headers; /* local origin: Date:, From:, Message-Id:, To: undisclosed */
	bool rewrite_headers;     /* local origin: complete addresses in headers */
	const char *full_name;    /* for a made From:, or "" (NULL is "") */
	/* where new texts of env are put; NULL (without a mapper): message_id is "" after shape_end
	 */
	struct arena *arena;
};

/* Opens the tables of header_checks and its like; NULL when there are none. checks_close ends it.
 */
struct checks *shape_checks_open(const struct shape_params *params);

/*
 * Begins a message. id is from queue_new_id, sender is the complete envelope sender. The first
 * bytes written are `trace` (a complete "Received: ...\r\n" header, or several; may be ""), which
 * counts as a hop. The context is copied; what it points to must outlive the shaper.
 */
struct shaper *shape_begin(
    const struct shape_context *context, const char *id, const char *sender, const char *trace);

/*
 * Content as it came, in pieces of any size, line ends CRLF or LF (a bare LF is made CRLF, a lone
 * CR a blank, so that no server takes it for a line end; a NUL stays in the body and ends its line
 * in a header). Never fails at once: problems are remembered and told by shape_end. mbox "From "
 * lines before the headers become X-Mailbox-Line: fields.
 */
void shape_put(struct shaper *s, const char *data, size_t len);
uint64_t shape_size(const struct shaper *s); /* bytes so far, so that smtpd can stop collecting */

/*
 * What is to become of the message, said at any time before shape_end; texts must live until then.
 * filter is "transport:nexthop" for all recipients (content_filter); redirect takes the place of
 * all of them, and of the filter; bcc gets a copy that nobody hears of.
 */
void shape_hold(struct shaper *s); /* the message will rest in hold/ */
void shape_filter(struct shaper *s, const char *filter);
void shape_redirect(struct shaper *s, const char *address);
void shape_bcc(struct shaper *s, const char *address);

enum shape_result {
	SHAPE_OK,
	SHAPE_TOO_BIG,       /* 552 5.3.4 message_size_limit */
	SHAPE_TOO_MANY_HOPS, /* 554 5.4.0 */
	SHAPE_NO_SPACE,      /* 452 4.3.1 */
	SHAPE_WRITE_ERROR,   /* 451 4.3.0 */
	SHAPE_CONTENT,       /* 550: refused for its content; err has "5.7.1 text" */
	SHAPE_CONTENT_LATER, /* 451: likewise, for now; err has "4.7.1 text" */
	SHAPE_DISCARDED,     /* 250: accepted, and nobody will get it; it is not in the queue */
	SHAPE_TABLE_ERROR,   /* 451 4.3.0: a table of addresses failed (logged) */
	SHAPE_EXPANSION,     /* 451 4.6.0: an alias expands without end (logged) */
};

/*
 * Ends the message: maps the envelope's addresses, completes env (message_id, hops, flags, among
 * them ENV_SMTPUTF8 where smtputf8_autodetect_classes wants it found out), logs cleanup's line
 * "ID: message-id=<...>", commits. env->rcpts must be complete. Frees the shaper in all cases;
 * on SHAPE_OK the message is durable.
 */
enum shape_result shape_end(struct shaper **s, struct envelope *env, struct location *loc_out,
    uint64_t *content_len_out, struct err *err);
void shape_abort(struct shaper **s); /* NULL allowed */

#endif
