/* SPDX-License-Identifier: ISC */
/*
 * All messages share one body, built once; only the head (Message-Id, X-Token) is made anew, so
 * that a message costs one small format and one writev(). The head's length is the same for every
 * message of a run, hence the whole has exactly the length asked for.
 */
#include "commands/smtp-source/source.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/mail/date.h"
#include "lib/smtp/dot.h"
#include "lib/sys/fd.h"

enum { LINE_LEN = 72, FILE_MAX = 1 << 30 };

void message_head(const struct source *source, const char *token, struct str *out)
{
	char date[MAIL_DATE_MAX];

	if (source->preformatted) {
		if (source->accepted_fd >= 0)
			str_printf(out, "X-Token: %s\r\n", token);
		str_put(out, source->extra_headers.data, source->extra_headers.len);
		return;
	}
	if (source->old)
		return;
	mail_date(date, time(NULL));
	str_printf(out, "From: <%s>\r\nTo: <%s>\r\nDate: %s\r\nMessage-Id: <%s@%s>\r\n",
	    source->from, source->to, date, token, source->myhostname);
	if (source->subject)
		str_printf(out, "Subject: %s\r\n", source->subject);
	str_printf(out, "X-Token: %s\r\n", token);
	str_put(out, source->extra_headers.data, source->extra_headers.len);
	str_put_text(out, "\r\n");
}

/* Exactly len bytes of text in CRLF lines of at most LINE_LEN bytes; no line starts with a dot. */
static void put_filler(struct str *out, size_t len)
{
	static const char letters[] =
	    "the quick brown fox jumps over the lazy dog and sends it all by mail today ";

	while (len > 0) {
		size_t line = len <= LINE_LEN ? len : LINE_LEN;

		/* what is left over must again hold a line, CRLF included */
		if (len > line && len - line < 2)
			line -= 2;
		if (line < 2)
			return;
		for (size_t i = 0; i + 2 < line; i++)
			str_put_char(out, letters[i % (sizeof(letters) - 1)]);
		str_put_text(out, "\r\n");
		len -= line;
	}
}

static void put_file(struct str *out, const char *file)
{
	struct str text = {0}, crlf = {0};
	bool at_line_start = true;
	struct err err;

	if (fd_read_file(file, FILE_MAX, &text, &err) < 0)
		fatal("%s", err.text);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\n' && (i == 0 || text.data[i - 1] != '\r'))
			str_put_char(&crlf, '\r');
		str_put_char(&crlf, text.data[i]);
	}
	if (crlf.len > 0 && crlf.data[crlf.len - 1] != '\n')
		str_put_text(&crlf, "\r\n");
	dot_encode(out, str_text(&crlf), crlf.len, &at_line_start);
	str_fini(&text);
	str_fini(&crlf);
}

void message_prepare(struct source *source, const char *file)
{
	struct str head = {0};
	char token[TOKEN_MAX];

	if (file) {
		source->preformatted = true;
		put_file(&source->body, file);
	} else if (source->length < 0) {
		for (int i = 0; i < 5; i++)
			put_filler(&source->body, 40);
	} else {
		snprintf(
		    token, sizeof(token), "%016llx.%08lx", (unsigned long long)source->run_id, 0L);
		message_head(source, token, &head);
		if ((size_t)source->length > head.len)
			put_filler(&source->body, (size_t)source->length - head.len);
		str_fini(&head);
	}
	str_put_text(&source->body, ".\r\n");
}
