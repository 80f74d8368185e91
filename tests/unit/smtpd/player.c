/* SPDX-License-Identifier: ISC */
#include "player.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/fd.h"
#include "scratch.h"

enum { WAIT_MS = 8000, TEXT_MAX = 1 << 22 };

struct line {
	char what;
	char *text;
	int number;
};

struct player {
	const char *path;
	struct str text; /* the file */
	struct line *lines;
	size_t count;
	struct str settings;
	char peer_name[128], peer_addr[64];
	struct scratch scratch;
	int sock, log_fd;
	pid_t child;
	struct str in; /* what the server said and nobody has looked at */
};

static bool complain(
    const struct player *p, const struct line *line, const char *what, const char *got)
{
	fprintf(stderr, "%s:%d: %s: %c: %s\n  got: %s\n", p->path, line->number, what, line->what,
	    line->text, got);
	return false;
}

static bool matches(const char *pattern, const char *text)
{
	size_t len = strlen(pattern);
	char *expression;
	regex_t regex;
	bool yes;

	if (len < 2 || pattern[0] != '/' || pattern[len - 1] != '/')
		return strncmp(text, pattern, len) == 0;
	expression = strndup(pattern + 1, len - 2);
	if (regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB) != 0) {
		fprintf(stderr, "bad expression: %s\n", pattern);
		free(expression);
		return false;
	}
	yes = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	free(expression);
	return yes;
}

static void unescape(struct str *out, const char *text)
{
	for (; *text; text++) {
		if (*text != '\\' || !text[1]) {
			str_put_char(out, *text);
			continue;
		}
		switch (*++text) {
		case 'r':
			str_put_char(out, '\r');
			break;
		case 'n':
			str_put_char(out, '\n');
			break;
		case 't':
			str_put_char(out, '\t');
			break;
		case '0':
			str_put_char(out, '\0');
			break;
		case 'x': {
			char hex[3] = {text[1], text[1] ? text[2] : '\0', '\0'};

			str_put_char(out, (char)strtol(hex, NULL, 16));
			text += strlen(hex);
			break;
		}
		default:
			str_put_char(out, *text);
		}
	}
}

static void load_line(struct player *p, char *text, int number)
{
	char *value = text + 2;

	if (strlen(text) < 2 || text[1] != ':' || !strchr("PNCRXSWEHLQMV", text[0]))
		return;
	if (*value == ' ')
		value++;
	if (text[0] == 'P') {
		str_printf(&p->settings, "%s\n", value);
		return;
	}
	if (text[0] == 'N') {
		if (sscanf(value, "%127s %63s", p->peer_name, p->peer_addr) != 2)
			fprintf(stderr, "%s:%d: N: name address\n", p->path, number);
		return;
	}
	p->lines = realloc(p->lines, (p->count + 1) * sizeof(*p->lines));
	p->lines[p->count++] = (struct line){text[0], value, number};
}

