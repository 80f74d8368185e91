/* SPDX-License-Identifier: ISC */
/* postlog: writes lines into the mail system's log; see postlog(1). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"

static const struct priority {
	const char *name;
	void (*say)(const char *fmt, ...);
} priorities[] = {
    {"info", log_info},
    {"warn", log_warn},
    {"warning", log_warn},
    {"error", log_error},
    {"fatal", log_error}, /* of the caller, who ends by himself */
    {"panic", log_error},
};

static NORETURN void usage(void)
{
	fprintf(stderr, "usage: postlog [-iv] [-c config_dir] [-p priority] [-t tag] [text ...]\n");
	exit(1);
}

static const struct priority *find_priority(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(priorities); i++) {
		if (strcmp(priorities[i].name, name) == 0)
			return &priorities[i];
	}
	fatal("priority \"%s\": expected info, warn, error, fatal or panic", name);
}

/* The log of the mail system where we may write it, else syslog. */
static void open_log(const char *etc, const char *tag)
{
	static struct core_params core;
	struct conf_report report = {0};
	struct conf *conf;
	struct err err;
	int fd = -1;

	if (conf_load(etc, &conf, &err) < 0)
		fatal("%s", err.text);
	conf_fill(conf, &core_params, &core, &report);
	conf_report_fini(&report);
	log_set_tag(tag ? NULL : core.syslog_name, tag ? tag : "postlog");
	log_set_host(core.myhostname);
	if (strcmp(core.maillog_file, "/dev/stdout") == 0)
		fd = STDOUT_FILENO;
	else if (core.maillog_file[0])
		fd = open(core.maillog_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		log_open(LOG_TO_FD, fd, 0);
	else
		log_open(LOG_TO_SYSLOG, -1, LOG_MAIL);
}

static void say(const struct priority *priority, const char *text)
{
	priority->say("%s", text);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "postlog: %s\n", text);
}

static void say_arguments(const struct priority *priority, char **words)
{
	struct str text = {0};

	for (; *words; words++)
		str_printf(&text, "%s%s", text.len > 0 ? " " : "", *words);
	say(priority, str_text(&text));
	str_fini(&text);
}

static void say_input(const struct priority *priority)
{
	char line[2048];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\r\n")] = '\0';
		say(priority, line);
	}
}

int main(int argc, char **argv)
{
	const char *etc = getenv("MAIL_CONFIG"), *tag = NULL;
	const struct priority *priority = &priorities[0];
	int ch;

	log_set_tag(NULL, "postlog");
	while ((ch = getopt(argc, argv, "c:ip:t:v")) > 0) {
		switch (ch) {
		case 'c':
			etc = optarg;
			break;
		case 'i': /* the process id is always there */
		case 'v':
			break;
		case 'p':
			priority = find_priority(optarg);
			break;
		case 't':
			tag = optarg;
			break;
		default:
			usage();
		}
	}
	open_log(etc && *etc ? etc : "/etc/postfix", tag);
	if (optind < argc)
		say_arguments(priority, argv + optind);
	else
		say_input(priority);
	return 0;
}
