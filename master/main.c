/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"
#include "master/config.h"
#include "master/run.h"
#include "master/startup.h"

struct options {
	const char *etc;
	bool background, foreground, debug, test, check;
	int verbose;
};

static void usage(void)
{
	fprintf(stderr, "usage: master [-Cdistvw] [-c config_dir]\n");
	exit(1);
}

static void parse(struct options *o, int argc, char **argv)
{
	static char real[PATH_MAX];
	int ch;

	o->etc = getenv("MAIL_CONFIG");
	while ((ch = getopt(argc, argv, "Cc:distvw")) > 0) {
		switch (ch) {
		case 'C':
			o->check = true;
			break;
		case 'c':
			o->etc = optarg;
			break;
		case 'd':
			o->debug = true;
			break;
		case 'i':
		case 's':
			o->foreground = true;
			break;
		case 't':
			o->test = true;
			break;
		case 'v':
			o->verbose++;
			break;
		case 'w':
			o->background = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
	if (!o->etc || !*o->etc)
		o->etc = "/etc/postfix";
	/* we change to the queue directory */
	if (!realpath(o->etc, real))
		fatal("configuration directory %s: %s", o->etc, strerror(errno));
	o->etc = real;
}

static struct config *load_or_exit(const char *etc, bool to_stdout)
{
	struct problems p;
	struct config *config;

	problems_init(&p);
	config = config_load(etc, (uint32_t)time(NULL), &p);
	if (config)
		config_check_programs(config, &p);
	if (config && p.count == 0) /* the log has them, too, once it is open */
		config_log_plan_warnings(config);
	if (p.count > 0) {
		if (to_stdout)
			fputs(str_text(&p.text), stdout);
		else
			problems_each(&p, log_error);
		exit(1);
	}
	problems_fini(&p);
	return config;
}

static void open_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	close_range(STDERR_FILENO + 1, ~0U, 0);
}

static int master_main(const struct options *o)
{
	struct config *config;
	int ready_fd = o->background ? startup_detach() : -1;
	int pid_fd;
	bool keep_output = o->foreground || o->debug;

	if (!o->background && !isatty(STDIN_FILENO))
		setpgid(0, 0);
	config = load_or_exit(o->etc, false);
	startup_clean_environment(&config->core, o->etc);
	umask(077);
	if (chdir(config->core.queue_directory) < 0)
		fatal("change to queue_directory %s: %s", config->core.queue_directory,
		    strerror(errno));
	pid_fd = startup_lock(&config->core, &config->params);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return master_run(o->etc, config, pid_fd, ready_fd, keep_output);
}

int main(int argc, char **argv)
{
	static struct options options;
	struct config *config;

	open_standard_fds();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log that may not grow ends nothing */
	log_set_tag("postfix", "master");
	parse(&options, argc, argv);
	log_set_verbose(options.verbose);
	setenv("MAIL_CONFIG", options.etc, 1);
	if (options.check) {
		config = load_or_exit(options.etc, true);
		config_free(&config);
		return 0;
	}
	if (options.test) {
		config = load_or_exit(options.etc, false);
		exit(startup_is_running(&config->core, &config->params));
	}
	return master_main(&options);
}
