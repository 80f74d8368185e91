/* SPDX-License-Identifier: ISC */
/*
 * -bs: SMTP on standard input and output, for programs that submit that way. Each message takes
 * the same road as any other that this user submits, through postdrop; so there is nothing to
 * control and nothing that needs a privilege.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/sendmail/sendmail.h"
#include "commands/sendmail/text_filter.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/queue/envelope.h"
#include "lib/smtp/command.h"
#include "lib/smtp/dot.h"

enum { LINE_LIMIT = 4096, READ_CHUNK = 16 * 1024, ERROR_LIMIT = 100 };

struct rcpt_entry {
	const char *address, *orcpt;
	uint32_t notify;
};

struct session {
	struct sendmail *sendmail;
	struct str in;
	size_t at;
	char last; /* byte that was read */
	bool quit;
	int errors;
	/* the transaction */
	struct arena arena;
	bool greeted, has_sender;
	const char *sender, *envid, *ret;
	uint32_t flags;
	struct rcpt_entry *rcpts;
	size_t rcpt_count;
};

/* Reads some more. false: the client is gone, or says nothing for too long. */
static bool fill(struct session *c)
{
	struct pollfd pfd = {.fd = STDIN_FILENO, .events = POLLIN};
	char buf[READ_CHUNK];
	ssize_t n;

	str_consume(&c->in, c->at);
	c->at = 0;
	if (fflush(stdout) != 0)
		return false;
	do {
		n = poll(&pfd, 1, c->sendmail->params.timeout * 1000);
		if (n > 0)
			n = read(STDIN_FILENO, buf, sizeof(buf));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	/* who speaks on a pipe often ends lines as its files do; there is no other server to fool
	 */
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n' && c->last != '\r')
			str_put_char(&c->in, '\r');
		str_put_char(&c->in, buf[i]);
		c->last = buf[i];
	}
	return true;
}

/* 1: a line without its end, 0: the end of input, -1: a line that is too long (it is dropped). */
static int read_line(struct session *c, struct slice *line_out)
{
	bool dropping = false;

	for (;;) {
		size_t have = c->in.len - c->at;
		const char *from = str_text(&c->in) + c->at;
		const char *nl = memchr(from, '\n', have);

		if (nl) {
			*line_out = slice_of(from, (size_t)(nl - from));
			c->at += line_out->len + 1;
			if (line_out->len > 0 && from[line_out->len - 1] == '\r')
				line_out->len--;
			return dropping || line_out->len > LINE_LIMIT ? -1 : 1;
		}
		if (have > LINE_LIMIT) {
			dropping = true;
			c->at = c->in.len;
		}
		if (!fill(c))
			return 0;
	}
}

static void reply(const char *text)
{
	printf("%s\r\n", text);
}

static void complain(struct session *c, const char *text)
{
	c->errors++;
	reply(text);
}

static void reset(struct session *c)
{
	arena_reset(&c->arena);
	c->has_sender = false;
	c->sender = c->envid = c->ret = "";
	c->flags = c->sendmail->flags;
	c->rcpts = NULL;
	c->rcpt_count = 0;
}

static void do_helo(struct session *c, struct slice rest)
{
	if (rest.len == 0) {
		complain(c, "501 Syntax: HELO hostname");
		return;
	}
	reset(c);
	c->greeted = true;
	printf("250 %s\r\n", c->sendmail->command.core.myhostname);
}

static void do_ehlo(struct session *c, struct slice rest)
{
	const struct core_params *core = &c->sendmail->command.core;

	if (rest.len == 0) {
		complain(c, "501 Syntax: EHLO hostname");
		return;
	}
	reset(c);
	c->greeted = true;
	printf("250-%s\r\n250-PIPELINING\r\n250-SIZE", core->myhostname);
	if (core->message_size_limit > 0)
		printf(" %lld", (long long)core->message_size_limit);
	printf("\r\n250-VRFY\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n");
	if (c->sendmail->params.smtputf8_enable)
		printf("250-SMTPUTF8\r\n");
	printf("250 DSN\r\n");
}

static const char *keep(struct session *c, struct slice text)
{
	return arena_strndup(&c->arena, text.data ? text.data : "", text.len);
}

