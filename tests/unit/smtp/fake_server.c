/* SPDX-License-Identifier: ISC */
#include "tests/unit/smtp/fake_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct fake {
	int listener, fd, log;
	FILE *in;
};

static void note(struct fake *f, const char *text)
{
	if (write(f->log, text, strlen(text)) < 0 || write(f->log, "\n", 1) < 0)
		_exit(9);
}

static void take_connection(struct fake *f)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (f->in)
		fclose(f->in);
	f->fd = accept(f->listener, (struct sockaddr *)&sin, &len);
	if (f->fd < 0)
		_exit(8);
	f->in = fdopen(f->fd, "r");
	setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (sin.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
		note(f, "*");
	else
		dprintf(f->log, "*%s\n", inet_ntoa(sin.sin_addr));
}

static int get_line(struct fake *f, char *line, size_t size)
{
	if (!fgets(line, (int)size, f->in))
		return 0;
	line[strcspn(line, "\r\n")] = '\0';
	note(f, line);
	return 1;
}

static void put(struct fake *f, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(f->fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void expect(struct fake *f, const char *prefix)
{
	char line[4096] = "";

	if (get_line(f, line, sizeof(line)) && strncasecmp(line, prefix, strlen(prefix)) == 0)
		return;
	snprintf(line, sizeof(line), "!%s", prefix);
	note(f, line);
}

static void read_data(struct fake *f)
{
	char line[4096];

	while (get_line(f, line, sizeof(line)) && strcmp(line, ".") != 0)
		continue;
}

static void drain(struct fake *f)
{
	char line[4096];

	while (get_line(f, line, sizeof(line)))
		continue;
}

static void flood(struct fake *f, const char *piece, int times)
{
	for (int i = 0; times == 0 || i < times; i++) {
		struct pollfd pfd = {.fd = f->fd, .events = POLLOUT};

		if (poll(&pfd, 1, 5000) <= 0 || (pfd.revents & (POLLERR | POLLHUP)) ||
		    send(f->fd, piece, strlen(piece), MSG_NOSIGNAL) < 0)
			return;
	}
}

static void reset(struct fake *f)
{
	struct linger now = {1, 0};

	setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	fclose(f->in);
	f->in = NULL;
}

static void play(struct fake *f, const char *step)
{
	static char many[16385];
	static size_t held;

	if (*step == '+') {
		held += (size_t)snprintf(many + held, sizeof(many) - held, "%s\r\n", step + 1);
	} else if (*step == '>') {
		snprintf(many + held, sizeof(many) - held, "%s\r\n", step + 1);
		put(f, many, strlen(many));
		held = 0;
	} else if (*step == '<') {
		expect(f, step + 1);
	} else if (strcmp(step, "data") == 0) {
		read_data(f);
	} else if (strcmp(step, "accept") == 0) {
		take_connection(f);
	} else if (strcmp(step, "close") == 0) {
		fclose(f->in);
		f->in = NULL;
	} else if (strcmp(step, "reset") == 0) {
		reset(f);
	} else if (strcmp(step, "stall") == 0 || strcmp(step, "wait") == 0) {
		drain(f);
	} else if (strcmp(step, "endless") == 0) {
		flood(f, "250-and so on\r\n", 0);
	} else if (strcmp(step, "longline") == 0) {
		memset(many, 'x', sizeof(many) - 1);
		flood(f, many, 640);
	} else if (strcmp(step, "pause") == 0) {
		nanosleep(&(struct timespec){0, 15 * 1000 * 1000}, NULL);
	} else if (strcmp(step, "nap") == 0) {
		nanosleep(&(struct timespec){0, 700 * 1000 * 1000}, NULL);
	} else if (strcmp(step, "deaf") == 0) {
		nanosleep(&(struct timespec){2, 500 * 1000 * 1000}, NULL);
	} else if (strcmp(step, "trickle") == 0) {
		for (int i = 0; i < 125 && read(f->fd, many, 4096) > 0; i++)
			nanosleep(&(struct timespec){0, 20 * 1000 * 1000}, NULL);
	} else if (strcmp(step, "refuse") == 0) {
		close(f->listener);
	} else {
		_exit(7);
	}
}

static void serve(struct fake *f, const char *script)
{
	char *copy = strdup(script), *save = NULL;

	take_connection(f);
	for (char *s = strtok_r(copy, "\n", &save); s; s = strtok_r(NULL, "\n", &save))
		play(f, s);
	if (f->in)
		drain(f);
	_exit(0);
}

struct fake_server fake_server_start(const char *script)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct fake f = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
	socklen_t len = sizeof(sin);
	struct fake_server server;

	ck_assert_int_eq(bind(f.listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(f.listener, 16), 0);
	ck_assert_int_eq(getsockname(f.listener, (struct sockaddr *)&sin, &len), 0);
	server.port = ntohs(sin.sin_port);
	server.log_fd = f.log = memfd_create("transcript", 0);
	ck_assert_int_ge(f.log, 0);
	server.pid = fork();
	ck_assert_int_ge(server.pid, 0);
	if (server.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(&f, script);
	}
	close(f.listener);
	return server;
}

char *fake_server_stop(struct fake_server *server)
{
	struct timespec pause = {0, 5 * 1000 * 1000};
	off_t len;
	char *text;
	int i;

	for (i = 0; i < 600 && waitpid(server->pid, NULL, WNOHANG) == 0; i++)
		nanosleep(&pause, NULL);
	if (i == 600) {
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
	}
	len = lseek(server->log_fd, 0, SEEK_END);
	text = calloc(1, (size_t)len + 1);
	ck_assert_int_eq(pread(server->log_fd, text, (size_t)len, 0), len);
	close(server->log_fd);
	return text;
}
