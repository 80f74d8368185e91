/* SPDX-License-Identifier: ISC */
#include "commands/postern/postern.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"

void instance_open(struct instance *in, const char *etc)
{
	static char real[PATH_MAX];
	struct conf_report report = {0};
	struct err err;
	const char *pid_dir;

	if (!realpath(etc, real))
		fatal("configuration directory %s: %s", etc, strerror(errno));
	in->etc = real;
	setenv("MAIL_CONFIG", real, 1);
	if (conf_load(real, &in->conf, &err) < 0)
		fatal("%s", err.text);
	if (conf_fill(in->conf, &core_params, &in->core, &report) < 0) {
		fputs(str_text(&report.text), stderr);
		fatal("the parameters in %s/main.cf cannot be used", real);
	}
	conf_report_fini(&report);
	pid_dir = conf_get(in->conf, "process_id_directory");
	in->pid_file =
	    alloc_printf("%s/%s/master.pid", in->core.queue_directory, *pid_dir ? pid_dir : "pid");
	in->master = alloc_printf("%s/master", in->core.daemon_directory);
}

pid_t instance_master(const struct instance *in)
{
	int fd = open(in->pid_file, O_RDONLY | O_CLOEXEC);
	char text[64] = "";
	pid_t pid = 0;

	if (fd < 0 && errno != ENOENT)
		fatal("open %s: %s", in->pid_file, strerror(errno));
	if (fd < 0)
		return 0;
	/* the file stays after a crash; the lock does not */
	if (fd_lock(fd, false) == 1 && fd_pread_full(fd, text, sizeof(text) - 1, 0) > 0)
		pid = (pid_t)strtol(text, NULL, 10);
	close(fd);
	return pid > 1 || (pid == 1 && getpid() != 1) ? pid : 0;
}

static void log_line(const struct instance *in, bool error, const char *text)
{
	const char *path = in->core.maillog_file;
	int fd = -1;

	if (*path && strcmp(path, "/dev/stdout") != 0) {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return;
		log_open(LOG_TO_FD, fd, 0);
	} else if (*path) {
		return;
	} else {
		log_open(LOG_TO_SYSLOG, -1, LOG_MAIL);
	}
	log_set_tag(in->core.syslog_name, "postfix-script");
	log_set_host(in->core.myhostname);
	if (error)
		log_error("%s", text);
	else
		log_info("%s", text);
	log_open(LOG_TO_STDERR, -1, 0);
	log_set_tag(NULL, in->program);
	fd_close(&fd);
}

void instance_say(const struct instance *in, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s: %s\n", in->program, text);
	log_line(in, false, text);
}

void instance_fail(const struct instance *in, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s: error: %s\n", in->program, text);
	log_line(in, true, text);
	exit(1);
}

bool install_find(char *commands_out, char *daemons_out, size_t size)
{
	static const char *const places[] = {
	    "/../libexec", "/../libexec/postern", "/../lib/postern"};
	char exe[PATH_MAX], real[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	bool found = false;

	if (n <= 0)
		return false;
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	for (size_t i = 0; i < ARRAY_LEN(places) && !found; i++) {
		char *dir = alloc_printf("%s%s", exe, places[i]);
		char *master = alloc_printf("%s/master", realpath(dir, real) ? real : dir);

		found = access(master, X_OK) == 0;
		free(master);
		free(dir);
	}
	if (found) {
		snprintf(commands_out, size, "%s", exe);
		snprintf(daemons_out, size, "%s", real);
	}
	return found;
}

int run_program(const char *path, char *const *argv, bool silence_stdout)
{
	pid_t pid = fork();
	int status = 0;

	if (pid < 0)
		fatal("fork: %s", strerror(errno));
	if (pid == 0) {
		int null = silence_stdout ? open("/dev/null", O_WRONLY) : -1;

		if (null >= 0)
			dup2(null, STDOUT_FILENO);
		execv(path, argv);
		log_error("%s: %s", path, strerror(errno));
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