/* NULL, or the reply. */
static const char *mail_param(struct session *c, const struct smtp_param *p)
{
	int64_t limit = c->sendmail->command.core.message_size_limit;
	uint64_t size;

	if (slice_eq_nocase(p->keyword, "SIZE")) {
		if (!p->value.data || !num_u64(p->value.data, p->value.len, INT64_MAX, &size))
			return "501 5.5.4 Bad message size syntax";
		if (limit > 0 && size > (uint64_t)limit)
			return "552 5.3.4 Message size exceeds fixed limit";
	} else if (slice_eq_nocase(p->keyword, "BODY")) {
		if (slice_eq_nocase(p->value, "8BITMIME"))
			c->flags |= MAILDROP_8BIT;
		else if (!slice_eq_nocase(p->value, "7BIT"))
			return "501 5.5.4 Unknown body type";
	} else if (slice_eq_nocase(p->keyword, "RET")) {
		if (!slice_eq_nocase(p->value, "FULL") && !slice_eq_nocase(p->value, "HDRS"))
			return "501 5.5.4 Bad RET parameter syntax";
		c->ret = slice_eq_nocase(p->value, "FULL") ? "FULL" : "HDRS";
	} else if (slice_eq_nocase(p->keyword, "ENVID")) {
		if (p->value.len == 0 || p->value.len > 100)
			return "501 5.5.4 Bad ENVID parameter syntax";
		c->envid = keep(c, p->value);
	} else if (slice_eq_nocase(p->keyword, "SMTPUTF8") && !p->value.data &&
	           c->sendmail->params.smtputf8_enable) {
		return NULL; /* smtputf8_autodetect_classes sees to it */
	} else {
		return "555 5.5.4 Unsupported option";
	}
	return NULL;
}

static void do_mail(struct session *c, struct slice rest)
{
	struct smtp_path_args args = {0};
	const char *no = NULL;

	if (c->has_sender)
		no = "503 5.5.1 Error: nested MAIL command";
	else if (smtp_parse_path_args(rest, "FROM", false, &args))
		no = "501 5.5.4 Syntax: MAIL FROM:<address>";
	for (size_t i = 0; !no && i < args.param_count; i++)
		no = mail_param(c, &args.params[i]);
	if (no) {
		complain(c, no);
	} else {
		c->has_sender = true;
		c->sender = arena_strdup(&c->arena, str_text(&args.address));
		reply("250 2.1.0 Ok");
	}
	smtp_path_args_fini(&args);
}

static bool notify_value(struct slice value, uint32_t *out)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} names[] = {{"NEVER", NOTIFY_NEVER}, {"SUCCESS", NOTIFY_SUCCESS},
	    {"FAILURE", NOTIFY_FAILURE}, {"DELAY", NOTIFY_DELAY}};

	*out = 0;
	for (size_t at = 0; at < value.len;) {
		const char *comma = memchr(value.data + at, ',', value.len - at);
		size_t len = comma ? (size_t)(comma - value.data) - at : value.len - at;
		uint32_t bit = 0;

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (slice_eq_nocase(slice_of(value.data + at, len), names[i].name))
				bit = names[i].bit;
		}
		if (!bit)
			return false;
		*out |= bit;
		at += len + 1;
	}
	return *out && (!(*out & NOTIFY_NEVER) || *out == NOTIFY_NEVER);
}

static const char *rcpt_param(struct session *c, const struct smtp_param *p, struct rcpt_entry *r)
{
	if (slice_eq_nocase(p->keyword, "NOTIFY"))
		return notify_value(p->value, &r->notify) ? NULL
		                                          : "501 5.5.4 Bad NOTIFY parameter syntax";
	if (slice_eq_nocase(p->keyword, "ORCPT")) {
		struct str plain = {0};
		bool good = smtp_xtext_decode(p->value, &plain) && plain.len > 0 &&
		            plain.len < MAILDROP_TEXT_MAX && str_cstr(&plain);

		r->orcpt = keep(c, slice_of(str_text(&plain), plain.len));
		str_fini(&plain);
		return good ? NULL : "501 5.5.4 Bad ORCPT parameter syntax";
	}
	return "555 5.5.4 Unsupported option";
}

static void do_rcpt(struct session *c, struct slice rest)
{
	struct smtp_path_args args = {0};
	struct rcpt_entry entry = {.orcpt = ""};
	size_t limit = (size_t)c->sendmail->params.recipient_limit;
	const char *no = NULL;

	if (!c->has_sender)
		no = "503 5.5.1 Error: need MAIL command";
	else if (c->rcpt_count >= limit)
		no = "452 4.5.3 Error: too many recipients";
	else if (smtp_parse_path_args(rest, "TO", false, &args) || args.address.len == 0)
		no = "501 5.1.3 Bad recipient address syntax";
	for (size_t i = 0; !no && i < args.param_count; i++)
		no = rcpt_param(c, &args.params[i], &entry);
	if (no) {
		complain(c, no);
	} else {
		if (!c->rcpts)
			c->rcpts = arena_zero(&c->arena, limit, sizeof(*c->rcpts));
		entry.address = arena_strdup(&c->arena, str_text(&args.address));
		c->rcpts[c->rcpt_count++] = entry;
		reply("250 2.1.5 Ok");
	}
	smtp_path_args_fini(&args);
}

