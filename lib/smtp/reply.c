/* SPDX-License-Identifier: ISC */
#include "lib/smtp/reply.h"

#include <string.h>

/*
 * RFC 5321 4.2.1:  Reply-line = *( Reply-code "-" [ textstring ] CRLF )
 *                               Reply-code [ SP textstring ] CRLF
 * Servers whose lines have different codes exist; the last line's code counts, as it is the one
 * that a client which only waits for "nnn SP" would see.
 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void smtp_reply_reset(struct smtp_reply *r)
{
	r->code = 0;
	r->dsn[0] = '\0';
	str_clear(&r->text);
	str_clear(&r->lines);
	r->text.max = r->lines.max = SMTP_REPLY_MAX_TEXT;
	r->line_count = 0;
	r->complete = false;
}

void smtp_reply_fini(struct smtp_reply *r)
{
	str_fini(&r->text);
	str_fini(&r->lines);
}

/* Appends with control characters and what is not UTF-8 made harmless: the text goes to logs and
 * notices. */
static void put_line(struct str *out, struct slice line, char joint)
{
	size_t i, from;

	if (out->len > 0)
		str_put_char(out, joint);
	from = out->len;
	str_put(out, line.data, line.len);
	for (i = from; i < out->len; i++)
		if (out->data[i] == '\t')
			out->data[i] = ' ';
	text_make_printable(out->data + from, out->len - from);
}

/* RFC 2034: the first line that has a status gives it; its class has to be that of the code. */
static void note_status(struct smtp_reply *r, struct slice text)
{
	char head[16];

	if (r->dsn[0])
		return;
	text.len = MIN(text.len, sizeof(head) - 1);
	memcpy(head, text.data, text.len);
	head[text.len] = '\0';
	smtp_dsn_split(head, r->dsn);
}

int smtp_reply_line(struct smtp_reply *r, struct slice line)
{
	const char *p = line.data;
	bool more;

	if (line.len < 3 || !is_digit(p[0]) || !is_digit(p[1]) || !is_digit(p[2]))
		return -1;
	if (p[0] < '2' || p[0] > '5')
		return -1;
	if (line.len > 3 && p[3] != ' ' && p[3] != '-' && p[3] != '\t')
		return -1;
	if (r->complete || r->line_count >= SMTP_REPLY_MAX_LINES)
		return -1;
	r->code = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
	r->line_count++;
	put_line(&r->text, line, ' ');
	put_line(&r->lines, line, '\n');
	if (line.len > 4)
		note_status(r, slice_of(p + 4, line.len - 4));
	more = line.len > 3 && p[3] == '-';
	if (more)
		return 0;
	if (r->dsn[0] != p[0])
		r->dsn[0] = '\0';
	r->complete = true;
	return 1;
}

/* 1 to 3 digits; returns what follows, or NULL. */
static const char *skip_digits(const char *p)
{
	int n = 0;

	while (n < 3 && is_digit(*p)) {
		p++;
		n++;
	}
	return n > 0 && !is_digit(*p) ? p : NULL;
}

const char *smtp_dsn_split(const char *text, char dsn[12])
{
	const char *p = text;
	size_t len;

	dsn[0] = '\0';
	if ((*p != '2' && *p != '4' && *p != '5') || p[1] != '.')
		return text;
	p = skip_digits(p + 2);
	if (!p || *p != '.')
		return text;
	p = skip_digits(p + 1);
	if (!p || (*p != '\0' && *p != ' ' && *p != '\t'))
		return text;
	len = (size_t)(p - text);
	memcpy(dsn, text, len);
	dsn[len] = '\0';
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}
