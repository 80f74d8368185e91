/* SPDX-License-Identifier: ISC */
/* postern, also called by the name postfix: controls a mail system; see postern(1). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/postern/postern.h"
#include "lib/base/log.h"

static const struct command {
	const char *name;
	int (*run)(struct instance *in);
	const char *help;
} commands[] = {
    {"start", command_start, "start the mail system"},
    {"start-fg", command_start_fg, "start it in the foreground (containers)"},
    {"stop", command_stop, "stop it in good order"},
    {"abort", command_abort, "stop it at once"},
    {"reload", command_reload, "check and apply main.cf and master.cf"},
    {"flush", command_flush, "try to deliver all queued mail now"},
    {"status", command_status, "is it running?"},
    {"check", command_check, "check configuration, directories and permissions"},
    {"set-permissions", command_set_permissions, "make directories and permissions right"},
    {"logrotate", command_logrotate, "begin a new log file"},
};

static NORETURN void usage(const char *program)
{
	fprintf(stderr,
	    "usage: %1$s [-v] [-c config_dir] command\n"
	    "       %1$s [-c config_dir] limits [-j] [key ...]\n"
	    "       %1$s [-c config_dir] limits reset key ...\n"
	    "       %1$s [-c config_dir] user [-m method] NAME\n"
	    "       %1$s [-c config_dir] user [-f table] [-m method] VERB [NAME]\n"
	    "       %1$s init DIR [--smtp-port N] [--set name=value] ...\n\n",
	    program);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(stderr, "  %-16s %s\n", commands[i].name, commands[i].help);
	fprintf(stderr, "  %-16s %s\n", "limits", "what is counted of clients, logins and senders");
	fprintf(stderr, "  %-16s %s\n", "user",
	    "users of smtpd_users(5): add, change, delete, disable, enable, list, verify");
	fprintf(stderr, "  %-16s %s\n", "init", "make a complete private instance in DIR");
	exit(1);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct instance instance;
	const struct command *command;
	const char *etc = getenv("MAIL_CONFIG");
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL,
	           *name = slash ? slash + 1 : argv[0];
	int ch, null;
	bool limits;

	do {
		null = open("/dev/null", O_RDWR);
	} while (null >= 0 && null <= STDERR_FILENO);
	if (null >= 0)
		close(null);
	signal(SIGPIPE, SIG_IGN);
	/* scripts of the host know it by the name of what it takes the place of */
	instance.program = name && strcmp(name, "postfix") == 0 ? "postfix" : "postern";
	log_set_tag(NULL, instance.program);
	while ((ch = getopt(argc, argv, "+c:Dv")) > 0) {
		switch (ch) {
		case 'c':
			etc = optarg;
			break;
		case 'D':
			break; /* a debugger for the daemons: no effect here */
		case 'v':
			log_set_verbose(log_verbose() + 1);
			break;
		default:
			usage(instance.program);
		}
	}
	if (optind >= argc)
		usage(instance.program);
	if (strcmp(argv[optind], "init") == 0)
		return command_init(etc, argc - optind - 1, argv + optind + 1);
	if (strcmp(argv[optind], "user") == 0)
		return command_user(etc, argc - optind, argv + optind);
	command = find(argv[optind]);
	limits = strcmp(argv[optind], "limits") == 0;
	if (!limits && (!command || optind + 1 != argc))
		usage(instance.program);
	instance_open(&instance, etc && *etc ? etc : "/etc/postfix");
	if (limits)
		return command_limits(&instance, argc - optind - 1, argv + optind + 1);
	return command->run(&instance);
}