static int begin_submission(struct session *c, struct submission *sub)
{
	const struct maildrop_envelope env = {.version = MAILDROP_VERSION,
	    .flags = c->flags,
	    .sender = c->sender,
	    .full_name = c->sendmail->full_name,
	    .envid = c->envid,
	    .ret = c->ret};
	struct err err;

	if (submit_begin(sub, c->sendmail, &env, &err) < 0) {
		log_warn("%s", err.text);
		return -1;
	}
	for (size_t i = 0; i < c->rcpt_count; i++) {
		const struct maildrop_rcpt rcpt = {.address = c->rcpts[i].address,
		    .orcpt = c->rcpts[i].orcpt,
		    .notify = c->rcpts[i].notify};

		submit_rcpt(sub, &rcpt);
	}
	return 0;
}

/* Everything up to the final dot. false: the client went away before it. */
static bool receive(struct session *c, struct submission *sub)
{
	struct dot_decoder decoder;
	struct text_filter filter;
	struct str raw = {0}, text = {0};

	dot_decoder_init(&decoder);
	text_filter_init(&filter, false, false);
	for (;;) {
		c->at += dot_decode(&decoder, str_text(&c->in) + c->at, c->in.len - c->at, &raw);
		text_filter_put(&filter, str_text(&raw), raw.len, &text);
		submit_text(sub, str_text(&text), text.len);
		str_clear(&raw);
		str_clear(&text);
		if (decoder.done || !fill(c))
			break;
	}
	text_filter_end(&filter, &text);
	submit_text(sub, str_text(&text), text.len);
	str_fini(&raw);
	str_fini(&text);
	return decoder.done;
}

static void do_data(struct session *c, struct slice rest)
{
	struct submission sub;
	struct err err;
	char id[64];
	int status;

	if (rest.len > 0) {
		complain(c, "501 5.5.4 Syntax: DATA");
		return;
	}
	if (c->rcpt_count == 0) {
		complain(c, c->has_sender ? "554 5.5.1 Error: no valid recipients"
		                          : "503 5.5.1 Error: need RCPT command");
		return;
	}
	if (begin_submission(c, &sub) < 0) {
		complain(c, "451 4.3.0 Error: queue file write error");
		return;
	}
	reply("354 End data with <CR><LF>.<CR><LF>");
	if (!receive(c, &sub)) {
		submit_abort(&sub);
		c->quit = true;
		return;
	}
	status = submit_end(&sub, id, &err);
	if (status == 0)
		printf("250 2.0.0 Ok: queued as %s\r\n", id);
	else if (status == EX_UNAVAILABLE)
		printf("552 5.3.4 Error: %s\r\n", err.text);
	else if (status == EX_NOPERM || status == EX_DATAERR)
		printf("554 5.7.1 Error: %s\r\n", err.text);
	else
		printf("451 4.3.0 Error: %s\r\n", err.text);
	reset(c);
}

static void do_rset(struct session *c, struct slice rest)
{
	if (rest.len > 0) {
		complain(c, "501 5.5.4 Syntax: RSET");
		return;
	}
	reset(c);
	reply("250 2.0.0 Ok");
}

static void do_noop(struct session *c UNUSED, struct slice rest UNUSED)
{
	reply("250 2.0.0 Ok");
}

static void do_vrfy(struct session *c, struct slice rest)
{
	if (rest.len == 0)
		complain(c, "501 5.5.4 Syntax: VRFY address");
	else
		printf("252 2.0.0 %.*s\r\n", (int)MIN(rest.len, (size_t)500), rest.data);
}

static void do_quit(struct session *c, struct slice rest UNUSED)
{
	reply("221 2.0.0 Bye");
	c->quit = true;
}

static const struct {
	const char *verb;
	void (*run)(struct session *c, struct slice rest);
} commands[] = {{"HELO", do_helo}, {"EHLO", do_ehlo}, {"MAIL", do_mail}, {"RCPT", do_rcpt},
    {"DATA", do_data}, {"RSET", do_rset}, {"NOOP", do_noop}, {"VRFY", do_vrfy}, {"QUIT", do_quit}};

static void run_line(struct session *c, struct slice line)
{
	struct slice verb, rest;

	smtp_command_split(line, &verb, &rest);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (slice_eq_nocase(verb, commands[i].verb)) {
			commands[i].run(c, rest);
			return;
		}
	}
	complain(c, "500 5.5.2 Error: command not recognized");
}

int smtp_run(struct sendmail *s)
{
	struct session c = {.sendmail = s};
	struct slice line;
	int rc;

	reset(&c);
	printf("220 %s ESMTP %s\r\n", s->command.core.myhostname, s->command.core.mail_name);
	while (!c.quit && (rc = read_line(&c, &line)) != 0) {
		if (rc < 0)
			complain(&c, "500 5.5.2 Error: line too long");
		else
			run_line(&c, line);
		if (c.errors >= ERROR_LIMIT) {
			reply("421 4.7.0 Error: too many errors");
			break;
		}
	}
	arena_fini(&c.arena);
	str_fini(&c.in);
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}