static bool load(struct player *p)
{
	struct err err;
	int number = 0;
	char *at;

	snprintf(p->peer_name, sizeof(p->peer_name), "client.example.com");
	snprintf(p->peer_addr, sizeof(p->peer_addr), "192.0.2.1");
	if (fd_read_file(p->path, TEXT_MAX, &p->text, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	for (at = p->text.data; at && *at;) {
		char *end = strchr(at, '\n');

		if (end)
			*end = '\0';
		load_line(p, at, ++number);
		at = end ? end + 1 : NULL;
	}
	return true;
}

/* The server's side, in a process of its own. */
static void serve(struct player *p, int fd)
{
	struct session s;

	signal(SIGPIPE, SIG_IGN);
	log_set_tag("postfix", "smtpd");
	log_open(LOG_TO_FD, p->log_fd, 0);
	session_init(&s, &p->scratch.server, fd);
	peer_set(&p->scratch.server, &s.arena, &s.peer, p->peer_name, p->peer_addr, "4321");
	session_run(&s);
	session_fini(&s);
	_exit(0);
}

static bool start(struct player *p)
{
	int pair[2];

	if (!scratch_open(&p->scratch, str_text(&p->settings)))
		return false;
	p->log_fd = open("mail.log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (p->log_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return false;
	p->child = fork();
	if (p->child == 0) {
		close(pair[0]);
		serve(p, pair[1]);
	}
	close(pair[1]);
	p->sock = pair[0];
	fd_set_nonblock(p->sock, true);
	return p->child > 0;
}

/* More of what the server says: 1, 0 at its end, -1 when there is nothing in time. */
static int hear(struct player *p)
{
	char buf[16384];
	struct pollfd pfd = {.fd = p->sock, .events = POLLIN};
	ssize_t n;

	if (poll(&pfd, 1, WAIT_MS) <= 0)
		return -1;
	n = recv(p->sock, buf, sizeof(buf), 0);
	if (n <= 0)
		return 0;
	str_put(&p->in, buf, (size_t)n);
	return 1;
}

/* Sending must not wait for a server that waits for us to take its replies. */
static bool say(struct player *p, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		struct pollfd pfd = {.fd = p->sock, .events = POLLIN | POLLOUT};
		ssize_t n;

		if (poll(&pfd, 1, WAIT_MS) <= 0)
			return false;
		if (pfd.revents & POLLIN && hear(p) == 0)
			return true; /* closed: E: tells */
		n = send(p->sock, at, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return errno == EPIPE || errno == ECONNRESET;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool expect_reply(struct player *p, const struct line *line)
{
	char *lf, *text;
	bool ok;
	int heard;

	while (!(lf = p->in.len ? memchr(p->in.data, '\n', p->in.len) : NULL))
		if ((heard = hear(p)) <= 0)
			return complain(p, line, "no reply", heard < 0 ? "(time-out)" : "(end)");
	text = strndup(p->in.data, (size_t)(lf - p->in.data));
	if (lf > p->in.data && lf[-1] == '\r') {
		text[lf - p->in.data - 1] = '\0';
		ok = matches(line->text, text) || complain(p, line, "another reply", text);
	} else {
		ok = complain(p, line, "reply without CR LF", text);
	}
	free(text);
	str_consume(&p->in, (size_t)(lf - p->in.data) + 1);
	return ok;
}

static bool expect_end(struct player *p, const struct line *line)
{
	int heard;

	while ((heard = hear(p)) > 0)
		;
	if (p->in.len > 0)
		return complain(p, line, "more replies", str_text(&p->in));
	return heard == 0 || complain(p, line, "no end", "(time-out)");
}

static bool send_line(struct player *p, const struct line *line)
{
	struct str out = {0};
	const char *text = line->text;
	long count = 1;
	bool ok = true;

	if (line->what == 'X') {
		char *end;

		count = strtol(text, &end, 10);
		text = *end == ' ' ? end + 1 : end;
	}
	if (line->what == 'C')
		str_printf(&out, "%s\r\n", text);
	else
		unescape(&out, text);
	for (; count > 0 && ok; count--)
		ok = say(p, out.data, out.len);
	str_fini(&out);
	return ok || complain(p, line, "cannot send", strerror(errno));
}

static bool play(struct player *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct line *line = &p->lines[i];
		bool ok = true;

		switch (line->what) {
		case 'C':
		case 'R':
		case 'X':
			ok = send_line(p, line);
			break;
		case 'S':
			ok = expect_reply(p, line);
			break;
		case 'E':
			ok = expect_end(p, line);
			break;
		case 'W':
			poll(NULL, 0, atoi(line->text));
			break;
		case 'H':
			shutdown(p->sock, SHUT_RDWR);
			break;
		default:
			break;
		}
		if (!ok)
			return false;
	}
	return true;
}

/* ---- what is left behind --------------------------------------------------------------------- */

struct found {
	int count;
	struct str content, facts;
};

static void note_facts(struct found *found, const struct message *m)
{
	const struct envelope *env = &m->env;
	struct rcpt_cursor cursor = {0};
	struct message copy = *m;
	struct arena arena = {0};
	struct recipient rcpt;
	struct err err;

	str_clear(&found->facts);
	str_printf(&found->facts, "sender %s\nclient %s[%s]:%s\nhelo %s\nprotocol %s\nret %s\n",
	    env->sender, env->client_name, env->client_addr, env->client_port, env->helo,
	    env->protocol, env->ret);
	str_printf(&found->facts, "envid %s\nmessage-id %s\n8bit %d\nfilter %s\ngeneration %u\n",
	    env->envid, env->message_id, !!(env->flags & ENV_8BIT), env->filter, env->generation);
	str_printf(&found->facts, "utf8 %d\nlogin %s %s\n", !!(env->flags & ENV_SMTPUTF8),
	    env->sasl_method, env->sasl_username);
	str_printf(&found->facts, "rcpts %u\n", env->rcpt_count);
	while (message_next_rcpt(&copy, &cursor, &arena, &rcpt, &err) == 1)
		str_printf(&found->facts, "rcpt %s orig=%s orcpt=%s notify=%u %s:%s\n",
		    rcpt.address, rcpt.orig, rcpt.orcpt, rcpt.notify, rcpt.transport, rcpt.nexthop);
	arena_fini(&arena);
}

static bool look(void *arg, const struct scan_item *item)
{
	struct found *found = arg;
	char buf[65536];
	uint64_t at = 0;

	found->count++;
	if (!item->m)
		return true;
	while (at < item->m->content_len) {
		ssize_t n = fd_pread_full(item->m->fd, buf,
		    MIN(sizeof(buf), item->m->content_len - at), (off_t)(item->m->content_at + at));
		if (n <= 0)
			break;
		str_put(&found->content, buf, (size_t)n);
		at += (uint64_t)n;
	}
	note_facts(found, item->m);
	return true;
}

static void look_around(struct player *p, struct found *found)
{
	struct queue *queue = p->scratch.server.queue;
	struct err err;

	if (queue_scan_journal(queue, MESSAGE_ENVELOPE | MESSAGE_CONTENT, look, found, &err) < 0 ||
	    queue_scan_dir(
	        queue, "incoming", MESSAGE_ENVELOPE | MESSAGE_CONTENT, look, found, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
}

/* Is there such a line in text, at or behind *at? Moves *at behind it. */
static bool find_line(struct str *text, size_t *at, const char *pattern, bool log)
{
	while (*at < text->len) {
		char *start = text->data + *at;
		char *lf = memchr(start, '\n', text->len - *at);
		size_t len = lf ? (size_t)(lf - start) : text->len - *at;
		char *line = strndup(start, len);
		const char *tag = log ? strstr(line, "]: ") : NULL;
		bool found;

		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		found = matches(pattern, tag ? tag + 3 : line);
		free(line);
		*at += len + 1;
		if (found)
			return true;
	}
	return false;
}

static bool check_rest(struct player *p)
{
	struct found found = {0};
	struct str log = {0};
	size_t log_at = 0, at;
	bool ok = true;

	look_around(p, &found);
	fd_read_file("mail.log", TEXT_MAX, &log, NULL);
	for (size_t i = 0; i < p->count && ok; i++) {
		const struct line *line = &p->lines[i];

		at = 0;
		if (line->what == 'L' && !find_line(&log, &log_at, line->text, true))
			ok = complain(p, line, "not in the log", str_text(&log));
		if (line->what == 'M' && !find_line(&found.content, &at, line->text, false))
			ok = complain(p, line, "not in a message", str_text(&found.content));
		if (line->what == 'V' && !find_line(&found.facts, &at, line->text, false))
			ok = complain(p, line, "not in the envelope", str_text(&found.facts));
		if (line->what == 'Q' && atoi(line->text) != found.count)
			ok = complain(p, line, "another number of messages", "see the log");
	}
	str_fini(&log);
	str_fini(&found.content);
	str_fini(&found.facts);
	return ok;
}

static bool finish(struct player *p)
{
	int status = 0;
	bool ok = true;

	if (p->sock >= 0)
		close(p->sock);
	if (p->child > 0) {
		for (int i = 0; i < WAIT_MS / 10 && waitpid(p->child, &status, WNOHANG) == 0; i++) {
			poll(NULL, 0, 10);
			if (i == WAIT_MS / 10 - 1)
				kill(p->child, SIGKILL);
		}
		if (status != 0) {
			fprintf(stderr, "%s: the session ended with status %d\n", p->path, status);
			ok = false;
		}
	}
	return ok;
}

bool dialogue_play(const char *path)
{
	struct player p = {.path = path, .sock = -1, .log_fd = -1};
	bool ok = load(&p) && start(&p) && play(&p);

	ok = finish(&p) && ok;
	if (ok)
		ok = check_rest(&p);
	if (p.scratch.dir[0])
		scratch_close(&p.scratch);
	fd_close(&p.log_fd);
	str_fini(&p.text);
	str_fini(&p.settings);
	str_fini(&p.in);
	free(p.lines);
	return ok;
}
