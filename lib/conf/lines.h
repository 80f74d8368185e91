/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONF_LINES_H
#define LIB_CONF_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"

/*
 * Logical lines, as main.cf and master.cf have them: a line that starts with white space continues
 * the one before; empty lines and lines whose first non-blank is '#' are skipped, also in between.
 * Pure: the text is the caller's and stays where it is. An all-zero struct plus text and len is
 * ready; lines_fini frees the joining buffer.
 */
struct lines {
	const char *text;
	size_t len;
	size_t pos;
	int line;       /* physical lines read so far */
	int start_line; /* where the current logical line starts, from 1 */
	bool orphan;    /* the current line starts with white space: it continues nothing */
	struct str buf;
};

/*
 * The next logical line, without line ends and trailing white space, physical parts joined as they
 * stand; valid until the next call. False at the end.
 */
bool lines_next(struct lines *lines, struct slice *line_out);
void lines_fini(struct lines *lines);

#endif
