/* SPDX-License-Identifier: ISC */
#ifndef LIB_IO_STREAM_H
#define LIB_IO_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * A buffered stream over a socket with a deadline: all waiting of session processes happens in
 * stream_wait. Output collects in a buffer until it is flushed; a read that has to wait flushes
 * first (so that pipelined answers go out together). TLS replaces the two transport functions.
 * Buffers are taken when first needed and given back when the stream is idle and empty, so an idle
 * session costs little memory.
 */
enum io_result {
	IO_OK,
	IO_EOF,     /* the peer closed; what it sent before is still in the buffer */
	IO_TIMEOUT, /* nothing within the time limit, or the deadline passed */
	IO_ERROR,   /* errno says why */
	IO_LONG,    /* line_read only: the line is longer than its limit; the rest was skipped */
};

struct stream;
struct stream_ops {
	/* as read(2)/write(2) on a non-blocking socket; -1 with EAGAIN sets what to wait for */
	long (*read)(struct stream *s, void *buf, size_t len, short *wait_for);
	long (*write)(struct stream *s, const void *buf, size_t len, short *wait_for);
	/* is there input, or the end, without waiting? NULL: what the descriptor says */
	bool (*readable)(struct stream *s);
};

struct stream {
	int fd;
	const struct stream_ops *ops; /* NULL: plain socket */
	void *ops_state;
	struct str in; /* received, not yet taken: in.data + in_at .. in.len */
	size_t in_at;
	struct str out;
	int timeout_ms;      /* for each wait; -1: none */
	int64_t deadline_ms; /* clock_mono_ms; 0: none. The earlier of both counts */
	bool failed;         /* sticky: after IO_EOF, IO_TIMEOUT or IO_ERROR on write */
};

/* Takes the descriptor of a socket; fini closes it. Who sets ops makes it non-blocking. */
void stream_init(struct stream *s, int fd, int timeout_ms);
void stream_fini(struct stream *s);

/* Until the descriptor is ready for one of poll's events; IO_TIMEOUT when the time is over. */
enum io_result stream_wait(struct stream *s, short poll_events);

/* Reads at least one more byte into the buffer (flushes output first). */
enum io_result stream_fill(struct stream *s);
static inline struct slice stream_buffered(const struct stream *s)
{
	return (struct slice){s->in.data ? s->in.data + s->in_at : "", s->in.len - s->in_at};
}
void stream_take(struct stream *s, size_t len); /* drops len buffered bytes */

/*
 * One line into *line (cleared first) without its LF; the CR before it stays when keep_cr, so that
 * callers can tell a bare LF. A line over `limit` bytes gives IO_LONG with its first bytes in
 * *line; the rest up to LF is read and dropped (bounded by the deadline).
 */
enum io_result stream_read_line(struct stream *s, struct str *line, size_t limit, bool keep_cr);

/* Exactly len bytes appended to out, for BDAT and frames. */
enum io_result stream_read_bytes(struct stream *s, struct str *out, size_t len);

/* Output: put never waits unless 64 KiB are pending. */
enum io_result stream_put(struct stream *s, const void *data, size_t len);
enum io_result stream_printf(struct stream *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum io_result stream_flush(struct stream *s);
/* Flushes, then sends len bytes of file fd from offset: sendfile(2) when the stream is plain. */
enum io_result stream_send_file(struct stream *s, int fd, int64_t offset, int64_t len);

/* Is there input (or EOF) to read right now, without waiting? For "is the cached peer still there".
 */
bool stream_readable(struct stream *s);
/* Gives buffer memory back; call when a session goes idle. Keeps unread input. */
void stream_shrink(struct stream *s);

#endif
