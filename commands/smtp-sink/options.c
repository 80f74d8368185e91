/* SPDX-License-Identifier: ISC */
#include "commands/smtp-sink/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/num.h"

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

/* Options with a number, and with a time. */
static bool number_option(int option, struct sink *sink)
{
	switch (option) {
	case 'A':
		sink->abort_delay_ms = seconds_arg(option, optarg);
		return true;
	case 'H':
		sink->read_delay_ms = seconds_arg(option, optarg);
		return true;
	case 'm':
		sink->max_sessions = int_arg(option, optarg, 1);
		return true;
	case 'M':
		sink->stop_messages = int_arg(option, optarg, 1);
		return true;
	case 'n':
		sink->stop_sessions = int_arg(option, optarg, 1);
		return true;
	case 't':
		sink->timeout_ms = seconds_arg(option, optarg);
		return true;
	case 'T':
		sink->window = int_arg(option, optarg, 1);
		return true;
	case 'w':
		sink->actions[SINK_DATA].delay_ms = seconds_arg(option, optarg);
		return true;
	default:
		return false;
	}
}

static void text_option(int option, struct sink *sink, struct arguments *args)
{
	switch (option) {
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
	case 'k':
	case 'K':
		sink->tls = secure_context(optarg);
		sink->tls_wrapped = option == 'k';
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
	case 'u':
		args->user = optarg;
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

void options_parse(struct sink *sink, struct arguments *args, int argc, char **argv)
{
	int option;

	*args = (struct arguments){.family = AF_UNSPEC, .backlog = 100};
	*sink = (struct sink){.hostname = "smtp-sink",
	    .soft_reply = "450 4.3.0 Error: command failed",
	    .hard_reply = "500 5.3.0 Error: command failed",
	    .abort_delay_ms = -1,
	    .timeout_ms = 100 * 1000,
	    .max_sessions = 256};
	while ((option = getopt(argc, argv,
	            "468aA:b:B:cCd:D:eEf:Fh:H:k:K:Lm:M:n:NO:pPq:Q:r:R:s:S:t:T:u:vw:W:x:")) > 0) {
		if (!flag_option(option, sink, args) && !list_option(option, sink) &&
		    !number_option(option, sink))
			text_option(option, sink, args);
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage();
	if (argc - optind == 2 && !num_int(argv[optind + 1], 1, 65535, &args->backlog))
		fatal_exit(EX_BAD_USAGE, "backlog %s: expected a number", argv[optind + 1]);
	if (sink->pix)
		sink->no_esmtp = true;
	args->address = argv[optind];
}
