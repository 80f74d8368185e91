/* SPDX-License-Identifier: ISC */
#include "lib/mail/qp.h"

enum { COLUMN_MAX = 76 };

/* Room for len characters, and for the '=' of a soft line break behind them. */
static void make_room(struct qp *qp, struct str *out, size_t len)
{
	if (qp->column + len < COLUMN_MAX)
		return;
	str_put(out, "=\r\n", 3);
	qp->column = 0;
}

static void put_plain(struct qp *qp, struct str *out, char c)
{
	make_room(qp, out, 1);
	str_put_char(out, c);
	qp->column++;
}

static void put_encoded(struct qp *qp, struct str *out, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char u = (unsigned char)c;
	char text[3] = {'=', digits[u >> 4], digits[u & 15]};

	make_room(qp, out, 3);
	str_put(out, text, 3);
	qp->column += 3;
}

void qp_put(struct qp *qp, struct str *out, const char *data, size_t len)
{
	for (; len > 0; data++, len--) {
		char c = *data;

		if (qp->held)
			put_plain(qp, out, qp->held);
		qp->held = 0;
		if (c == ' ' || c == '\t')
			qp->held = c;
		else if (c > 32 && c < 127 && c != '=')
			put_plain(qp, out, c);
		else
			put_encoded(qp, out, c);
	}
}

/* A blank at the end of a line would be lost on the way. */
void qp_end_line(struct qp *qp, struct str *out, struct slice crlf)
{
	if (qp->held)
		put_encoded(qp, out, qp->held);
	qp->held = 0;
	str_put(out, crlf.data, crlf.len);
	qp->column = 0;
}
