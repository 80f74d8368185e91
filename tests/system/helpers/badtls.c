/* SPDX-License-Identifier: ISC */
/*
 * badtls MODE CHAIN-FILE PORT: an SMTP server that goes wrong in or about TLS, in one of these
 * ways; else it takes mail. Serves one connection after the other until it is killed.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/net.h"
#include "lib/tls/session.h"

struct mode {
	const char *name;
	/* in place of the handshake */
	const char *raw;
	size_t raw_len;
	const char *behind; /* plain text in one piece with the answer to STARTTLS */
	const char *cut_at; /* the connection ends at this command, under TLS */
	bool say_goodbye;   /* ... with close_notify */
	bool hang;          /* nothing is said to the handshake */
	bool wants_certificate;
};

static const struct mode modes[] = {
    {.name = "good"},
    {.name = "close", .raw = ""},
    {.name = "hang", .hang = true},
    {.name = "text", .raw = "250 what is that?\r\n", .raw_len = 19},
    {.name = "alert", .raw = "\x15\x03\x03\x00\x02\x02\x28", .raw_len = 7},
    {.name = "piece", .raw = "\x16\x03\x03\x00\x7a\x02\x00", .raw_len = 7},
    {.name = "huge", .raw = "\x16\x03\x03\xff\xff\x02\x00", .raw_len = 7},
    {.name = "injected", .behind = "250 injected\r\n"},
    {.name = "demand", .wants_certificate = true},
    {.name = "cut-ehlo", .cut_at = "EHLO"},
    {.name = "cut-mail", .cut_at = "MAIL"},
    {.name = "bye-mail", .cut_at = "MAIL", .say_goodbye = true},
    {.name = "cut-data", .cut_at = "DATA"},
    {.name = "cut-dot", .cut_at = "."},
    {.name = "bye-dot", .cut_at = ".", .say_goodbye = true},
};

static const struct mode *mode;
static struct tls_context *context;

static void say(struct stream *s, const char *text)
{
	stream_put(s, text, strlen(text));
	stream_flush(s);
}

/* false: this connection is over. */
static bool start_tls(struct stream *s, struct tls_session **tls)
{
	static const struct tls_server_config config = {.peer = "client"};
	struct err err;

	stream_printf(s, "220 go ahead\r\n%s", mode->behind ? mode->behind : "");
	stream_flush(s);
	if (mode->hang) {
		sleep(30);
		return false;
	}
	if (mode->raw) {
		stream_wait(s, POLLIN); /* what comes before its hello is another fault */
		if (mode->raw_len)
			stream_put(s, mode->raw, mode->raw_len);
		stream_flush(s);
		shutdown(s->fd, SHUT_WR);
		usleep(200000); /* the client reads what came before the reset */
		return false;
	}
	return tls_server_start(context, s, &config, tls, &err) == TLS_STARTED;
}

static bool is_cut(const struct tls_session *tls, const char *line)
{
	return tls && mode->cut_at && strncmp(line, mode->cut_at, strlen(mode->cut_at)) == 0;
}

static void serve(int fd)
{
	struct tls_session *tls = NULL;
	struct str line = {0};
	struct stream s;
	bool in_data = false;

	stream_init(&s, fd, 10000);
	say(&s, "220 badtls ESMTP\r\n");
	while (stream_read_line(&s, &line, 2000, false) == IO_OK) {
		const char *text = str_text(&line);

		if (is_cut(tls, text) && (!in_data || strcmp(text, ".") == 0)) {
			if (mode->say_goodbye)
				tls_session_close(&tls);
			break;
		}
		if (in_data) {
			in_data = strcmp(text, ".") != 0;
			if (!in_data)
				say(&s, "250 2.0.0 taken\r\n");
		} else if (strncmp(text, "EHLO", 4) == 0) {
			say(&s, tls ? "250 badtls\r\n" : "250-badtls\r\n250 STARTTLS\r\n");
		} else if (strcmp(text, "STARTTLS") == 0) {
			if (!start_tls(&s, &tls))
				break;
		} else if (strcmp(text, "DATA") == 0) {
			say(&s, "354 go on\r\n");
			in_data = true;
		} else if (strcmp(text, "QUIT") == 0) {
			say(&s, "221 bye\r\n");
			break;
		} else {
			say(&s, "250 ok\r\n");
		}
	}
	tls_session_free(&tls);
	str_fini(&line);
	stream_fini(&s);
}

int main(int argc, char **argv)
{
	const char *chain = argc > 3 ? argv[2] : "";
	struct tls_context_config config = {.server = true,
	    .common = &tls_common_defaults,
	    .chain_files = &chain,
	    .chain_file_count = 1,
	    .cipherlist = tls_common_defaults.medium_cipherlist};
	struct net_addr addr;
	struct err err;
	int listening;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (size_t i = 0; argc > 3 && i < ARRAY_LEN(modes); i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			mode = &modes[i];
	if (!mode || !net_addr_parse(&addr, "127.0.0.1", (unsigned)atoi(argv[3])))
		fatal_exit(64, "usage: badtls mode chain-file port");
	config.require_certificate = mode->wants_certificate;
	if (tls_context_new(&config, &context, &err) < 0)
		fatal("%s", err.text);
	listening = net_listen(&addr, 10, 0, &err);
	if (listening < 0)
		fatal("%s", err.text);
	for (;;) {
		int fd = accept(listening, NULL, NULL);

		if (fd >= 0 && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(fd);
			_exit(0);
		}
		if (fd >= 0)
			close(fd);
	}
}
