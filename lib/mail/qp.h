/* SPDX-License-Identifier: ISC */
#ifndef LIB_MAIL_QP_H
#define LIB_MAIL_QP_H

#include <stdbool.h>

#include "lib/base/str.h"

/*
 * Quoted-printable (RFC 2045 6.7) of text lines, incremental and pure. Zero the struct to begin.
 * Lines of the output have at most 76 characters.
 */
struct qp {
	size_t column;
	char held; /* a blank that may be the last of its line; 0: none */
};

/* A piece of a line, without its line end. */
void qp_put(struct qp *qp, struct str *out, const char *data, size_t len);
/* The end of the line; crlf is its line end as it is to be written ("" at the end of the text). */
void qp_end_line(struct qp *qp, struct str *out, struct slice crlf);

#endif
