/* SPDX-License-Identifier: ISC */
#ifndef LIB_MAIL_MIME_H
#define LIB_MAIL_MIME_H

#include <stdbool.h>

#include "lib/base/str.h"

/*
 * Walks a message (RFC 5322, RFC 2045/2046) in pieces of any size and tells its parts in order:
 * fields, ends of headers, body lines. Pure; nothing is changed. Line ends are CR LF or LF and are
 * in what is told, so that the texts of all events together are the input. A line and a field are
 * held in memory up to a limit and told in pieces beyond it. A message that breaks the rules is
 * walked as far as they go: what is no field begins the body, what has no end ends with the
 * message.
 */
enum mime_class {
	MIME_PRIMARY, /* the message's own header */
	MIME_PART,    /* of a part of a multipart body */
	MIME_NESTED,  /* of a message within it (message/rfc822) */
};

enum mime_kind { MIME_TEXT, MIME_MULTIPART, MIME_MESSAGE, MIME_OTHER };

enum mime_encoding { MIME_7BIT, MIME_8BIT, MIME_BINARY, MIME_ENCODED };

/* What a header has said of what follows it. */
struct mime_entity {
	enum mime_class class_;
	enum mime_kind kind; /* MULTIPART and MESSAGE: its content is walked into */
	enum mime_encoding encoding;
	bool
	    fixed; /* message/partial and the like: no encoding may be put on it (RFC 2046 5.2.2) */
};

enum mime_line {
	MIME_BODY,     /* of a part that is not walked into */
	MIME_BETWEEN,  /* of a multipart body, before its first and behind its last part */
	MIME_BOUNDARY, /* between its parts */
};

struct mime_events {
	/* A whole field, all its lines; cut: too long, and the rest follows by `rest`. */
	void (*field)(void *arg, enum mime_class class_, struct slice field, bool cut);
	void (*rest)(void *arg, struct slice piece);
	/*
	 * The end of a header, and the empty line there. Without one (line.len 0) a body follows
	 * at once when `needed`, else a boundary or the end of the message does.
	 */
	void (*end)(void *arg, const struct mime_entity *entity, struct slice line, bool needed);
	/* A line of a body, or a piece of a long one: start and stop say which. */
	void (*body)(void *arg, const struct mime_entity *entity, enum mime_line kind,
	    struct slice line, bool start, bool stop);
};

struct mime_limits {
	size_t field_max;    /* header_size_limit */
	size_t boundary_max; /* mime_boundary_length_limit: so much of a boundary counts */
	int nesting_max;     /* mime_nesting_limit: what lies deeper is not walked into */
};

enum { MIME_LINE_MAX = 16 * 1024 };

struct mime;
struct mime *mime_new(
    const struct mime_limits *limits, const struct mime_events *events, void *arg);
void mime_free(struct mime **mime);
void mime_put(struct mime *mime, const char *data, size_t len);
void mime_end(struct mime *mime); /* the message is over; tells what is still held */

/* Is this a field of MIME (Content-Type and the like)? */
bool mime_is_field(struct slice name);

/*
 * "type/subtype; boundary=x" taken apart (RFC 2045 5.1). false when it is malformed; type and
 * subtype point into value, boundary (cleared first) is "" when there is none.
 */
bool mime_parse_type(
    struct slice value, struct slice *type_out, struct slice *subtype_out, struct str *boundary);

#endif
