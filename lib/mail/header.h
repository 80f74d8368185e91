/* SPDX-License-Identifier: ISC */
#ifndef LIB_MAIL_HEADER_H
#define LIB_MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"

/*
 * Header fields of a message in memory (RFC 5322 2.2): pure, nothing is copied. Line ends may be
 * CR LF or LF. Used by shape, sendmail -t, bounce, local.
 */
struct header {
	struct slice name; /* without the colon and blanks before it */
	struct slice
	    value; /* raw: line ends of folding included, blanks and line ends around not */
	struct slice whole; /* all bytes of the field, its last line end included */
};

/*
 * Length of the field name when `line` begins a header field: printable ASCII without a colon,
 * then blanks allowed, then a colon. 0 when it does not: the body (or garbage) begins here.
 */
size_t header_name_len(struct slice line);

/* A line that continues the field before it. An empty line does not. */
static inline bool header_is_fold(struct slice line)
{
	return line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
}

/*
 * The next logical header of block from *at on; moves *at behind it. false at the end of the
 * headers: *at is then at the body, behind the empty line if there is one. Begin with *at = 0.
 */
bool header_next(struct slice block, size_t *at, struct header *out);

/* The first field with this name from the start of block. */
bool header_find(struct slice block, const char *name, struct header *out);

static inline bool header_is(const struct header *header, const char *name)
{
	return slice_eq_nocase(header->name, name);
}

/* Appends the value with its line ends taken out (folding blanks stay). */
void header_unfold(struct str *out, struct slice value);

#endif
