/* SPDX-License-Identifier: ISC */
/* smtp-sink(1): takes mail by SMTP or LMTP and throws it away, or refuses it as it is told. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "commands/smtp-sink/options.h"
#include "lib/base/alloc.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { ACCEPTS_PER_TURN = 16, SHOW_MS = 100 };

static struct sink the_sink;

static void show(struct sink *sink)
{
	printf("sess=%ld quit=%ld mesg=%ld\r", sink->total_sessions, sink->quits, sink->messages);
	fflush(stdout);
	sink->changed = false;
}

static NORETURN void finish(void *arg)
{
	struct sink *sink = arg;

	if (sink->count) {
		show(sink);
		printf("\n");
		fflush(stdout);
	}
	exit(0);
}

static void show_time(struct timer *timer)
{
	show(CONTAINER_OF(timer, struct sink, show_timer));
}

void sink_counters_changed(struct sink *sink)
{
	/* shown at most ten times a second: the display must not cost more than the mail */
	if (sink->count && !sink->changed) {
		sink->changed = true;
		timer_start(sink->loop, &sink->show_timer, SHOW_MS);
	}
	if (sink->stop_sessions > 0 && sink->open_sessions == 0 &&
	    sink->total_sessions >= sink->stop_sessions)
		loop_stop(sink->loop);
}

/* An address to listen on: without a host, any interface (of IPv6 and IPv4 alike). */
static int listen_inet(const char *text, const struct arguments *args)
{
	struct addrinfo hints = {
	    .ai_family = args->family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found, *ai;
	char *copy = alloc_strdup(text), *host = copy, *port = strrchr(copy, ':');
	int rc, fd = -1, on = 1, off = 0;

	if (!port)
		fatal_exit(EX_BAD_USAGE, "%s: expected [host]:port", text);
	*port++ = '\0';
	if (host[0] == '[' && strlen(host) > 1 && port[-2] == ']') {
		port[-2] = '\0';
		host++;
	}
	rc = getaddrinfo(*host ? host : NULL, port, &hints, &found);
	if (rc != 0)
		fatal("%s: %s", text, gai_strerror(rc));
	/* an IPv6 wildcard takes both families, so prefer it */
	for (ai = found; !*host && ai && ai->ai_family != AF_INET6; ai = ai->ai_next)
		;
	for (ai = ai ? ai : found; ai && fd < 0; ai = ai->ai_next) {
		fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (ai->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
			    args->family == AF_INET6 ? &on : &off, sizeof(on));
		if (the_sink.window > 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &the_sink.window, sizeof(int));
		if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, args->backlog) < 0)
			fd_close(&fd);
	}
	if (fd < 0)
		fatal("listen on %s: %s", text, strerror(errno));
	freeaddrinfo(found);
	free(copy);
	return fd;
}

static int open_listener(const char *text, const struct arguments *args)
{
	struct err err;
	int fd;

	if (strncmp(text, "unix:", 5) != 0)
		return listen_inet(strncmp(text, "inet:", 5) == 0 ? text + 5 : text, args);
	fd = net_listen_unix(text + 5, SOCK_STREAM, 0666, args->backlog, &err);
	if (fd < 0)
		fatal("%s", err.text);
	fd_set_nonblock(fd, true);
	return fd;
}

/* Who waits for the file sees it only when it is complete and the socket listens. */
static void write_port(const char *file, int fd)
{
	char *part = alloc_printf("%s.tmp", file), text[16];
	struct net_addr addr;
	int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	net_addr_from_fd(&addr, fd, false);
	snprintf(text, sizeof(text), "%u\n", net_addr_port(&addr));
	if (out < 0 || fd_write_all(out, text, strlen(text)) < 0 || close(out) < 0 ||
	    rename(part, file) < 0)
		fatal("write %s: %s", file, strerror(errno));
	free(part);
}

static void drop_privileges(const struct arguments *args)
{
	struct passwd *pw = args->user ? getpwnam(args->user) : NULL;

	if (args->user && !pw)
		fatal("-u %s: no such user", args->user);
	if (args->root && (chroot(args->root) < 0 || chdir("/") < 0))
		fatal("chroot %s: %s", args->root, strerror(errno));
	if (pw && (setgid(pw->pw_gid) < 0 || initgroups(args->user, pw->pw_gid) < 0 ||
	              setuid(pw->pw_uid) < 0))
		fatal("become user %s: %s", args->user, strerror(errno));
}

static void accept_ready(struct watch *watch, int events)
{
	struct sink *sink = CONTAINER_OF(watch, struct sink, accept_watch);

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN && sink->open_sessions < sink->max_sessions; i++) {
		int fd;

		if (sink->stop_sessions > 0 && sink->total_sessions >= sink->stop_sessions)
			return watch_cancel(sink->loop, watch);
		fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		session_accept(sink, fd);
	}
}

static void run(struct sink *sink, int listener)
{
	sink->loop = loop_new();
	sink->accept_watch.ready = accept_ready;
	sink->show_timer.expired = show_time;
	list_init(&sink->sessions);
	list_init(&sink->spares);
	watch_start(sink->loop, &sink->accept_watch, listener, LOOP_READ);
	loop_on_signal(sink->loop, SIGTERM, finish, sink);
	loop_on_signal(sink->loop, SIGINT, finish, sink);
	loop_run(sink->loop);
	finish(sink);
}

int main(int argc, char **argv)
{
	struct sink *sink = &the_sink;
	struct arguments args;
	int listener;

	log_set_tag(NULL, "smtp-sink");
	openlog("smtp-sink", LOG_PID, LOG_MAIL);
	signal(SIGPIPE, SIG_IGN);
	options_parse(sink, &args, argc, argv);
	srandom((unsigned)clock_wall_us() ^ (unsigned)getpid());
	fd_raise_limit((size_t)sink->max_sessions + 64);
	listener = open_listener(args.address, &args);
	if (args.port_file)
		write_port(args.port_file, listener);
	drop_privileges(&args);
	run(sink, listener);
}
