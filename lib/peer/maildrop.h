/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_MAILDROP_H
#define LIB_PEER_MAILDROP_H

#include "lib/ipc/frame.h"

/*
 * A submitted message on its way from sendmail through postdrop into maildrop/ID and on to pickup:
 * the same bytes on the pipe and in the file (doc/queue.md). A sequence of frames: ENVELOPE first,
 * then CONTENT and RCPT in any order, END last, nothing behind it. END counts what went before and
 * has its checksum, so that a torn or altered file is never taken for a whole one. Content lines
 * end in LF.
 *
 * The reader is pure: bytes in, items out, texts without control characters. Its memory is bounded
 * by MAILDROP_FRAME_MAX.
 */
enum {
	MAILDROP_ENVELOPE = 1,
	MAILDROP_RCPT = 2,
	MAILDROP_CONTENT = 3,
	MAILDROP_END = 4,
	MAILDROP_ANSWER = 5, /* postdrop to sendmail */
};
enum {
	MAILDROP_VERSION = 1,
	MAILDROP_FRAME_MAX = 64 * 1024,
	MAILDROP_CHUNK = 32 * 1024, /* content bytes to a frame, at most */
	MAILDROP_TEXT_MAX = 2048,   /* bytes of one text field */
	MAILDROP_RCPTS_MAX = 1000000,
	MAILDROP_RCPT_BYTES_MAX = 64 * 1024 * 1024, /* their frames in all: readers keep them */
};

/* Flags of the envelope. */
enum {
	MAILDROP_8BIT = 1 << 0,   /* -B 8BITMIME */
	MAILDROP_TRACE = 1 << 1,  /* -v: a delivery report is wanted */
	MAILDROP_VERIFY = 1 << 2, /* -bv: no delivery, only a report */
	MAILDROP_REMOTE = 1 << 3, /* -G, or a message that was not submitted here: no completing */
	MAILDROP_REQUEUE =
	    1 << 4, /* postsuper -r: has been through the queue; only its owner sets it */
	MAILDROP_FLAGS = (1 << 5) - 1,
};

struct maildrop_envelope {
	uint32_t version;
	uint32_t uid;     /* the submitter; postdrop's word, not the caller's */
	uint64_t time_us; /* since 1970; likewise */
	uint32_t flags;
	const char *sender; /* "" : the null sender */
	const char *full_name, *envid, *ret;
	const char *orig_id; /* REQUEUE: the id that it had */
	const char *verp;    /* delimiters of lib/mail/verp.h, or "" */
};

struct maildrop_rcpt {
	const char *address, *orcpt;
	uint32_t notify; /* NOTIFY_* */
};

struct maildrop_end {
	uint64_t content_len;
	uint32_t rcpt_count;
	uint32_t crc; /* CRC-32C of all bytes before this frame */
};

struct maildrop_answer {
	uint32_t status; /* a sysexits code; 0: the message is safe */
	const char *id, *reason;
};
extern const struct frame_table maildrop_envelope_table, maildrop_rcpt_table, maildrop_end_table,
    maildrop_answer_table;

/* Writing: each appends one or more frames to out, and counts them in. All-zero to begin. */
struct maildrop_writer {
	struct str out; /* the caller takes what is there, by str_clear or str_consume */
	struct maildrop_end sum;
};
void maildrop_put_envelope(struct maildrop_writer *w, const struct maildrop_envelope *env);
void maildrop_put_rcpt(struct maildrop_writer *w, const struct maildrop_rcpt *rcpt);
void maildrop_put_content(struct maildrop_writer *w, const void *data, size_t len);
void maildrop_put_end(struct maildrop_writer *w);
void maildrop_writer_fini(struct maildrop_writer *w);

/* Reading. All-zero to begin. */
struct maildrop_reader {
	struct str in;
	size_t at;
	struct maildrop_end sum;
	int last; /* type of the last frame; 0: none */
	size_t rcpt_bytes;
};

struct maildrop_item {
	int type;
	struct maildrop_envelope env;
	struct maildrop_rcpt rcpt;
	struct slice content; /* valid until the next feed */
};

/* More bytes of the file or pipe; copied. */
void maildrop_feed(struct maildrop_reader *r, const void *data, size_t len);
/*
 * The next item; texts live in arena. 1: an item (END: everything before it was whole), 0: more
 * bytes are needed, -1 with err: not a maildrop message.
 */
int maildrop_next(
    struct maildrop_reader *r, struct arena *arena, struct maildrop_item *out, struct err *err);
void maildrop_reader_fini(struct maildrop_reader *r);

/*
 * Reading a file: as maildrop_next, with the reading done here. 0 is the end of a file without an
 * END: a message that was not finished.
 */
int maildrop_read(struct maildrop_reader *r, int fd, struct arena *arena, struct maildrop_item *out,
    struct err *err);

#endif
