/* SPDX-License-Identifier: ISC */
/* Reads the listing of showq(8), or of a showq of its own when the mail system is down. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "commands/postqueue/postqueue.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"
#include "lib/sys/net.h"

enum { CONNECT_MS = 10000, READ_CHUNK = 64 * 1024, WRITE_AT = 64 * 1024 };

static void write_out(struct look *look, size_t from)
{
	if (look->out.len <= from)
		return;
	if (look->take)
		look->take(look);
	else if (fd_write_all(STDOUT_FILENO, look->out.data, look->out.len) < 0)
		fatal_exit(EX_IOERR, "output write error: %s", strerror(errno));
	str_clear(&look->out);
}

/*
 * One listing on its way to standard output. A message is put there whole, and taken back when it
 * turns out, with its last recipient, that it was not selected.
 */
struct show {
	const struct postqueue *q;
	struct look *look;
	int64_t now;
	bool in_message;
	struct look before; /* sums before the message */
	size_t mark;        /* of its beginning in the output */
};

static void begin_message(struct show *s, const struct showq_message *m)
{
	struct look *look = s->look;

	s->in_message = true;
	s->before = *look;
	s->mark = look->out.len;
	if (s->q->where) {
		bool null = strcmp(m->sender, s->q->command.core.empty_address_recipient) == 0;
		const struct where_message asked = {.queue = m->queue_name,
		    .id = m->queue_id,
		    .sender = null ? "" : m->sender,
		    .arrival = m->time,
		    .size = (uint64_t)m->size,
		    .expired = m->forced_expire};

		where_begin(s->q->where, &asked, s->now);
	}
	look->message(look, m);
}

static void add_rcpt(struct show *s, const struct showq_rcpt *r)
{
	if (s->q->where)
		where_rcpt(s->q->where, r->address, r->reason);
	s->look->rcpt(s->look, r);
}

static void end_message(struct show *s)
{
	struct look *look = s->look;

	if (!s->in_message)
		return;
	s->in_message = false;
	look->message_end(look);
	if (s->q->where && !where_end(s->q->where)) {
		str_cut(&look->out, s->mark);
		look->count = s->before.count;
		look->bytes = s->before.bytes;
		look->rcpts = s->before.rcpts;
	}
	write_out(look, WRITE_AT);
}

/* Reads the protocol from fd and shows it. 0; -1 when it ends early or makes no sense. */
static int show(const struct postqueue *q, int fd, struct look *look)
{
	struct show s = {.q = q, .look = look, .now = time(NULL)};
	struct showq_reader reader = {0};
	enum showq_event event = SHOWQ_MORE;
	char buf[READ_CHUNK];

	while (event != SHOWQ_END && event != SHOWQ_BAD) {
		ssize_t n;

		event = showq_next(&reader);
		if (event == SHOWQ_MESSAGE || event == SHOWQ_END)
			end_message(&s);
		if (event == SHOWQ_MESSAGE)
			begin_message(&s, &reader.message);
		else if (event == SHOWQ_RCPT)
			add_rcpt(&s, &reader.rcpt);
		if (event != SHOWQ_MORE)
			continue;
		do {
			n = read(fd, buf, sizeof(buf));
		} while (n < 0 && errno == EINTR);
		if (n <= 0)
			break;
		showq_feed(&reader, buf, (size_t)n);
	}
	showq_reader_fini(&reader);
	if (event == SHOWQ_END)
		look->end(look);
	write_out(look, 0);
	return event == SHOWQ_END ? 0 : -1;
}

static int run_showq(const struct postqueue *q, pid_t *pid_out)
{
	char *path = alloc_printf("%s/showq", q->command.core.daemon_directory);
	char name[] = "showq", alone[] = "-S", named[] = "-n", typed[] = "-t", type[] = "unix";
	char *argv[] = {name, alone, named, name, typed, type, NULL};
	int pair[2];
	/* mail_owner may have no way to it: a build in the home of root */
	int program = open(path, O_PATH | O_CLOEXEC);

	if (program < 0)
		fatal_exit(EX_OSFILE, "open %s: %s", path, strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		fatal_exit(EX_OSERR, "socketpair: %s", strerror(errno));
	*pid_out = fork();
	if (*pid_out < 0)
		fatal_exit(EX_OSERR, "fork: %s", strerror(errno));
	if (*pid_out == 0) {
		dup2(pair[1], STDIN_FILENO);
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		command_become_owner(&q->command);
		fexecve(program, argv, environ);
		fatal_exit(EX_OSFILE, "unable to execute %s: %s", path, strerror(errno));
	}
	free(path);
	close(program);
	close(pair[1]);
	return pair[0];
}

int postqueue_list(struct postqueue *q, struct look *look)
{
	struct err err;
	pid_t pid = 0;
	int status = 0, fd, rc;

	postqueue_require(
	    "authorized_mailq_users", q->params.authorized_mailq_users, "view the mail queue");
	fd = net_connect_unix("public/showq", CONNECT_MS, &err);
	if (fd < 0 && !command_is_admin(&q->command))
		fatal_exit(EX_UNAVAILABLE, "Queue report unavailable - mail system is down (%s)",
		    err.text);
	if (fd < 0) {
		log_warn("Mail system is down -- accessing queue directly (%s)", err.text);
		fd = run_showq(q, &pid);
	}
	rc = show(q, fd, look);
	str_fini(&look->last_reason);
	str_fini(&look->out);
	close(fd);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status != 0)
		log_warn("showq ended with status %d",
		    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	if (rc < 0)
		fatal_exit(EX_SOFTWARE, "malformed showq server response");
	return 0;
}

int list_text(struct postqueue *q, const char *arg UNUSED)
{
	struct look look = q->count ? text_count_look : text_look;

	look.long_ids = q->command.core.enable_long_queue_ids;
	look.selecting = q->where != NULL;
	return postqueue_list(q, &look);
}

int list_json(struct postqueue *q, const char *arg UNUSED)
{
	struct look look = q->count ? json_count_look : json_look;

	return postqueue_list(q, &look);
}
