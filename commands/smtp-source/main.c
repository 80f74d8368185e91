/* SPDX-License-Identifier: ISC */
/* smtp-source(1): sends many messages by SMTP or LMTP, to measure and to test a server. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/smtp-source/source.h"
#include "lib/base/alloc.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/sys/clock.h"

enum { CHECK_MS = 5000, EX_BAD_USAGE = 64 };

struct arguments {
	int family;
	const char *file, *accepted_file;
};

static struct source the_source;
static struct timer check_timer;
static struct session **sessions;

static NORETURN void usage(void)
{
	fprintf(stderr,
	    "usage: smtp-source -acdEkKoALNPv46 -s sess -l msglen -m msgs -C tries -T windowsize\n"
	    "\t-f from -t to -r rcptcount -R delay -w delay -F file -J file -H header\n"
	    "\t-S subject -M myhostname [inet:]host[:port] | unix:pathname\n");
	exit(EX_BAD_USAGE);
}

static int int_arg(int option, const char *text, int min)
{
	int value;

	if (!num_int(text, min, INT32_MAX, &value))
		fatal_exit(
		    EX_BAD_USAGE, "-%c %s: expected a number of at least %d", option, text, min);
	return value;
}

static int64_t seconds_arg(int option, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0 && value < 1e6))
		fatal_exit(EX_BAD_USAGE, "-%c %s: expected seconds", option, text);
	return (int64_t)(value * 1000);
}

static bool flag_option(int option, struct source *source, struct arguments *args)
{
	switch (option) {
	case '4':
		args->family = AF_INET;
		return true;
	case '6':
		args->family = AF_INET6;
		return true;
	case 'a':
		return source->time_answers = true;
	case 'A':
		return source->no_abort = true;
	case 'c':
		return source->count = true;
	case 'd':
		return source->keep_session = true;
	case 'E':
		return source->tls_resume = true;
	case 'k':
	case 'K':
		if (!source->tls)
			source->tls = secure_context();
		source->tls_wrapped = option == 'k';
		return true;
	case 'L':
		return source->lmtp = true;
	case 'N':
		return source->number_recipients = true;
	case 'o':
		return source->old = true;
	case 'P':
		return source->pipeline = true;
	case 'v':
		log_set_verbose(log_verbose() + 1);
		return true;
	default:
		return false;
	}
}

static void value_option(int option, struct source *source, struct arguments *args)
{
	switch (option) {
	case 'C':
		source->connect_tries = int_arg(option, optarg, 1);
		break;
	case 'f':
		source->from = optarg;
		break;
	case 'F':
		args->file = optarg;
		break;
	case 'H':
		str_printf(&source->extra_headers, "%s\r\n", optarg);
		break;
	case 'J':
		args->accepted_file = optarg;
		break;
	case 'l':
		source->length = int_arg(option, optarg, 0);
		break;
	case 'm':
		source->messages = int_arg(option, optarg, 1);
		break;
	case 'M':
		source->myhostname = optarg;
		break;
	case 'r':
		source->recipients = int_arg(option, optarg, 1);
		break;
	case 'R':
		source->random_ms = seconds_arg(option, optarg);
		break;
	case 's':
		source->sessions = int_arg(option, optarg, 1);
		break;
	case 'S':
		source->subject = optarg;
		break;
	case 't':
		source->to = optarg;
		break;
	case 'T':
		source->window = int_arg(option, optarg, 1);
		break;
	case 'w':
		source->wait_ms = seconds_arg(option, optarg);
		break;
	default:
		usage();
	}
}

static void resolve(struct source *source, const char *text, int family)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *found;
	char *host = alloc_strdup(text), *port = NULL, *name = host;
	int rc;

	if (host[0] == '[') {
		char *end = strchr(host, ']');

		if (!end || (end[1] && end[1] != ':'))
			fatal_exit(EX_BAD_USAGE, "%s: expected [address]:port", text);
		name = host + 1;
		*end = '\0';
		port = end[1] ? end + 2 : NULL;
	} else if ((port = strrchr(host, ':')) != NULL) {
		*port++ = '\0';
	}
	rc = getaddrinfo(*name ? name : "localhost", port ? port : "25", &hints, &found);
	if (rc != 0)
		fatal("%s: %s", text, gai_strerror(rc));
	memcpy(&source->target.sa, found->ai_addr, found->ai_addrlen);
	source->target.len = found->ai_addrlen;
	freeaddrinfo(found);
	free(host);
}

static void set_target(struct source *source, const char *text, int family)
{
	if (strncmp(text, "unix:", 5) == 0)
		source->unix_path = text + 5;
	else
		resolve(source, strncmp(text, "inet:", 5) == 0 ? text + 5 : text, family);
}

static void defaults(struct source *source)
{
	static char host[256];
	const char *user = "foo";

	if (!source->myhostname) {
		if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
			snprintf(host, sizeof(host), "localhost");
		source->myhostname = host;
	}
	if (!source->from)
		source->from = alloc_printf("%s@%s", user, source->myhostname);
	if (!source->to)
		source->to = alloc_printf("%s@%s", user, source->myhostname);
	if (source->sessions > source->messages)
		source->sessions = (int)source->messages;
	source->run_id = (uint64_t)clock_wall_us() << 8 ^ (uint64_t)getpid();
	srandom((unsigned)source->run_id);
}

static void check_time(struct timer *timer)
{
	for (int i = 0; i < the_source.sessions; i++)
		session_check_time(sessions[i]);
	timer_start(the_source.loop, timer, CHECK_MS);
}

static void run(struct source *source)
{
	source->loop = loop_new();
	sessions = alloc_zero((size_t)source->sessions, sizeof(struct session *));
	for (int i = 0; i < source->sessions; i++)
		sessions[i] = session_start(source);
	check_timer.expired = check_time;
	timer_start(source->loop, &check_timer, CHECK_MS);
	loop_run(source->loop);
	for (int i = 0; i < source->sessions; i++)
		session_free(&sessions[i]);
	free(sessions);
	timer_cancel(source->loop, &check_timer);
	loop_free(&source->loop);
}

int main(int argc, char **argv)
{
	struct source *source = &the_source;
	struct arguments args = {.family = AF_UNSPEC};
	int option;

	log_set_tag(NULL, "smtp-source");
	signal(SIGPIPE, SIG_IGN);
	*source = (struct source){.sessions = 1,
	    .messages = 1,
	    .recipients = 1,
	    .connect_tries = 1,
	    .length = -1,
	    .accepted_fd = -1};
	while ((option = getopt(argc, argv, "46aAcC:dEf:F:H:J:kKl:Lm:M:NoPr:R:s:S:t:T:vw:")) > 0) {
		if (!flag_option(option, source, &args))
			value_option(option, source, &args);
	}
	if (argc - optind != 1)
		usage();
	defaults(source);
	set_target(source, argv[optind], args.family);
	if (args.accepted_file) {
		source->accepted_fd =
		    open(args.accepted_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (source->accepted_fd < 0)
			fatal("open %s: %s", args.accepted_file, strerror(errno));
	}
	message_prepare(source, args.file);
	run(source);
	answers_show(&source->answers);
	free(source->answers.us);
	if (source->failed > 0)
		log_warn("%ld of %ld messages were not accepted", source->failed, source->messages);
	return 0;
}
