/* SPDX-License-Identifier: ISC */
#ifndef LIB_SHAPE_INTERNAL_H
#define LIB_SHAPE_INTERNAL_H

#include "lib/conf/core.h"
#include "lib/mail/header.h"
#include "lib/shape/checks.h"
#include "lib/shape/map_private.h"
#include "lib/shape/shape.h"

/* The inside of a shaper, private to lib/shape. */

/* Header fields that mean something here, as bits of shaper.seen. */
enum {
	SEEN_DATE = 1 << 0,
	SEEN_FROM = 1 << 1,
	SEEN_MESSAGE_ID = 1 << 2,
	SEEN_RESENT_DATE = 1 << 3,
	SEEN_RESENT_FROM = 1 << 4,
	SEEN_RESENT_MESSAGE_ID = 1 << 5,
	SEEN_RECIPIENT = 1 << 6, /* To, Cc, Bcc and their Resent- forms */
	SEEN_RESENT = 1 << 7,
	SEEN_RECEIVED = 1 << 8,
	SEEN_ANY = 1 << 9,
	SEEN_TLS_OPTIONAL = 1 << 11, /* TLS-Required: no */
	IS_TLS_REQUIRED = 1 << 12,   /* the field, whatever it says */
	HAS_ADDRESSES = 1 << 10,     /* not about what was seen: addresses are completed in it */
	SEEN_UTF8 = 1 << 13,         /* a byte above 127 in a field that stays */
};

struct shaper {
	struct shape_context ctx;
	char id[QUEUE_ID_MAX];
	char *sender;
	struct queue_writer *writer;
	enum shape_result result; /* the first problem */
	struct err err;
	bool hold;
	const char *filter, *redirect; /* "": none */
	struct texts copies;

	/* inspect.c */
	bool discard;
	bool inspect_no_more; /* a table has decided about the message */
	struct mime *mime;    /* NULL: nothing behind the header is looked at */
	bool dropping;        /* the rest of a field or line that went away */
	size_t body_seen;     /* bytes of the present part */

	/* header phase */
	bool in_body;
	unsigned seen;
	uint32_t hops;
	uint32_t ids_logged;
	struct str line;   /* begun, its end has not come yet */
	bool line_cut;     /* bytes of it were dropped */
	struct str header; /* lines of the field being collected, each with CR LF */
	bool header_cut;   /* the rest of it is dropped */
	struct str out;    /* shaped headers, not yet written */
	struct str message_id;
	struct arena arena; /* for one header */

	/* both */
	uint64_t bytes_in;
	char last;    /* last byte of the body */
	bool held_cr; /* behind it came a CR: what that is, the next byte tells */
	struct str scratch;
	unsigned char *chars; /* by byte: CHAR_*; NULL: none is special */
};

enum { CHAR_STRIP = 1, CHAR_REJECT = 2 };

/* Remembers the first problem. */
void shape_fail(struct shaper *s, enum shape_result result, const char *text);
/* Writes content as it is to be: by way of the checks of its parts, if there are any. */
void shape_write(struct shaper *s, const char *data, size_t len);
/* To the queue, within message_size_limit. */
void shape_store(struct shaper *s, const char *data, size_t len);

/* body.c: content behind the header. */
void shape_body(struct shaper *s, const char *data, size_t len);
/* The CR that was held turned out to end no line. */
void shape_stray_cr(struct shaper *s);
/* set, with C escapes, is to be CHAR_STRIP or CHAR_REJECT. */
void shape_mark_chars(struct shaper *s, const char *set, unsigned char mark);
/* Copies to `to` what may pass. */
void shape_filter_chars(struct shaper *s, const char *data, size_t len, struct str *to);

bool shape_is_ascii(const char *text, size_t len);

/* inspect.c: makes s->mime when checks need it. */
void shape_inspect_begin(struct shaper *s);
/* The field in s->header, which may become another one; false: it goes away. */
bool shape_inspect_header(struct shaper *s);

/* headers.c: one whole field in s->header goes to s->out, or away. */
void shape_field(struct shaper *s);
/* After the last field: adds what is missing, logs, writes s->out. */
void shape_end_headers(struct shaper *s);
/* actions.c: recipients and routes become what was asked for, and what tables say. */
void shape_mapping_failed(struct shaper *s, const struct err *err);
void shape_envelope(struct shaper *s, struct envelope *env);
/* complete.c: appends the field with its addresses completed and mapped; what is a MAP_HEADER_*. */
void shape_complete(struct shaper *s, const struct header *header, int what);

#endif
