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

#include "commands/smtp-sink/sink.h"
#include "lib/base/alloc.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { EX_BAD_USAGE = 64, ACCEPTS_PER_TURN = 16, SHOW_MS = 100 };

struct arguments {
	int family, backlog;
	const char *port_file, *root, *user;
};

static struct sink the_sink;

static NORETURN void usage(void)
{
	fprintf(stderr,
	    "usage: smtp-sink [-468acCeEFLNpPv] [-A abort_delay] [-b soft_reply] [-B hard_reply]\n"
	    "\t[-d dump_template] [-D dump_template] [-f commands] [-h hostname] [-H delay]\n"
	    "\t[-k chain_file] [-K chain_file]\n"
	    "\t[-m max_sessions] [-M messages] [-n sessions] [-O port_file] [-q commands]\n"
	    "\t[-Q commands] [-r commands] [-R root] [-s commands] [-S start_text] [-t timeout]\n"
	    "\t[-T window] [-u user] [-w delay] [-W command:delay[:odds]] [-x text=reply]\n"
	    "\t[inet:][host]:port | unix:pathname [backlog]\n");
	exit(EX_BAD_USAGE);
}

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

static int int_arg(int option, const char *text, int min)
{
	int value;

	if (!num_int(text, min, INT32_MAX / 1000, &value))
		fatal_exit(
		    EX_BAD_USAGE, "-%c %s: expected a number of at least %d", option, text, min);
	return value;
}

static int seconds_arg(int option, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0 && value < 1e6))
		fatal_exit(EX_BAD_USAGE, "-%c %s: expected seconds", option, text);
	return (int)(value * 1000);
}

static void set_flags(struct sink *sink, int option, const char *list, int flag)
{
	char *copy = alloc_strdup(list), *rest = copy, *name;

	while ((name = strsep(&rest, ", \t\r\n")) != NULL) {
		int which = command_find(name);

		if (!*name)
			continue;
		if (which < 0)
			fatal_exit(EX_BAD_USAGE, "-%c: unknown command %s", option, name);
		sink->actions[which].flags |= flag;
	}
	free(copy);
}

static void set_delay(struct sink *sink, const char *text)
{
	char *copy = alloc_strdup(text), *delay = strchr(copy, ':'), *odds;
	int which;

	if (!delay)
		fatal_exit(EX_BAD_USAGE, "-W %s: expected command:delay[:odds]", text);
	*delay++ = '\0';
	odds = strchr(delay, ':');
	if (odds)
		*odds++ = '\0';
	which = command_find(copy);
	if (which < 0)
		fatal_exit(EX_BAD_USAGE, "-W: unknown command %s", copy);
	sink->actions[which].delay_ms = seconds_arg('W', delay);
	if (odds && !num_int(odds, 1, 99, &sink->actions[which].odds))
		fatal_exit(EX_BAD_USAGE, "-W %s: expected odds from 1 to 99", text);
	free(copy);
}

static void set_rcpt_rule(struct sink *sink, char *text)
{
	char *reply = strchr(text, '=');

	if (!reply || reply == text || sink->rcpt_rule_count == SINK_RCPT_RULES_MAX)
		fatal_exit(EX_BAD_USAGE, "-x %s: expected text=reply, at most %d times", text,
		    SINK_RCPT_RULES_MAX);
	*reply++ = '\0';
	sink->rcpt_rules[sink->rcpt_rule_count++] = (struct sink_rcpt_rule){text, reply};
}

/* C escapes of -S. */
static void unescape(struct str *out, const char *text)
{
	static const char from[] = "abfnrtv\\", to[] = "\a\b\f\n\r\t\v\\";

	for (; *text; text++) {
		const char *known;

		if (*text != '\\' || !text[1]) {
			str_put_char(out, *text);
			continue;
		}
		text++;
		if (*text >= '0' && *text <= '7') {
			int value = 0, digits = 0;

			for (; digits < 3 && *text >= '0' && *text <= '7'; digits++)
				value = value * 8 + (*text++ - '0');
			text--;
			str_put_char(out, (char)value);
		} else {
			known = strchr(from, *text);
			str_put_char(out, known ? to[known - from] : *text);
		}
	}
}

