/* SPDX-License-Identifier: ISC */
#ifndef LOCAL_CONTENT_H
#define LOCAL_CONTENT_H

#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/queue/store.h"

/*
 * The content of a message as it is stored on this host: LF line ends, and with quoting a '>'
 * before lines that begin with "From " (mbox). Read piece by piece with bounded memory.
 */
struct content {
	const struct message *m;
	uint64_t at; /* content bytes read so far */
	bool quote;
	bool line_start;
	bool last_lf; /* the last byte given out was LF */
	char *in;
	size_t held; /* bytes at the start of `in` that wait for what follows them */
};

void content_init(struct content *c, const struct message *m, bool quote);
void content_fini(struct content *c);
/* The next piece into *out (cleared first). 1 more, 0 end, -1 with errno. */
int content_next(struct content *c, struct str *out);

/*
 * Pure: converts what can be decided of in[0..len) and appends it to out; returns the bytes used.
 * Less than 6 bytes may be left when !end; none when end.
 */
size_t content_convert(struct content *c, const char *in, size_t len, bool end, struct str *out);

/* What the headers of a message say about the way it came. */
struct content_trace {
	int hops;               /* Received: fields */
	const char **delivered; /* Delivered-To: addresses, lower case */
	size_t delivered_count;
};
/* Reads the headers (at most 256 KiB of them). -1 with errno. Texts in arena. */
int content_trace(const struct message *m, struct arena *arena, struct content_trace *out);
bool content_was_delivered_to(const struct content_trace *trace, const char *address);

#endif
