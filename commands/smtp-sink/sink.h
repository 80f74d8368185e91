/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_SMTP_SINK_SINK_H
#define COMMANDS_SMTP_SINK_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "lib/io/stream.h"
#include "lib/sys/net.h"
#include "lib/tls/session.h"

/* What may happen to a command; set per command by -f, -r, -q, -Q, -s and -W. */
enum sink_command {
	SINK_CONNECT,
	SINK_HELO,
	SINK_EHLO,
	SINK_LHLO,
	SINK_MAIL,
	SINK_RCPT,
	SINK_VRFY,
	SINK_DATA,
	SINK_DOT,
	SINK_RSET,
	SINK_NOOP,
	SINK_QUIT,
	SINK_AUTH,
	SINK_XCLIENT,
	SINK_XFORWARD,
	SINK_STARTTLS,
	SINK_COMMANDS
};

enum {
	SINK_HARD = 1 << 0,
	SINK_SOFT = 1 << 1,
	SINK_DISCONNECT = 1 << 2,
	SINK_CLOSE_421 = 1 << 3,
	SINK_LOG = 1 << 4,
};

struct sink_action {
	int flags;
	int delay_ms;
	int odds; /* 1..99: the delay is a random multiple */
};

/* -x text=reply: what a RCPT with this text in its argument is answered. */
struct sink_rcpt_rule {
	const char *text, *reply;
};

enum { SINK_RCPT_RULES_MAX = 64 };

/* What smtp-sink was told on its command line, and its counters. One per process. */
struct sink {
	struct loop *loop;
	struct watch accept_watch;
	struct timer show_timer;
	struct list sessions; /* open ones */
	struct list spares;   /* kept for the next client */

	const char *hostname, *soft_reply, *hard_reply;
	const char *one_template, *many_template; /* -d, -D */
	struct str start_text;                    /* -S */
	bool count, lmtp, pix;
	bool no_esmtp, no_8bitmime, no_auth, no_dsn, no_pipelining, no_codes, no_xclient,
	    no_xforward;
	struct tls_context *tls; /* -K, -k; NULL: no TLS */
	bool tls_wrapped;        /* -k: from the first byte on */
	int abort_delay_ms;      /* -A; -1: off */
	int read_delay_ms;       /* -H */
	int timeout_ms, window;
	int max_sessions;
	long stop_sessions, stop_messages; /* 0: never */
	struct sink_action actions[SINK_COMMANDS];
	struct sink_rcpt_rule rcpt_rules[SINK_RCPT_RULES_MAX];
	size_t rcpt_rule_count;

	int open_sessions;
	long total_sessions, quits, messages;
	bool changed; /* counters since they were shown */
};

enum { SINK_INPUT_MAX = 65536 };

struct session {
	struct list link;
	struct sink *sink;
	struct watch watch;
	struct timer timer; /* a delay, or the time limit */
	bool delayed;       /* the timer is a delay: nothing is read */
	bool closing;       /* close when the output is out */
	bool deaf;          /* -A: never reads again */
	bool in_data, at_line_start, auth_line;
	bool start_tls;          /* when the output is out */
	bool shaking;            /* the handshake is under way */
	struct tls_session *tls; /* NULL: plain */
	struct stream stream;    /* what TLS knows of the connection: the descriptor */
	int fd;
	enum sink_command current;    /* whose delay is running */
	const char *proto;            /* "SMTP", "ESMTP", "LMTP" */
	struct str helo, mail, rcpts; /* arguments as received; rcpts is one per line */
	int rcpt_count;
	struct str content; /* only when there is a dump */
	struct str delayed_line;
	struct str out;
	size_t out_at;
	char *in;
	size_t in_at, in_len;
};

/* session.c */
void session_accept(struct sink *sink, int fd);
void session_reply(struct session *s, const char *text);
void session_close(struct session *s);

/* secure.c: a context for -K and -k; fatal when the file cannot be used. */
struct tls_context *secure_context(const char *chain_file);
void secure_begin(struct session *s);
/* Goes on with the handshake; false: the session was closed. *done_out: it is over. */
bool secure_go_on(struct session *s, bool *done_out);
/* As read(2) and write(2), by TLS when that is on; -1 with EAGAIN sets what to wait for. */
long secure_read(struct session *s, void *buf, size_t len, int *wait_for);
long secure_write(struct session *s, const void *buf, size_t len, int *wait_for);

/* command.c: the dialogue. A line without its line end. */
void command_greet(struct session *s);
void command_line(struct session *s, char *line);
void command_end_of_data(struct session *s);
/* Runs a command whose delay is over. */
void command_resume(struct session *s);
void command_reset(struct session *s);
/* The command of this name ("." and CONNECT too), or -1. */
int command_find(const char *name);

/* dump.c: writes the finished message where -d or -D says; errors end the program. */
bool dump_wanted(const struct sink *sink);
void dump_message(struct session *s);

/* main.c */
void sink_counters_changed(struct sink *sink);

#endif