static bool flag_option(int option, struct sink *sink, struct arguments *args)
{
	const struct {
		int option;
		bool *flag;
	} flags[] = {
	    {'8', &sink->no_8bitmime},
	    {'a', &sink->no_auth},
	    {'c', &sink->count},
	    {'C', &sink->no_xclient},
	    {'e', &sink->no_esmtp},
	    {'E', &sink->no_codes},
	    {'F', &sink->no_xforward},
	    {'L', &sink->lmtp},
	    {'N', &sink->no_dsn},
	    {'p', &sink->no_pipelining},
	    {'P', &sink->pix},
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (flags[i].option == option)
			return *flags[i].flag = true;
	}
	if (option == '4' || option == '6')
		args->family = option == '4' ? AF_INET : AF_INET6;
	else if (option == 'v')
		log_set_verbose(log_verbose() + 1);
	else
		return false;
	return true;
}

static bool list_option(int option, struct sink *sink)
{
	static const struct {
		int option, flag;
	} lists[] = {
	    {'f', SINK_HARD},
	    {'r', SINK_SOFT},
	    {'q', SINK_DISCONNECT},
	    {'Q', SINK_CLOSE_421},
	    {'s', SINK_LOG},
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (lists[i].option == option) {
			set_flags(sink, option, optarg, lists[i].flag);
			return true;
		}
	}
	return false;
}

static void value_option(int option, struct sink *sink, struct arguments *args)
{
	switch (option) {
	case 'A':
		sink->abort_delay_ms = seconds_arg(option, optarg);
		break;
	case 'b':
		sink->soft_reply = optarg;
		break;
	case 'B':
		sink->hard_reply = optarg;
		break;
	case 'd':
		sink->one_template = optarg;
		break;
	case 'D':
		sink->many_template = optarg;
		break;
	case 'h':
		sink->hostname = optarg;
		break;
	case 'H':
		sink->read_delay_ms = seconds_arg(option, optarg);
		break;
	case 'k':
	case 'K':
		sink->tls = secure_context(optarg);
		sink->tls_wrapped = option == 'k';
		break;
	case 'm':
		sink->max_sessions = int_arg(option, optarg, 1);
		break;
	case 'M':
		sink->stop_messages = int_arg(option, optarg, 1);
		break;
	case 'n':
		sink->stop_sessions = int_arg(option, optarg, 1);
		break;
	case 'O':
		args->port_file = optarg;
		break;
	case 'R':
		args->root = optarg;
		break;
	case 'S':
		unescape(&sink->start_text, optarg);
		break;
	case 't':
		sink->timeout_ms = seconds_arg(option, optarg);
		break;
	case 'T':
		sink->window = int_arg(option, optarg, 1);
		break;
	case 'u':
		args->user = optarg;
		break;
	case 'w':
		sink->actions[SINK_DATA].delay_ms = seconds_arg(option, optarg);
		break;
	case 'W':
		set_delay(sink, optarg);
		break;
	case 'x':
		set_rcpt_rule(sink, optarg);
		break;
	default:
		usage();
	}
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
	struct arguments args = {.family = AF_UNSPEC, .backlog = 100};
	int option, listener;

	log_set_tag(NULL, "smtp-sink");
	openlog("smtp-sink", LOG_PID, LOG_MAIL);
	signal(SIGPIPE, SIG_IGN);
	*sink = (struct sink){.hostname = "smtp-sink",
	    .soft_reply = "450 4.3.0 Error: command failed",
	    .hard_reply = "500 5.3.0 Error: command failed",
	    .abort_delay_ms = -1,
	    .timeout_ms = 100 * 1000,
	    .max_sessions = 256};
	while ((option = getopt(argc, argv,
	            "468aA:b:B:cCd:D:eEf:Fh:H:k:K:Lm:M:n:NO:pPq:Q:r:R:s:S:t:T:u:vw:W:x:")) > 0) {
		if (!flag_option(option, sink, &args) && !list_option(option, sink))
			value_option(option, sink, &args);
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage();
	if (argc - optind == 2 && !num_int(argv[optind + 1], 1, 65535, &args.backlog))
		fatal_exit(EX_BAD_USAGE, "backlog %s: expected a number", argv[optind + 1]);
	if (sink->pix)
		sink->no_esmtp = true;
	srandom((unsigned)clock_wall_us() ^ (unsigned)getpid());
	fd_raise_limit((size_t)sink->max_sessions + 64);
	listener = open_listener(argv[optind], &args);
	if (args.port_file)
		write_port(args.port_file, listener);
	drop_privileges(&args);
	run(sink, listener);
}
