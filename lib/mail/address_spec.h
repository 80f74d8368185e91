/* SPDX-License-Identifier: ISC */
#ifndef LIB_MAIL_ADDRESS_SPEC_H
#define LIB_MAIL_ADDRESS_SPEC_H

#include <stdbool.h>

#include "lib/base/str.h"

/*
 * The scanner under lib/mail/address.h (private to lib/mail): one addr-spec with what RFC 5322
 * allows around and between its tokens (blanks, comments, quoted strings, source route).
 */
struct spec_scan {
	const char *p, *end;      /* in: where to begin and the limit; out: p is at the stop */
	const char *stops;        /* unquoted characters that end it */
	bool strict;              /* no comments, no blanks, no empty or doubled atoms */
	bool single;              /* ends before a second word that stands beside the first */
	const char *first, *last; /* out: from the first token to behind the last; NULL: none */
	int words;                /* out: words (atoms, quoted strings) that stand side by side */
	bool has_at;              /* out: an unquoted '@' */
	bool trailing_at;         /* out: nothing follows the last '@' */
};

/*
 * Appends the internal form to out. A character of stops or the end of the text ends it. false
 * when a quote, comment or bracket is not closed or a character cannot be here.
 */
bool spec_scan(struct spec_scan *s, struct str *out);

/* Behind the blanks and comments at p (nested, with quoted pairs); NULL: a comment is not closed.
 */
const char *spec_skip_cfws(const char *p, const char *end);

#endif
