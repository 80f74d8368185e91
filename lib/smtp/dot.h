/* SPDX-License-Identifier: ISC */
#ifndef LIB_SMTP_DOT_H
#define LIB_SMTP_DOT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"

/*
 * The DATA codec (RFC 5321 4.5.2), incremental and pure. Only CR LF '.' CR LF ends a message
 * (at the start: '.' CR LF). What to do with a bare LF or a bare CR in the data is the caller's
 * policy: the decoder passes them on and says that it saw them. A dot at the beginning of a line is
 * taken away behind a bare LF too, as Postfix does that takes it for a line end; what ends with a
 * bare LF, or begins behind one, and was nothing but the dot is left out.
 *
 * Decoding works on whole buffers: it hands out runs of content bytes (dot-stuffing undone) so
 * that the common case is one run per buffer.
 */
struct dot_decoder {
	int state;
	bool done;        /* the end was seen */
	bool saw_bare_lf; /* LF without CR before it */
	bool saw_bare_cr;
};

void dot_decoder_init(struct dot_decoder *d);
/*
 * Eats input up to len bytes or the end of data; appends content to out. Returns the bytes eaten;
 * what lies behind the end of data is left.
 */
size_t dot_decode(struct dot_decoder *d, const char *in, size_t len, struct str *out);

/*
 * Encodes a piece of CRLF content: dots at line starts are doubled. at_line_start carries over
 * from piece to piece (begin with true). The final ".\r\n" is the caller's.
 */
void dot_encode(struct str *out, const char *in, size_t len, bool *at_line_start);

#endif
