/* SPDX-License-Identifier: ISC */
/* Standard input becomes a message: -bm, the default mode. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/sendmail/sendmail.h"
#include "commands/sendmail/text_filter.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/mail/header.h"

enum { INPUT_CHUNK = 32 * 1024, HEADER_MAX = 8 * 1024 * 1024 };

struct enqueue {
	struct sendmail *sendmail;
	struct submission sub;
	struct text_filter filter;
	struct str text;   /* filtered, not yet handed on */
	struct str header; /* with -t: the header, for its recipients */
	bool header_done;
	size_t rcpt_count;
};

static void add_rcpt(void *arg, const char *address)
{
	struct enqueue *q = arg;
	struct maildrop_rcpt rcpt = {.address = address, .notify = q->sendmail->notify};

	if (strlen(address) > ADDRESS_MAX) {
		log_warn("recipient address of %zu bytes is too long -- ignored", strlen(address));
		return;
	}
	submit_rcpt(&q->sub, &rcpt);
	q->rcpt_count++;
}

void rcpt_each(struct slice text, void (*fn)(void *arg, const char *address), void *arg)
{
	struct str word = {0};
	size_t at = 0;

	if (address_each(text, fn, arg) >= 0)
		return;
	/* malformed: its words are addresses for better or worse, and the mail system says so */
	while (at < text.len) {
		size_t len = 0;

		while (at + len < text.len && !strchr(", \t\r\n;", text.data[at + len]))
			len++;
		str_clear(&word);
		for (size_t i = at; i < at + len; i++)
			str_put_char(&word, (unsigned char)text.data[i] < ' ' ? '?' : text.data[i]);
		if (len > 0)
			fn(arg, str_text(&word));
		at += len + 1;
	}
	str_fini(&word);
}

static bool header_ends(const struct str *header)
{
	return header->len >= HEADER_MAX || (header->len > 0 && header->data[0] == '\n') ||
	       (header->len > 1 && memmem(header->data, header->len, "\n\n", 2));
}

static void hand_on(struct enqueue *q)
{
	if (q->text.len == 0)
		return;
	if (q->sendmail->extract && !q->header_done) {
		str_put(&q->header, q->text.data, q->text.len);
		q->header_done = header_ends(&q->header);
	}
	submit_text(&q->sub, q->text.data, q->text.len);
	str_clear(&q->text);
}

/* Resent-* recipients, when there are any, take the place of the original ones (RFC 5322 3.6.6). */
static void extract_rcpts(struct enqueue *q)
{
	static const char *const names[2][3] = {
	    {"To", "Cc", "Bcc"}, {"Resent-To", "Resent-Cc", "Resent-Bcc"}};
	struct slice block = slice_of(q->header.data ? q->header.data : "", q->header.len);
	struct header field;
	struct str value = {0};
	bool resent = false;

	for (size_t i = 0; i < 3; i++)
		resent |= header_find(block, names[1][i], &field);
	for (size_t at = 0; header_next(block, &at, &field);) {
		for (size_t i = 0; i < 3; i++) {
			if (!header_is(&field, names[resent][i]))
				continue;
			str_clear(&value);
			header_unfold(&value, field.value);
			rcpt_each(slice_of(str_text(&value), value.len), add_rcpt, q);
		}
	}
	str_fini(&value);
}

static void command_line_rcpts(struct enqueue *q)
{
	for (char **arg = q->sendmail->rcpts; *arg; arg++) {
		struct slice text = slice_trim(slice_text(*arg));

		if (text.len == 0)
			add_rcpt(q, ""); /* empty_address_recipient's */
		else
			rcpt_each(text, add_rcpt, q);
	}
}

/* What is verified has no text; its report shows this header. */
static void put_probe(struct enqueue *q)
{
	const char *joint = "Subject: probe\nTo: ";

	for (char **arg = q->sendmail->rcpts; *arg; arg++) {
		str_put_text(&q->text, joint);
		for (const char *c = *arg; *c; c++)
			str_put_char(&q->text, (unsigned char)*c < ' ' ? '?' : *c);
		joint = ",\n\t";
	}
	str_put_char(&q->text, '\n');
	hand_on(q);
}

/* 0, or -1 with errno. */
static int copy_input(struct enqueue *q)
{
	char buf[INPUT_CHUNK];
	ssize_t n;

	while (!q->filter.done && !q->sub.broken) {
		n = read(STDIN_FILENO, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		text_filter_put(&q->filter, buf, (size_t)n, &q->text);
		hand_on(q);
	}
	text_filter_end(&q->filter, &q->text);
	hand_on(q);
	return 0;
}

static void begin(struct enqueue *q, struct sendmail *s)
{
	struct maildrop_envelope env = {.version = MAILDROP_VERSION,
	    .flags = s->flags,
	    .sender = str_text(&s->sender),
	    .full_name = s->full_name,
	    .envid = s->envid,
	    .ret = s->ret,
	    .verp = s->verp ? s->verp : ""};
	struct err err;

	q->sendmail = s;
	text_filter_init(&q->filter, !s->ignore_dot, true);
	if (submit_begin(&q->sub, s, &env, &err) < 0)
		fatal_exit(EX_OSERR, "%s(%ld): %s", s->login, (long)s->uid, err.text);
}

int enqueue_run(struct sendmail *s)
{
	struct enqueue q = {0};
	const char *what = s->extract ? "No recipient addresses found in message header"
	                              : "Recipient addresses must be specified on the command "
	                                "line or via the -t option";
	struct err err;
	char id[64];
	int status;

	if (!s->extract && !s->rcpts[0])
		fatal_exit(EX_USAGE, "%s(%ld): %s", s->login, (long)s->uid, what);
	begin(&q, s);
	command_line_rcpts(&q);
	if (s->mode == MODE_VERIFY) {
		put_probe(&q);
	} else if (copy_input(&q) < 0) {
		submit_abort(&q.sub);
		fatal_exit(EX_DATAERR, "%s(%ld): error reading input: %s", s->login, (long)s->uid,
		    strerror(errno));
	}
	if (s->extract)
		extract_rcpts(&q);
	if (q.rcpt_count == 0 && !q.sub.broken) {
		submit_abort(&q.sub);
		fatal_exit(EX_USAGE, "%s(%ld): %s", s->login, (long)s->uid, what);
	}
	status = submit_end(&q.sub, id, &err);
	if (status)
		fatal_exit(status, "%s(%ld): %s", s->login, (long)s->uid, err.text);
	if (s->flags & (MAILDROP_VERIFY | MAILDROP_TRACE))
		printf(
		    "Mail Delivery Status Report will be mailed to <%s>.\n", str_text(&s->sender));
	str_fini(&q.text);
	str_fini(&q.header);
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}
