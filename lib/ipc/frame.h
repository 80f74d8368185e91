/* SPDX-License-Identifier: ISC */
#ifndef LIB_IPC_FRAME_H
#define LIB_IPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * Frames on UNIX sockets: header u32 length (of all that follows these four bytes), u16 type,
 * u16 flags (0), u32 id; then fields u16 tag, u32 length, bytes. Little-endian.
 *
 * A message is a table over a plain struct: it encodes, decodes, prints under -v and seeds the
 * fuzzer. Decoding is pure: unknown tags are skipped, a missing required field, a field over its
 * maximum or trailing bytes are refused. Decoded text and lists live in the given arena and are
 * zero-terminated (text with a zero byte inside is refused).
 */
enum { FRAME_HEADER = 12, FRAME_MAX = 16 * 1024 * 1024 };

enum frame_kind {
	FRAME_U32,
	FRAME_U64,
	FRAME_TEXT,   /* const char * */
	FRAME_STRUCT, /* a struct within the struct, by its own table */
	FRAME_LIST,   /* struct frame_list of such structs */
};

struct frame_list {
	void *items;
	size_t count;
};

struct frame_table;
struct frame_field {
	uint16_t tag;
	enum frame_kind kind;
	bool required;
	size_t offset;
	size_t max; /* bytes of text, items of a list */
	const char *name;
	const struct frame_table *item; /* FRAME_STRUCT, FRAME_LIST: the table of one item */
};

struct frame_table {
	const char *name;
	const struct frame_field *fields;
	size_t count;
	size_t size; /* of the struct */
};

#define FRAME_AT(st, m, type) \
	(offsetof(st, m) + 0 * sizeof(char[_Generic(&((st *)0)->m, type * : 1)]))
#define FRAME_FIELD_U32(tag, st, m)                                          \
	{                                                                    \
		tag, FRAME_U32, true, FRAME_AT(st, m, uint32_t), 0, #m, NULL \
	}
#define FRAME_FIELD_U64(tag, st, m)                                          \
	{                                                                    \
		tag, FRAME_U64, true, FRAME_AT(st, m, uint64_t), 0, #m, NULL \
	}
#define FRAME_FIELD_TEXT(tag, st, m, max)                                            \
	{                                                                            \
		tag, FRAME_TEXT, false, FRAME_AT(st, m, const char *), max, #m, NULL \
	} /* absent: "" */
#define FRAME_FIELD_STRUCT(tag, st, m, type, table)                          \
	{                                                                    \
		tag, FRAME_STRUCT, true, FRAME_AT(st, m, type), 0, #m, table \
	}
#define FRAME_FIELD_LIST(tag, st, m, max, table)                                           \
	{                                                                                  \
		tag, FRAME_LIST, false, FRAME_AT(st, m, struct frame_list), max, #m, table \
	}

/* Appends one whole frame to out. NULL text is sent as "". */
void frame_encode(struct str *out, uint16_t type, uint32_t id, const struct frame_table *table,
    const void *value);

struct frame {
	uint16_t type;
	uint32_t id;
	const char *body;
	size_t body_len;
	size_t size; /* whole frame, to be taken from the buffer */
};

/* Looks at buffered bytes: 1 a whole frame, 0 more bytes are needed, -1 not a frame (err). */
int frame_peek(const void *data, size_t len, struct frame *frame_out, struct err *err);

/* Fills *value (of table->size bytes) from a frame. 0 or -1 with err. */
int frame_decode(const struct frame *frame, const struct frame_table *table, void *value,
    struct arena *arena, struct err *err);

/* "name{a=1 b=text}" for -v. */
void frame_print(struct str *out, const struct frame_table *table, const void *value);

/*
 * Blocking ends, for session processes. frame_send writes one frame (with a descriptor when
 * fd >= 0, SCM_RIGHTS on its first byte). frame_recv waits up to timeout_ms; buf keeps what was
 * read beyond the frame and belongs to the connection; fd_out (may be NULL) gets a passed
 * descriptor or -1. frame_recv: 1 a frame (take frame_out->size bytes from buf when done with it),
 * 0 end of connection, -1 with err (code ETIMEDOUT on time-out).
 */
int frame_send(int sock, const struct str *frame, int fd, int timeout_ms, struct err *err);
int frame_recv(int sock, struct str *buf, int timeout_ms, struct frame *frame_out, int *fd_out,
    struct err *err);
/* As recv(2), non-blocking, appended to buf; *fd_out, -1 before, gets a passed descriptor. */
long frame_receive(int sock, struct str *buf, int *fd_out);

#endif
